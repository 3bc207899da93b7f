"""Single reflections of one crystal as a diffractometer would record them, and the axes that its grains may favour."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from xtal.crystals import Crystal
from xtal.patterns.lorentz import lorentz_polarisation_ratio
from xtal.patterns.wavelengths import spectrum
from xtal.physics.powder import MERGE, reflections

AXES = 12
MOST_LINES, MOST_REFLECTIONS = 160, 1600  # the strongest: what is left out is less than an error of the others
FAINTEST = 1e-5  # of the strongest reflection
VOIGT = ([0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1])  # xx, yy, zz, yz, xz, xy


@dataclass(frozen=True, eq=False)
class Shell:
    """R reflections in L lines: other than in `Sticks`, a line may split under strain and change in parts by texture.

    Attributes:
        lattice: (3, 3) Å, of the crystal.
        q: (R,) Å⁻¹ of the unstrained crystal, ascending.
        area: (R,) integrated intensity at the wavelength, sum 1.
        direction: (R, 6) xx, yy, zz, 2yz, 2xz, 2xy of the unit vector along the reciprocal vector.
        line: (R,) number of its line, from 0, ascending.
        cosine: (R, A) squared cosine of the angle to each of the axes.
        axes: (A, 6) `direction` of the shortest reciprocal vectors. The largest faces of a grain are mostly those of
            the widest spacings (Donnay and Harker, Am. Mineral. 22 (1937) 446): plates and needles align by them.
    """

    lattice: NDArray[np.float64]
    q: NDArray[np.float64]
    area: NDArray[np.float64]
    direction: NDArray[np.float64]
    line: NDArray[np.int64]
    cosine: NDArray[np.float64]
    axes: NDArray[np.float64]

    @classmethod
    def of(cls, crystal: Crystal, wavelength: float, q_max: float, second: float = 0.0) -> Self:
        """Compute the strongest lines of a crystal up to `q_max` (Å⁻¹) with all their reflections.

        `wavelength` in Å; `second` is the share of Kα2 in the beam. Raises UserError on a cell so large that there are
        too many reflections.
        """
        found = reflections(crystal, min(q_max, 0.999 * 4 * np.pi / wavelength), wavelength=wavelength)
        length = np.linalg.norm(found.g, axis=1)
        order = np.argsort(length, kind="stable")
        q, unit = 2 * np.pi * length[order], found.g[order] / length[order, None]
        area = found.intensity[order] / q**2 / lorentz_polarisation_ratio(q, wavelength)
        line = np.cumsum(np.diff(q, prepend=-1) > MERGE) - 1
        kept, axes = _strongest(area, line), unit[:AXES]
        line = np.unique(line[kept], return_inverse=True)[1]
        q, area, along = q[kept], area[kept] / max(area[kept].sum(), 1e-30), unit[kept]
        if second:
            again = np.argsort(np.tile(line, 2), kind="stable")
            parts = zip(spectrum(wavelength), (1 - second, second), strict=True)
            seen = [(q * ratio, area * share) for ratio, share in parts]
            q, area = (np.concatenate(column)[again] for column in zip(*seen, strict=True))
            line, along = np.tile(line, 2)[again], np.tile(along, (2, 1))[again]
        return cls(crystal.lattice, q, area, _direction(along), line, (along @ axes.T) ** 2, _direction(axes))

    @property
    def line_q(self) -> NDArray[np.float64]:
        """(L,) Å⁻¹ of the lines."""
        return self.q[np.flatnonzero(np.diff(self.line, prepend=-1))]


def _direction(unit: NDArray) -> NDArray[np.float64]:
    """(R, 6) see `Shell.direction`, of unit vectors (R, 3)."""
    return unit[:, VOIGT[0]] * unit[:, VOIGT[1]] * np.array([1, 1, 1, 2, 2, 2])


def _strongest(area: NDArray, line: NDArray) -> NDArray[np.bool_]:
    """(R,) mask of the strongest lines' reflections, without the faintest."""
    kept = area > FAINTEST * area.max(initial=0)
    total = np.bincount(line, area)
    if len(total) > MOST_LINES:
        kept &= total[line] >= np.partition(total, -MOST_LINES)[-MOST_LINES]
    if kept.sum() > MOST_REFLECTIONS:
        kept &= area >= np.partition(area, -MOST_REFLECTIONS)[-MOST_REFLECTIONS]
    return kept
