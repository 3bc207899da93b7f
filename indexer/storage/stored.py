"""Lines and crystals of an index on disk: what is asked for is read, checked and copied."""

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.storage.mapped import StoredArray
from xtal.crystals import Crystal, CrystalTable
from xtal.patterns import Lines
from xtal.physics import LineTable


class CrystalRows(Protocol):
    """S crystals, in memory or on disk."""

    def __len__(self) -> int:
        """Return the number of crystals."""
        ...

    def __getitem__(self, row: int, /) -> Crystal:
        """Return one crystal."""
        ...

    def take(self, rows: NDArray[np.integer], /) -> CrystalTable:
        """Return the table of the chosen rows, in memory."""
        ...


@dataclass(frozen=True, eq=False)
class StoredLines:
    """Lines of S crystals; the arrays are those of `LineTable`."""

    offsets: StoredArray
    q: StoredArray
    intensity: StoredArray
    direction: StoredArray
    q_range: StoredArray

    def __len__(self) -> int:
        """Return the number of crystals."""
        return len(self.q_range)

    @cached_property
    def _bounds(self) -> NDArray[np.int64]:
        return self.offsets.whole()

    def __getitem__(self, row: int) -> Lines:
        """Return the lines of one crystal."""
        return self.take(np.array([range(len(self))[row]]))[0]

    def take(self, rows: NDArray[np.integer]) -> LineTable:
        """Return the table of the chosen rows, in memory."""
        rows = np.asarray(rows)
        first, last = self._bounds[rows], self._bounds[rows + 1]
        q, intensity, direction = (one.ranges(first, last) for one in (self.q, self.intensity, self.direction))
        return LineTable(running_total(last - first), q, intensity, direction, self.q_range.take(rows))


@dataclass(frozen=True, eq=False)
class StoredCrystals:
    """S crystals; the arrays are those of `CrystalTable`."""

    names: StoredArray
    lattice: StoredArray
    offsets: StoredArray | NDArray[np.int64]
    numbers: StoredArray
    frac: StoredArray
    occupancies: StoredArray | None

    def __len__(self) -> int:
        """Return the number of crystals."""
        return len(self.names)

    def __getitem__(self, row: int) -> Crystal:
        """Return one crystal."""
        return self.take(np.array([range(len(self))[row]]))[0]

    def take(self, rows: NDArray[np.integer]) -> CrystalTable:
        """Return the table of the chosen rows, in memory."""
        rows = np.asarray(rows)
        first, last = self.offsets.take(rows), self.offsets.take(rows + 1)
        numbers, frac = self.numbers.ranges(first, last), self.frac.ranges(first, last)
        occupancies = None if self.occupancies is None else self.occupancies.ranges(first, last)
        lattice = self.lattice.take(rows).astype(np.float64)
        return CrystalTable(self.names.take(rows), lattice, running_total(last - first), numbers, frac, occupancies)


def running_total(counts: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return (S + 1,) where stretches of so many elements each begin and end."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)
