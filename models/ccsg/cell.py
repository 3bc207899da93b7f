"""Lattices as six numbers that do not depend on the frame: the symmetric logarithm of the metric.

With rows a, b, c of L and the metric ``G = L Lᵀ``, the matrix ``M = ½ ln G`` is symmetric, unchanged when the frame
turns, and ``L = exp(M)`` is the lattice in its own symmetric frame. Its six components, each less the mean and over
the spread of a data set, are what diffuses: noise of unit size is then an ordinary cell, never a degenerate one.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ROWS, COLUMNS = (0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1)  # Voigt order
LEAST_SPREAD = (0.05, 0.05, 0.05, 0.03, 0.03, 0.03)  # sets of orthogonal cells have no spread in their angles
WIDEST = 1.6  # about the mean, in the logarithm: a factor of 5 in length


@dataclass(frozen=True, eq=False)
class CellScale:
    """Mean (6,) and spread (6,) of ½ ln G over a data set."""

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]

    @classmethod
    def of(cls, lattices: NDArray) -> "CellScale":
        """Measure a data set of lattices (S, 3, 3) in Å."""
        logs = log_metric(lattices)
        return cls(logs.mean(axis=0), np.maximum(logs.std(axis=0), LEAST_SPREAD))

    def normalised(self, lattices: NDArray) -> NDArray[np.float64]:
        """(B, 3, 3) Å -> (B, 6)."""
        return (log_metric(lattices) - self.mean) / self.spread

    def lattices(self, cells: NDArray) -> NDArray[np.float64]:
        """(B, 6) -> (B, 3, 3) Å, symmetric; what a wild guess asks for is limited to real lengths."""
        away = np.clip(cells * self.spread, -WIDEST, WIDEST)
        return exponential(away + self.mean)


def log_metric(lattices: NDArray) -> NDArray[np.float64]:
    """(B, 3, 3) Å -> (B, 6) components of ``½ ln(L Lᵀ)``."""
    lattices = np.asarray(lattices, dtype=np.float64)
    value, vector = np.linalg.eigh(lattices @ lattices.swapaxes(-1, -2))
    matrix = (vector * (0.5 * np.log(value))[..., None, :]) @ vector.swapaxes(-1, -2)
    return matrix[..., ROWS, COLUMNS]


def exponential(logs: NDArray) -> NDArray[np.float64]:
    """(B, 6) -> (B, 3, 3): the symmetric lattices whose `log_metric` is given."""
    matrix = np.empty((*logs.shape[:-1], 3, 3))
    matrix[..., ROWS, COLUMNS] = logs
    matrix[..., COLUMNS, ROWS] = logs
    value, vector = np.linalg.eigh(matrix)
    return (vector * np.exp(value)[..., None, :]) @ vector.swapaxes(-1, -2)
