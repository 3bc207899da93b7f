"""Vectors of several indexes searched as one."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.storage.vectors.coded import CodedVectors
from indexer.storage.vectors.flat import FlatVectors


def put_together(owners: Sequence[FlatVectors]) -> FlatVectors:
    """Return vectors one below the other; those that have codes are searched by these."""
    if any(isinstance(one, (CodedVectors, MergedVectors)) for one in owners):
        return MergedVectors(owners)
    return FlatVectors([part for one in owners for part in one.parts])


class MergedVectors(FlatVectors):
    """Vectors of several indexes, each of which searches its own."""

    def __init__(self, owners: Sequence[FlatVectors]) -> None:
        super().__init__([part for one in owners for part in one.parts])
        self._owners, self._begins = owners, np.cumsum([0, *map(len, owners)]).tolist()

    def search(
        self, queries: NDArray[np.float32], k: int, allowed: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Find the `k` vectors most like each query; see `FlatVectors.search`."""
        scores, rows = [np.empty((len(queries), 0), np.float32)], [np.empty((len(queries), 0), np.int64)]
        for owner, begin in zip(self._owners, self._begins, strict=False):
            own = None if allowed is None else allowed[(allowed >= begin) & (allowed < begin + len(owner))] - begin
            if most := min(k, len(owner) if own is None else len(own)):
                found = owner.search(queries, most, own)
                scores.append(found[0])
                rows.append(found[1] + begin)
        every, which = np.concatenate(scores, axis=1), np.concatenate(rows, axis=1)
        best = np.lexsort((which, -every))[:, :k]
        return np.take_along_axis(every, best, 1), np.take_along_axis(which, best, 1)
