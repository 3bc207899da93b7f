"""Calculated lines of several candidates in one padded array, as a diffractometer would record them."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from xtal.patterns.lorentz import lorentz_polarisation_ratio
from xtal.patterns.wavelengths import spectrum
from xtal.physics.line_table import DIRECTION_UNIT, LineRows

MOST_LINES = 128


@dataclass(frozen=True, eq=False)
class Sticks:
    """Lines of R candidates, L each; unused places have area 0.

    Attributes:
        q: (R, L) Å⁻¹ of the unstrained crystal.
        area: (R, L) integrated intensity at the wavelength, each candidate's sum 1.
        direction: (R, L, 6) see `Lines.direction`.
    """

    q: NDArray[np.float64]
    area: NDArray[np.float64]
    direction: NDArray[np.float64]

    @classmethod
    def of(
        cls, lines: LineRows, rows: NDArray[np.integer], wavelength: float, q_max: float, most: int = MOST_LINES
    ) -> Self:
        """Take the `most` strongest lines up to `q_max` (Å⁻¹) of the chosen rows."""
        limit = min(q_max, 0.999 * 4 * np.pi / wavelength)
        table = lines.take(rows)
        places, filled = table.places(np.arange(len(table)), limit)
        q = table.q[places].astype(np.float64)
        area = np.where(filled, table.intensity[places], 0.0)
        if area.shape[1] > most:
            keep = np.argpartition(-area, most, axis=1)[:, :most]
            q, area, places = (np.take_along_axis(a, keep, axis=1) for a in (q, area, places))
        q = np.minimum(q, limit)
        area = area / lorentz_polarisation_ratio(q, wavelength)
        area /= np.maximum(area.sum(axis=1, keepdims=True), 1e-30)
        return cls(q, area, table.direction[places] / DIRECTION_UNIT)

    def doubled(self, wavelength: float, second: float) -> Self:
        """Return what a beam with a share `second` of Kα2 makes of the lines, at the angles of `wavelength` (Å)."""
        if not second:
            return self
        parts = [(ratio, share) for ratio, share in zip(spectrum(wavelength), (1 - second, second), strict=True)]
        return type(self)(
            np.concatenate([self.q * ratio for ratio, _ in parts], axis=1),
            np.concatenate([self.area * share for _, share in parts], axis=1),
            np.concatenate([self.direction] * 2, axis=1),
        )

    def __len__(self) -> int:
        """Return the number of candidates."""
        return len(self.q)

    def take(self, rows: NDArray[np.integer]) -> Self:
        """Return the chosen candidates."""
        return type(self)(self.q[rows], self.area[rows], self.direction[rows])
