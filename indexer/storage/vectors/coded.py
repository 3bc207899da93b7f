"""Search by codes: a FAISS index of smaller numbers chooses candidates, whole vectors decide.

Scores are exact in both tiers. Half precision gives the answers of the exact search, for the rounding of its scores has
a bound; clusters may overlook some.
"""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.storage.mapped import StoredArray
from indexer.storage.vectors.flat import SPARE, FlatVectors

FEW = 2  # queries that are searched by halves: for more, the product with whole vectors is faster
SPARSE = 4  # a filter that leaves less than one in so many is better searched without halves
WIDEST = 16  # times as many as asked for are compared as whole vectors at most; then all of them are
CANDIDATES = 2  # times as many as asked for are taken from clusters and compared as whole vectors
ELSEWHERE = 4  # times as many clusters under a filter: what passes may all be unlike the pattern, and lie elsewhere
ALL = 200_000  # vectors that a filter leaves: so many are all compared
Found = tuple[NDArray[np.float32], NDArray[np.int64]]


class CodedVectors(FlatVectors):
    """Vectors with codes by which candidates are chosen."""

    def __init__(self, parts: Sequence[NDArray[np.float32] | StoredArray], codes: Callable[[], Any]) -> None:
        """Take the arrays of the vectors, and what opens the FAISS index of their codes when it is first needed."""
        super().__init__(parts)
        self._codes = codes

    @cached_property
    def index(self) -> Any:
        """The FAISS index of the codes; None where the file has gone, and every vector is compared."""
        return self._codes()

    def _selector(self, allowed: NDArray[np.int64] | None) -> dict[str, Any]:
        """Return the option of FAISS that lets nothing but the allowed rows be found."""
        import faiss

        if allowed is None:
            return {}
        passes = np.zeros(len(self), dtype=bool)
        passes[allowed] = True
        return {"sel": faiss.IDSelectorBitmap(np.packbits(passes, bitorder="little"))}  # type: ignore[arg-type, call-arg]

    def _compared(self, query: NDArray[np.float32], rows: NDArray[np.int64], k: int) -> Found:
        """Order candidates (R,) by their whole vectors, in double precision; equal ones stand as in the index."""
        rows = np.sort(rows)
        exact = (self.reconstruct_batch(rows) * query.astype(np.float64)).sum(axis=1)
        best = np.lexsort((rows, -exact))[:k]
        return exact[best].astype(np.float32), rows[best]


class HalfVectors(CodedVectors):
    """Vectors with a copy in half precision, which a single query reads in half the time."""

    def __init__(
        self, parts: Sequence[NDArray[np.float32] | StoredArray], codes: Callable[[], Any], error: float
    ) -> None:
        """Take what `CodedVectors` takes, and by how much a score in half precision may be wrong."""
        super().__init__(parts, codes)
        self.error = error

    def search(self, queries: NDArray[np.float32], k: int, allowed: NDArray[np.int64] | None = None) -> Found:
        """Find the `k` vectors most like each query; see `FlatVectors.search`."""
        sparse = allowed is not None and SPARSE * len(allowed) < len(self)
        if not 0 < len(queries) <= FEW or sparse or self.index is None:
            return super().search(queries, k, allowed)
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        chosen, most = self._selector(allowed), len(self) if allowed is None else len(allowed)
        found = [self._settled(query, k, most, chosen) for query in queries]
        if any(one is None for one in found):
            return super().search(queries, k, allowed)
        scores, rows = zip(*filter(None, found), strict=True)
        return np.array(scores), np.array(rows)

    def _settled(self, query: NDArray[np.float32], k: int, most: int, chosen: dict[str, Any]) -> Found | None:
        """Compare candidates until none that was not compared can be better; None when those are too many."""
        import faiss

        count = k + SPARE
        while count < min(most, WIDEST * k + SPARE):
            options = faiss.SearchParameters(**chosen)
            halves, rows = self.index.search(query[None], count, params=options)
            scores, best = self._compared(query, rows[0], k)
            if scores[-1] > halves[0, -1] + self.error:
                return scores, best
            count *= 2
        return None


class ClusteredVectors(CodedVectors):
    """Vectors in clusters, of which a query looks into the nearest; a few of the best may be overlooked."""

    def __init__(
        self, parts: Sequence[NDArray[np.float32] | StoredArray], codes: Callable[[], Any], looked_into: int
    ) -> None:
        """Take what `CodedVectors` takes, and how many clusters a query looks into."""
        super().__init__(parts, codes)
        self.looked_into = looked_into

    def search(self, queries: NDArray[np.float32], k: int, allowed: NDArray[np.int64] | None = None) -> Found:
        """Find `k` vectors most like each query (B, D), among the `allowed` rows.

        Where these are few, all of them are compared; else as many more clusters are looked into as fewer may be found.

        Returns:
            (B, k) scores, exact and falling, and rows.
        """
        import faiss

        if not len(queries) or (allowed is not None and len(allowed) <= ALL) or self.index is None:
            return super().search(queries, k, allowed)
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        rarer = 1.0 if allowed is None else ELSEWHERE * len(self) / len(allowed)
        wide = min(self.index.nlist, int(np.ceil(self.looked_into * rarer)))
        options = faiss.SearchParametersIVF(nprobe=wide, **self._selector(allowed))  # type: ignore[call-arg]
        found = []
        for query in queries:  # one by one: the answer then does not depend on the batch
            rows = self.index.search(query[None], min(CANDIDATES * k, len(self)), params=options)[1][0]
            rows = rows[rows >= 0]
            if len(rows) < k:
                scores, rows = super().search(query[None], k, allowed)
                found.append((scores[0], rows[0]))
            else:
                found.append(self._compared(query, rows, k))
        return np.array([scores for scores, _ in found]), np.array([rows for _, rows in found])
