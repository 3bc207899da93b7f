"""Files that are read in blocks, each compared with its sum before anything in it is used.

A published file never changes, so its blocks are summed once, when its digest is checked (`indexer.storage.seal`), and
read where they lie ever after. A bit that turns over on the disk meanwhile is found when its block is first read.
"""

import mmap
import os
import weakref
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from xtal.errors import UserError

BLOCK = 1 << 15  # bytes: a candidate's lines lie in one or two, and a sum of one takes 5 µs
SMALL = 1 << 23  # bytes: an array that takes no more is read once, as whole


@dataclass(frozen=True)
class State:
    """What tells that a file has changed: its size in bytes, time of its last change in ns, and inode."""

    size: int
    mtime_ns: int
    inode: int

    @classmethod
    def of(cls, found: os.stat_result) -> Self:
        """Return the state of a file."""
        return cls(found.st_size, found.st_mtime_ns, found.st_ino)


def block_sum(block: bytes | memoryview) -> int:
    """Return the sum of a block: CRC-32, which misses no error of up to 32 bits in a row."""
    return zlib.crc32(block)


def block_sums(data: bytes | memoryview) -> NDArray[np.uint32]:
    """Return (B,) the sums of all blocks."""
    return np.array([block_sum(data[at : at + BLOCK]) for at in range(0, len(data), BLOCK)], dtype=np.uint32)


class Blocks:
    """The content of a file whose blocks have known sums; safe to use from several threads."""

    def __init__(self, path: Path, state: State, sums: NDArray[np.uint32], refused: Callable[[str], UserError]) -> None:
        """Map a file.

        Args:
            path: of the file.
            state: it had when it was summed.
            sums: (B,) of its blocks.
            refused: makes an error of what is wrong with the file.
        """
        self._path, self._state, self._sums, self._refused = path, state, sums, refused
        self._sound = np.zeros(len(sums), dtype=bool)
        self._handle = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._handle)
        self._unchanged()
        self.data = memoryview(mmap.mmap(self._handle, 0, access=mmap.ACCESS_READ))

    def check(self, first: NDArray[np.integer], last: NDArray[np.integer]) -> None:
        """Check the blocks of some stretches of bytes, ``first[i]:last[i]``, that have not been checked yet.

        Raises:
            UserError: one of them is not as it was, or the file has been changed since it was opened.
        """
        self._unchanged()  # and what a shortened file lacks must not be touched: the system would end the process
        begin, end = first // BLOCK, -(-last // BLOCK)
        counts = end - begin
        blocks = np.repeat(begin - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
        self._check(np.unique(blocks[~self._sound[blocks]]).tolist())

    def check_stretch(self, first: int, last: int) -> None:
        """Check the blocks of one stretch of bytes, as `check` does those of several."""
        self._unchanged()
        blocks = range(first // BLOCK, -(-last // BLOCK))
        if not self._sound[blocks.start : blocks.stop].all():
            self._check([block for block in blocks if not self._sound[block]])

    def _check(self, blocks: Iterable[int]) -> None:
        for block in blocks:
            if block_sum(self.data[block * BLOCK : (block + 1) * BLOCK]) != self._sums[block]:
                raise self._refused(f"bytes {block * BLOCK} to {(block + 1) * BLOCK} of {self._path} have changed")
            self._sound[block] = True

    def _unchanged(self) -> None:
        found = State.of(os.fstat(self._handle))
        if (found.size, found.mtime_ns) != (self._state.size, self._state.mtime_ns):
            raise self._refused(f"{self._path} was changed while it was in use")


@dataclass(frozen=True)
class Place:
    """Where an array lies in a file: its name, offset in bytes, type and shape."""

    file: str
    offset: int
    dtype: str
    shape: tuple[int, ...]


class StoredArray:
    """An array on disk, of S rows; what is read of it is checked and copied. Safe to use from several threads."""

    def __init__(self, blocks: Blocks, place: Place) -> None:
        self._blocks, self._offset, self.shape, self.dtype = blocks, place.offset, place.shape, np.dtype(place.dtype)
        self._raw: NDArray[Any] = np.ndarray(self.shape, self.dtype, buffer=blocks.data, offset=place.offset)
        self._step = self.dtype.itemsize * int(np.prod(self.shape[1:]))

    def __len__(self) -> int:
        """Return the number of rows."""
        return self.shape[0]

    @property
    def nbytes(self) -> int:
        """Size in bytes."""
        return len(self) * self._step

    def ranges(self, first: NDArray[np.integer], last: NDArray[np.integer]) -> NDArray[Any]:
        """Return the rows ``first[i]:last[i]`` of several stretches, one after the other."""
        if len(first) == 1:
            return self._stretch(int(first[0]), int(last[0]))
        runs = _merged(np.asarray(first), np.asarray(last))
        if not runs:
            return np.empty((0, *self.shape[1:]), self.dtype)
        if self.nbytes <= SMALL:
            return np.concatenate([self._once[a:b] for a, b in runs])
        begin, end = np.array(runs, dtype=np.int64).T
        self._blocks.check(self._offset + begin * self._step, self._offset + end * self._step)
        return np.concatenate([self._raw[a:b] for a, b in runs])

    def take(self, rows: NDArray[np.integer]) -> NDArray[Any]:
        """Return the chosen rows."""
        rows = np.asarray(rows, dtype=np.int64)
        if len(rows) == 1:
            return self._stretch(row := range(len(self))[int(rows[0])], row + 1)
        if self.nbytes <= SMALL:
            return self._once[rows]
        if len(rows) > 1 and rows[-1] - rows[0] == len(rows) - 1 and (np.diff(rows) == 1).all():
            return self.ranges(rows[:1], rows[-1:] + 1)
        if len(rows):
            self._blocks.check(self._offset + rows * self._step, self._offset + (rows + 1) * self._step)
        return self._raw[rows]

    def _stretch(self, first: int, last: int) -> NDArray[Any]:
        if self.nbytes <= SMALL:
            return self._once[first:last].copy()
        if last > first:
            self._blocks.check_stretch(self._offset + first * self._step, self._offset + last * self._step)
        return self._raw[first:last].copy()

    def whole(self) -> NDArray[Any]:
        """Return all rows, read-only."""
        return self._once if self.nbytes <= SMALL else self._read()

    @cached_property
    def _once(self) -> NDArray[Any]:
        return self._read()

    def _read(self) -> NDArray[Any]:
        rows = np.empty(self.shape, self.dtype)
        self.into(rows, 0)
        rows.flags.writeable = False
        return rows

    def into(self, out: NDArray[Any], first: int) -> None:
        """Fill `out` with rows from `first` on."""
        span = np.array([self._offset + first * self._step])
        if out.size:
            self._blocks.check(span, span + len(out) * self._step)
        np.copyto(out, self._raw[first : first + len(out)])


def _merged(first: NDArray[np.integer], last: NDArray[np.integer]) -> Sequence[tuple[int, int]]:
    """Return stretches in their order; empty ones are left out, and one that begins where another ends is joined."""
    some = last > first
    first, last = first[some], last[some]
    if not len(first):
        return []
    cut = np.flatnonzero(first[1:] != last[:-1]) + 1
    return list(zip(first[np.append(0, cut)].tolist(), last[np.append(cut - 1, len(last) - 1)].tolist(), strict=True))
