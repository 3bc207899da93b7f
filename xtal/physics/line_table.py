"""The computed lines of many crystals in one block of memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from xtal.arrays import ragged_rows
from xtal.patterns import Lines

DIRECTION_UNIT = 127  # directions lie in -1 to 1 and are kept as whole 127ths: finer than any strain needs


class LineRows(Protocol):
    """Lines of S crystals, in memory or wherever they are kept."""

    def __len__(self) -> int:
        """Return the number of crystals."""
        ...

    def __getitem__(self, row: int, /) -> Lines:
        """Return the lines of one crystal."""
        ...

    def take(self, rows: NDArray[np.integer], /) -> "LineTable":
        """Return the table of the chosen rows."""
        ...


@dataclass(frozen=True, eq=False)
class LineTable:
    """Lines of S crystals; those of crystal i are rows ``offsets[i]:offsets[i + 1]``. Units as in `Lines`.

    Attributes:
        offsets: (S + 1,) int64.
        q: (K,) float32 Å⁻¹, ascending within each crystal.
        intensity: (K,) float32, strongest of each crystal 1.
        direction: (K, 6) int8, `Lines.direction` in units of 1 / `DIRECTION_UNIT`.
        q_range: (S, 2) float32 Å⁻¹.
    """

    offsets: NDArray[np.int64]
    q: NDArray[np.float32]
    intensity: NDArray[np.float32]
    direction: NDArray[np.int8]
    q_range: NDArray[np.float32]

    @classmethod
    def stack(cls, rows: Sequence[Lines]) -> Self:
        """Put many computed `Lines` into one table."""
        offsets = np.concatenate([[0], np.cumsum([len(r) for r in rows])]).astype(np.int64)
        q = np.concatenate([r.q for r in rows] or [np.empty(0)]).astype(np.float32)
        intensity = np.concatenate([r.intensity for r in rows] or [np.empty(0)]).astype(np.float32)
        directions = [np.zeros((len(r), 6)) if r.direction is None else r.direction for r in rows]
        direction = np.rint(np.concatenate(directions or [np.empty((0, 6))]) * DIRECTION_UNIT).astype(np.int8)
        return cls(offsets, q, intensity, direction, np.array([r.q_range for r in rows], np.float32).reshape(-1, 2))

    @classmethod
    def join(cls, tables: Sequence[Self]) -> Self:
        """Put tables one below the other."""
        counts = [np.diff(t.offsets) for t in tables]
        offsets = np.concatenate([[0], np.cumsum(np.concatenate(counts or [np.empty(0, np.int64)]))]).astype(np.int64)
        names = ("q", "intensity", "direction", "q_range")
        return cls(offsets, *(np.concatenate([getattr(t, name) for t in tables]) for name in names))

    def __len__(self) -> int:
        """Return the number of crystals."""
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> Lines:
        """Return the lines of one crystal."""
        part = slice(self.offsets[row], self.offsets[row + 1])
        low, high = self.q_range[row]
        return Lines(self.q[part], self.intensity[part], None, (low, high), self.direction[part] / DIRECTION_UNIT)

    def take(self, rows: NDArray[np.integer]) -> Self:
        """Return the table of the chosen rows."""
        at, offsets = ragged_rows(self.offsets, rows)
        return type(self)(offsets, self.q[at], self.intensity[at], self.direction[at], self.q_range[rows])

    def padded(self, rows: NDArray[np.integer]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return (R, L) q and intensity of the chosen rows; unused places hold intensity 0."""
        places, filled = self.places(rows)
        return np.where(filled, self.q[places], 0), np.where(filled, self.intensity[places], 0)

    def places(self, rows: NDArray[np.integer], q_max: float = np.inf) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return (R, L) positions of the lines of the chosen rows, and which of them are real (the rest is padding).

        Lines beyond `q_max` (Å⁻¹) are left out.
        """
        ends = self.offsets[np.asarray(rows) + 1]
        if np.isfinite(q_max):
            bounds = zip(self.offsets[rows], ends, strict=True)
            ends = np.array([first + np.searchsorted(self.q[first:last], q_max, "right") for first, last in bounds])
        counts = ends - self.offsets[rows]
        places = np.arange(counts.max(initial=0)) + self.offsets[rows, None]
        filled = np.arange(places.shape[1]) < counts[:, None]
        return np.where(filled, places, 0), filled
