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
WIDTHS, SHARES = (0.75, 0.9, 1.05, 1.25), (0.0, 0.3, 0.6, 1.0)  # of the lines, tried
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
        line = line or _best_line(level, trust, start, offset)
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


def _best_line(level: NDArray, trust: NDArray, start: NDArray, offset: NDArray) -> tuple[float, float]:
    """Return the width and share under which free, positive intensities fit the profile best."""
    from scipy.optimize import nnls

    rows, columns = start[:, None] + np.arange(offset.shape[1]), np.arange(len(start))[:, None]
    weight = trust / np.sqrt(level + FLOOR)
    best, chosen = np.inf, (1.0, 0.5)
    for width in WIDTHS:
        for share in SHARES:
            design = np.zeros((len(level), len(start)))
            design[rows, columns] = pseudo_voigt(offset, width, share)
            left = nnls(design * weight[:, None], level * weight)[1]
            if left < best:
                best, chosen = left, (width, share)
    return chosen


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
