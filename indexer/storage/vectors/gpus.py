"""Vectors on GPUs, where they fit."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from indexer.storage.vectors.flat import FlatVectors

PIECE = 100_000  # vectors copied at once


class Searcher(Protocol):
    """What finds the vectors most like some queries; see `FlatVectors.search`."""

    def search(self, queries: NDArray[np.float32], k: int, /) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return (B, k) scores, falling, and rows."""
        ...


def on_gpus(vectors: FlatVectors) -> Searcher:
    """Return the vectors copied to all GPUs, or themselves where FAISS knows of none or they fit on none."""
    import faiss

    if not faiss.get_num_gpus():
        return vectors
    flat = faiss.IndexFlatIP(vectors.d)
    for first in range(0, len(vectors), PIECE):
        flat.add(vectors.reconstruct_n(first, min(PIECE, len(vectors) - first)))
    try:
        return _OnGPUs(faiss.index_cpu_to_all_gpus(flat))
    except RuntimeError:  # as FAISS tells of too little memory; then the CPU's ways take less
        return vectors


@dataclass(frozen=True, eq=False)
class _OnGPUs:
    """A FAISS index whose equal answers stand in the order of the index."""

    index: Any

    def search(self, queries: NDArray[np.float32], k: int, /) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return (B, k) scores, falling, and rows."""
        scores, rows = self.index.search(queries, k)
        order = np.lexsort((rows, -scores))
        return np.take_along_axis(scores, order, 1), np.take_along_axis(rows, order, 1)
