"""A trial metric, and the found lines that it is held against."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xtal.physics.indexing import search
from xtal.physics.indexing.areas import designs
from xtal.physics.indexing.bravais import LETTERS, conventional, primitive
from xtal.physics.indexing.metric import indices, places
from xtal.physics.indexing.pawley import Fit
from xtal.physics.indexing.resolving import Resolved

LINES = 22  # that judge trial metrics
FINEST = 0.03  # widths: no place is trusted more
MERIT_LINES = 20


@dataclass(frozen=True, eq=False)
class Trial:
    """A metric with its score or its fit; `weighed` once the fit's evidence counts space groups, too."""

    system: int
    centring: int
    parameters: NDArray[np.float64]
    zero: float
    score: float
    fit: Fit | None = None
    weighed: bool = False

    @property
    def lattice(self) -> NDArray[np.float64]:
        """(3, 3) Å primitive, reduced."""
        return primitive(conventional(self.system, self.parameters), LETTERS[self.centring])


@dataclass(frozen=True, eq=False)
class Found:
    """Found lines as the search sees them: Q in Å⁻² and its uncertainty, and room to work in.

    `first` are the places of the first lines, and `grid` those of all.
    """

    resolved: Resolved
    q: NDArray[np.float64]
    sigma: NDArray[np.float64]
    first: tuple
    grid: tuple
    work: tuple
    zero: float

    @classmethod
    def of(cls, resolved: Resolved, zero: float) -> "Found":
        """Lines with `zero` (radians) taken off."""
        wave = resolved.profile.wavelength
        theta = (np.radians(resolved.angle) - zero) / 2
        use = theta > 0
        theta = theta[use][:LINES]
        spread = np.radians(np.maximum(resolved.sigma[use], FINEST * resolved.profile.width))[:LINES]
        q = (2 / wave * np.sin(theta)) ** 2
        sigma = spread * 4 / wave**2 * np.sin(theta) * np.cos(theta)
        work = np.zeros((search.MOST_LINES, 3), np.int64), np.zeros(64), np.zeros(65, np.int64)
        few = search.FIRST_LINES
        return cls(resolved, q, sigma, places(q[:few], sigma[:few], wave), places(q, sigma, wave), work, zero)

    @property
    def grids(self) -> tuple[tuple, tuple]:
        """What the search scores a metric by: the first lines, then all."""
        return self.first, self.grid


def merit_of(trial: Trial, found: Found) -> tuple[float, int]:
    """De Wolff (1968): ``M = Q_n / (2 <|ΔQ|> N)`` of the first n <= 20 lines, N calculated ones up to there; and n."""
    q = found.q[:MERIT_LINES]
    hkl = found.work[0]
    count = indices(trial.system, trial.centring, trial.parameters, q[-1] * 1.02, hkl)
    if count <= 0:
        return 0.0, len(q)
    calculated = designs(trial.system, hkl[:count]) @ trial.parameters
    off = np.abs(q[:, None] - calculated).min(axis=1).mean()
    return float(q[-1] / (2 * off * max(1, (calculated <= q[-1]).sum()))), len(q)
