"""Columns of text that are decoded where they are read."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from indexer.storage.mapped import StoredArray

PIECE = 8192  # rows decoded at once


class TextColumn(ABC):
    """S texts that are read like an object array of str."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of texts."""

    @abstractmethod
    def decoded(self, rows: NDArray[np.integer]) -> list[str]:
        """Return the texts of some rows, counted from 0."""

    def __getitem__(self, rows: Any) -> Any:
        """Return the text of a row, or the (R,) texts of rows, given as numpy takes them."""
        if isinstance(rows, int | np.integer):
            return self.decoded(np.array([range(len(self))[int(rows)]]))[0]
        chosen = np.arange(len(self))[rows] if isinstance(rows, slice) else np.asarray(rows)
        chosen = np.flatnonzero(chosen) if chosen.dtype == bool else chosen % max(len(self), 1)
        return object_array(self.decoded(chosen))

    def __iter__(self) -> Iterator[str]:
        """Yield all texts."""
        for first in range(0, len(self), PIECE):
            yield from self.decoded(np.arange(first, min(first + PIECE, len(self))))

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """Return all texts as numpy wants them."""
        return object_array(list(self)) if dtype is None else object_array(list(self)).astype(dtype)

    def astype(self, dtype: DTypeLike) -> NDArray[Any]:
        """Return all texts as an array of another type."""
        return self.__array__(dtype)

    def tolist(self) -> list[str]:
        """Return all texts."""
        return list(self)


class StoredTexts(TextColumn):
    """Texts on disk: all of them one after the other in UTF-8, and where each ends."""

    def __init__(self, letters: StoredArray, offsets: StoredArray) -> None:
        self._letters, self._offsets = letters, offsets

    def __len__(self) -> int:
        """Return the number of texts."""
        return len(self._offsets) - 1

    def decoded(self, rows: NDArray[np.integer]) -> list[str]:
        """Return the texts of some rows."""
        first, last = self._offsets.take(rows), self._offsets.take(rows + 1)
        letters = self._letters.ranges(first, last).tobytes()
        ends = np.cumsum(last - first).tolist()
        return [letters[a:b].decode() for a, b in zip([0, *ends[:-1]], ends, strict=False)]

    def equal(self, text: str) -> NDArray[np.bool_]:
        """Return (S,) which texts are this one."""
        wanted, offsets = np.frombuffer(text.encode(), np.uint8), self._offsets.whole()
        result = np.diff(offsets) == len(wanted)
        rows = np.flatnonzero(result)
        letters = self._letters.ranges(offsets[rows], offsets[rows + 1]).reshape(len(rows), len(wanted))
        result[rows] = (letters == wanted).all(axis=1)
        return result


class JoinedTexts(TextColumn):
    """Columns one below the other."""

    def __init__(self, parts: Sequence["TextColumn | NDArray[np.object_]"]) -> None:
        self._parts, self._starts = parts, np.cumsum([0, *map(len, parts)])

    def __len__(self) -> int:
        """Return the number of texts."""
        return int(self._starts[-1])

    def decoded(self, rows: NDArray[np.integer]) -> list[str]:
        """Return the texts of some rows."""
        found = object_array([""] * len(rows))
        owner = np.searchsorted(self._starts, rows, "right") - 1
        for number, part in enumerate(self._parts):
            mine = owner == number
            if mine.any():
                found[mine] = part[rows[mine] - self._starts[number]]
        return found.tolist()


def object_array(values: Sequence[str]) -> NDArray[np.object_]:
    """Return (S,) texts as an array of objects."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def packed(texts: Sequence[str]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return texts one after the other in UTF-8, and (S + 1,) where they begin and end."""
    encoded = [text.encode() for text in texts]
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in encoded])]).astype(np.int64)
    return np.frombuffer(b"".join(encoded), dtype=np.uint8), offsets
