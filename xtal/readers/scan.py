"""What a file holds, before it is checked and becomes a `Pattern`."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

MOST_POINTS = 200_000  # a whole circle in steps of 0.001°; more is no powder pattern
MOST_RANGES = 100  # turning points of a column that is a scan; more is a column in no order
FEWEST = 10  # points of a range


@dataclass(frozen=True, eq=False)
class Scan:
    """One scan as a file states it. Nothing has been checked yet.

    Attributes:
        x: (M,) degrees 2θ, or Å⁻¹ where `on_q`.
        intensity: (M,) counts or arbitrary units.
        sigma: (M,) standard uncertainty of `intensity`, or None.
        wavelength: Å, or None where the file states none.
        on_q: whether `x` is q.
        note: what else people should know of the source, for example which scan of several was read.
        seconds: counting time per point, or None where the file states none.
    """

    x: NDArray[np.floating]
    intensity: NDArray[np.floating]
    sigma: NDArray[np.floating] | None = None
    wavelength: float | None = None
    on_q: bool = False
    note: str = ""
    seconds: float | None = None

    def __len__(self) -> int:
        """Return the number of points."""
        return len(self.x)

    def at(self, which: NDArray) -> "Scan":
        """Return the points that `which`, an index or mask, selects."""
        sigma = None if self.sigma is None else self.sigma[which]
        return replace(self, x=self.x[which], intensity=self.intensity[which], sigma=sigma)
