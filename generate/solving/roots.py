"""The measured profile as the search sees it: its root on a coarse grid, and the reflections that make it.

The root weighs weak lines as much as their counts tell; a plain profile is ruled by its two or three strongest.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from xtal.errors import UserError
from xtal.patterns import q_from_two_theta, two_theta_from_q
from xtal.patterns.lorentz import lorentz_polarisation_ratio
from xtal.patterns.sample import Sample
from xtal.physics.powder import Q_MIN, U_ISO, anomalous_terms, form_factors
from xtal.physics.target import Target

BLUR = 0.8  # of the line width: what a cell that is a little wrong may shift lines by
REACH = 5.0  # full widths at half maximum of a line to either side
MOST_REFLECTIONS = 220  # independent ones that a search looks at, the innermost
FIRST_LINE = (1.0, 0.2)  # width, in found ones, and Lorentzian share that are tried first,
LINE_STEPS = ((0.16, 0.2), (0.08, 0.1), (0.04, 0.05))  # and how far others lie from the best one
NARROWEST = 0.5
FREE = 3  # fits of free intensities, each to what the last one says of the background
FLOOR = 4e-3  # of the strongest point, added under the root: what background and tails may be wrong by
NOISE = 0.02  # of the strongest point: where counting is worse than this, a point counts half


@dataclass(frozen=True, eq=False)
class Roots:
    """R independent reflections of a cell and group, and the profile (M,) that they are compared with.

    Attributes:
        hkl: (R, 3), h >= 0, sorted.
        q: (R,) Å⁻¹.
        strength: (R,) multiplicity, Lorentz and polarisation.
        shape: (R, W) profile of each line on the grid.
        start: (R,) first point of it.
        root: (M,) of the net intensity, its largest value 1.
        high: (M,) the same with what the background has more than at its lowest: feet of dense lines, perhaps.
        trust: (M,) weights.
        wavelength: Å.
        line: width, in found ones, and Lorentzian share of a line.
    """

    hkl: NDArray[np.int64]
    q: NDArray[np.float64]
    strength: NDArray[np.float64]
    shape: NDArray[np.float64]
    start: NDArray[np.int64]
    root: NDArray[np.float64]
    high: NDArray[np.float64]
    trust: NDArray[np.float64]
    wavelength: float
    line: tuple[float, float]

    @classmethod
    def of(
        cls,
        sample: Sample,
        lattice: NDArray[np.float64],
        rotations: NDArray[np.integer],
        zero: float = 0.0,
        line: tuple[float, float] | None = None,
    ) -> Self:
        """Prepare a sample for one cell (3, 3) and group (S, 3, 3).

        `zero` degrees are added to calculated angles; `line` is width and share as found for the cell before.

        Raises:
            UserError: the cell has no line in the range of the pattern.
        """
        sharp = Target.of(sample.pattern, sample.lines, sample.under)
        target = sharp.blurred(BLUR * sharp.fwhm)
        q_max = float(q_from_two_theta(target.two_theta[-1], target.wavelength))
        hkl, q, count = independent(lattice, rotations, q_max)
        if len(q) > MOST_REFLECTIONS:
            q_max = float(np.sort(q)[MOST_REFLECTIONS])
            hkl, q, count = hkl[q < q_max], q[q < q_max], count[q < q_max]
            seen = target.two_theta <= two_theta_from_q(q_max, target.wavelength)
            target = target.shortened(int(seen.sum()))
        level = np.clip(target.net, 0, None)
        top = max(float(level.max()), 1e-30)
        place = target.place(two_theta_from_q(q, target.wavelength) + zero)
        half = max(2, round(REACH * target.fwhm / target.step))
        level = np.pad(level / top, half)
        taken = np.pad((target.under - target.under[target.measured].min(initial=target.under.max())) / top, half)
        trust = np.pad(target.measured / (1 + np.sqrt(target.variance) / top / NOISE), half)
        inside = (place > -half) & (place < len(target.net) + half - 1)
        hkl, q, count, place = hkl[inside], q[inside], count[inside], place[inside]
        if not len(hkl):
            raise UserError("a cell of these edges has no line in the range of the pattern")
        start = np.clip(np.rint(place).astype(np.int64), 0, len(level) - 2 * half - 1)
        offset = (start[:, None] + np.arange(-half, half + 1) - place[:, None]) * target.step / target.fwhm
        root, high = np.sqrt(level + FLOOR), np.sqrt(level + np.clip(taken, 0, None) + FLOOR)
        line = line or _best_line(root**2 - FLOOR, high**2 - FLOOR, trust, start, offset)
        shape = pseudo_voigt(offset, *line)
        strength = count / q**2 / lorentz_polarisation_ratio(q, target.wavelength)
        return cls(hkl, q, strength / strength.max(), shape, start, root, high, trust, target.wavelength, line)

    def factors(self, numbers: NDArray[np.integer]) -> NDArray[np.float64]:
        """(T, R) form factors of elements with dispersion's real part and the usual displacements."""
        real = form_factors(numbers, self.q) + anomalous_terms(self.wavelength)[numbers, :1]
        return np.asarray(real * np.exp(-U_ISO * self.q**2 / 2))


def pseudo_voigt(offset: NDArray[np.float64], width: float, share: float) -> NDArray[np.float64]:
    """Return the profile of a line at `offset` widths from its middle, `share` of it Lorentzian."""
    scaled = offset / width
    return np.asarray(share / (1 + 4 * scaled**2) + (1 - share) * np.exp(-4 * np.log(2) * scaled**2))


def _best_line(low: NDArray, high: NDArray, trust: NDArray, start: NDArray, offset: NDArray) -> tuple[float, float]:
    """Return the width and share under which free, positive intensities fit the profile best."""
    seen: dict[tuple[float, float], float] = {}

    def left(line: tuple[float, float]) -> float:
        """Return what a line leaves unexplained; infinite where there is no such line."""
        if line not in seen:
            inside = line[0] >= NARROWEST and 0 <= line[1] <= 1
            seen[line] = _left(low, high, trust, start, pseudo_voigt(offset, *line)) if inside else np.inf
        return seen[line]

    best = FIRST_LINE
    for wider, more in LINE_STEPS:
        while True:
            width, share = best
            around = [(width - wider, share), (width + wider, share), (width, share - more), (width, share + more)]
            nearest = min(((round(w, 4), round(s, 4)) for w, s in around), key=left)
            if left(nearest) >= left(best):
                break
            best = nearest
    return best


def _left(low: NDArray, high: NDArray, trust: NDArray, start: NDArray, shape: NDArray) -> float:
    """Return by how much free, positive intensities of lines (R, W) miss a profile between `low` and `high` (M,).

    Feet of dense lines are taken off with the background: lines without feet would fit best, were `low` alone met.
    So each fit meets the point of the range that is nearest to the one before.
    """
    from scipy.optimize import nnls

    rows, columns = start[:, None] + np.arange(shape.shape[1]), np.arange(len(start))[:, None]
    design = np.zeros((len(low), len(start)))
    design[rows, columns] = shape
    goal, missed = low, 0.0
    for _ in range(FREE):
        weight = trust / np.sqrt(goal + FLOOR)
        found = design @ nnls(design * weight[:, None], goal * weight)[0]
        goal = np.clip(found, low, high)
        missed = float(np.square(weight * (found - goal)).sum())
    return missed


def independent(
    lattice: NDArray[np.float64], rotations: NDArray[np.integer], q_max: float
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return hkl (R, 3) up to `q_max` (Å⁻¹), one of each set of equivalent ones, their q, and how many these are."""
    inverse = np.linalg.inv(lattice).T
    most = np.floor(q_max / (2 * np.pi) * np.linalg.norm(lattice, axis=1)).astype(int)
    grid = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in most), indexing="ij"), axis=-1).reshape(-1, 3)
    q = 2 * np.pi * np.linalg.norm(grid @ inverse, axis=1)
    grid = grid[(q <= q_max) & (q >= Q_MIN)]
    span = 2 * most.max(initial=1) + 3
    laue = np.unique(np.concatenate([rotations, -rotations]), axis=0)
    images = np.einsum("rx,sxy->sry", grid, laue)
    codes = ((images[..., 0] * span + images[..., 1]) * span + images[..., 2]).max(axis=0)
    _, first, count = np.unique(codes, return_index=True, return_counts=True)
    hkl = images[:, first][
        ((images[:, first, 0] * span + images[:, first, 1]) * span + images[:, first, 2]).argmax(0),
        np.arange(len(first)),
    ]
    hkl = hkl[np.lexsort(hkl.T[::-1])], count[np.lexsort(hkl.T[::-1])]
    return hkl[0], 2 * np.pi * np.linalg.norm(hkl[0] @ inverse, axis=1), hkl[1].astype(np.float64)
