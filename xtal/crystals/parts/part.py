"""A part: a group of atoms that keeps its shape wherever it occurs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xtal.arrays import frozen


@dataclass(frozen=True, eq=False)
class Part:
    """One rigid part, away from any crystal. All arrays are read-only.

    Attributes:
        numbers: (n,) atomic numbers.
        position: (n, 3) Å, about the mean of its atoms.
        bonds: (B, 2) rows of atoms that are bonded within the part, each bond once.
        donors: (n,) True for atoms that bind metals of other parts.
        key: names the kind: the same for parts whose atoms are bonded alike and bind by the same atoms, whatever their
            shape.
    """

    numbers: NDArray[np.uint8]
    position: NDArray[np.float64]
    bonds: NDArray[np.int64]
    donors: NDArray[np.bool_]
    key: str

    def __post_init__(self) -> None:
        """Copy, centre and freeze the arrays."""
        position = np.asarray(self.position, dtype=np.float64).reshape(-1, 3)
        object.__setattr__(self, "numbers", frozen(self.numbers, np.uint8))
        object.__setattr__(self, "position", frozen(position - position.mean(axis=0)))
        object.__setattr__(self, "bonds", frozen(np.reshape(self.bonds, (-1, 2)), np.int64))
        object.__setattr__(self, "donors", frozen(self.donors, np.bool_))

    def __len__(self) -> int:
        """Return the number of atoms."""
        return len(self.numbers)
