"""Exact search among unit vectors by inner product, in memory or on disk.

Products are taken block by block and only the best so far are kept, so that memory does not grow with the number of
vectors. Scores that differ by no more than single precision does are compared in double precision: the answer is the
same whatever the sizes of blocks and batches; equal ones stand in the order of the index.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.storage.mapped import StoredArray

ROWS = 2048  # of a block: 2 MB of vectors, so that a block read from disk is still in the cache when it is multiplied
QUERIES = 128  # multiplied with a block at once
SCORES = 1 << 20  # kept at once: 4 MB
IN_MEMORY = 1 << 28  # bytes: vectors on disk that take no more are read once, as whole
ALIKE = 5e-7  # scores that differ by less may be equal but for rounding
SPARE = 32  # more than asked for are kept until those alike are in order


class FlatVectors:
    """S vectors in one or several arrays of D columns, one below the other; safe to use from several threads."""

    def __init__(self, parts: Sequence[NDArray[np.float32] | StoredArray]) -> None:
        self._parts = list(parts)
        self._starts = np.cumsum([0, *map(len, parts)])
        self.ntotal, self.d = int(self._starts[-1]), int(parts[0].shape[1])

    def __len__(self) -> int:
        """Return the number of vectors."""
        return self.ntotal

    @property
    def parts(self) -> Sequence[NDArray[np.float32] | StoredArray]:
        """The arrays that hold the vectors."""
        return tuple(self._parts)

    def search(
        self, queries: NDArray[np.float32], k: int, allowed: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Find the `k` vectors most like each query.

        Args:
            queries: (B, D).
            k: no more than there are, or are allowed.
            allowed: (A,) ascending rows that may be found; None for all.

        Returns:
            (B, k) scores, falling, and rows.
        """
        queries = np.ascontiguousarray(queries, dtype=np.float32)
        found = [self._search(queries[n : n + QUERIES], k, allowed) for n in range(0, len(queries), QUERIES)]
        scores, rows = zip(*found, strict=True) if found else ([np.empty((0, k), np.float32)], [np.empty((0, k), int)])
        return np.concatenate(scores), np.concatenate(rows)

    def reconstruct(self, row: int) -> NDArray[np.float32]:
        """Return the vector (D,) of a row."""
        return self.reconstruct_batch(np.array([row]))[0]

    def reconstruct_n(self, first: int, count: int) -> NDArray[np.float32]:
        """Return (count, D) vectors from row `first` on."""
        return self.reconstruct_batch(np.arange(first, first + count))

    def reconstruct_batch(self, rows: NDArray[np.integer]) -> NDArray[np.float32]:
        """Return (R, D) vectors of the chosen rows."""
        rows = np.asarray(rows)
        owner = np.searchsorted(self._starts, rows, "right") - 1
        result = np.empty((len(rows), self.d), np.float32)
        for number in np.unique(owner).tolist():
            mine = owner == number
            part, local = self._parts[number], rows[mine] - self._starts[number]
            result[mine] = part.take(local) if isinstance(part, StoredArray) else part[local]
        return result

    def _search(
        self, queries: NDArray[np.float32], k: int, allowed: NDArray[np.int64] | None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        most = min(k + SPARE, self.ntotal if allowed is None else len(allowed))
        best = _Best.none(len(queries), most)
        for rows, scores in self._products(queries, allowed):
            best = best.with_more(scores, rows)
        return self._ordered(queries, best, k)

    def _products(
        self, queries: NDArray[np.float32], allowed: NDArray[np.int64] | None
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Yield rows (R,) and the products (B, R) with them, in order; what is yielded is overwritten by the next."""
        most = max(ROWS, SCORES // len(queries))
        scores, filled = np.empty((len(queries), min(most, self.ntotal)), np.float32), 0
        found: list[NDArray[np.int64]] = []
        for rows, block in self._blocks(allowed, most):
            if filled + len(rows) > most:
                yield np.concatenate(found), scores[:, :filled]
                found, filled = [], 0
            np.matmul(queries, block.T, out=scores[:, filled : filled + len(rows)])
            found.append(rows)
            filled += len(rows)
        if found:
            yield np.concatenate(found), scores[:, :filled]

    def _blocks(
        self, allowed: NDArray[np.int64] | None, most: int
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
        """Yield up to `most` rows (R,) and their vectors (R, D), in order; the vectors are overwritten by the next."""
        room = np.empty((ROWS, self.d), np.float32)
        for number, start in enumerate(self._starts[:-1].tolist()):
            part = self._loaded(number)
            step = most if isinstance(part, np.ndarray) else ROWS
            for first in range(0, len(part), step):
                size = min(step, len(part) - first)
                if allowed is None:
                    rows = np.arange(start + first, start + first + size)
                else:
                    low, high = np.searchsorted(allowed, (start + first, start + first + size))
                    rows = allowed[low:high]
                if not len(rows):
                    continue
                if isinstance(part, np.ndarray):
                    block = part[first : first + size] if len(rows) == size else part[rows - start]
                elif len(rows) == size:
                    part.into(block := room[:size], first)
                else:
                    block = part.take(rows - start)
                yield rows, block

    def _loaded(self, number: int) -> NDArray[np.float32] | StoredArray:
        """Return one of the arrays, in memory if it is small."""
        part = self._parts[number]
        if isinstance(part, StoredArray) and part.nbytes <= IN_MEMORY:
            part = self._parts[number] = part.whole()
        return part

    def _ordered(
        self, queries: NDArray[np.float32], best: "_Best", k: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return the first `k` of what was found; those alike are compared in double precision."""
        order = np.argsort(best.scores, axis=1)[:, ::-1]
        scores, rows = np.take_along_axis(best.scores, order, 1), np.take_along_axis(best.rows, order, 1)
        near = scores[:, :-1] - scores[:, 1:] <= ALIKE
        if not near.any():
            return scores[:, :k], rows[:, :k]
        none = np.zeros((len(near), 1), dtype=bool)
        query, place = np.nonzero(np.hstack([near, none]) | np.hstack([none, near]))
        exact = scores.astype(np.float64)
        pairs = self.reconstruct_batch(rows[query, place]).astype(np.float64) * queries[query].astype(np.float64)
        exact[query, place] = pairs.sum(axis=1)
        for one in np.unique(query).tolist():
            order = np.lexsort((rows[one], -exact[one]))
            scores[one], rows[one] = exact[one, order], rows[one, order]
        return scores[:, :k], rows[:, :k]


@dataclass(frozen=True, eq=False)
class _Best:
    """The best `scores` (B, M) so far, and the `rows` (B, M) that they belong to."""

    scores: NDArray[np.float32]
    rows: NDArray[np.int64]
    most: int

    @classmethod
    def none(cls, queries: int, most: int) -> "_Best":
        """Nothing yet; `most` are kept."""
        return cls(np.empty((queries, 0), np.float32), np.empty((queries, 0), np.int64), most)

    def with_more(self, scores: NDArray[np.float32], rows: NDArray[np.int64]) -> "_Best":
        """Return the best of these and of (B, R) more, of rows (R,)."""
        if not self.scores.size and scores.shape[1] > self.most:
            chosen = np.argpartition(scores, -self.most, axis=1)[:, -self.most :]
            return _Best(np.take_along_axis(scores, chosen, 1), rows[chosen], self.most)
        if self.scores.shape[1] < self.most:
            every = np.concatenate([self.scores, scores], axis=1)
            return self._kept(every, np.concatenate([self.rows, np.broadcast_to(rows, scores.shape)], axis=1))
        better = scores > self.scores.min(axis=1, keepdims=True)
        at = np.flatnonzero(better)
        if not len(at):
            return self
        query, place = np.divmod(at, scores.shape[1])
        counts = np.bincount(query, minlength=len(scores))
        slot = np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)
        more = np.full((len(scores), counts.max()), -np.inf, np.float32)
        which = np.zeros(more.shape, np.int64)
        more[query, slot], which[query, slot] = scores[query, place], rows[place]
        return self._kept(np.concatenate([self.scores, more], axis=1), np.concatenate([self.rows, which], axis=1))

    def _kept(self, scores: NDArray[np.float32], rows: NDArray[np.int64]) -> "_Best":
        if scores.shape[1] <= self.most:
            return _Best(scores, rows, self.most)
        chosen = np.argpartition(scores, -self.most, axis=1)[:, -self.most :]
        return _Best(np.take_along_axis(scores, chosen, 1), np.take_along_axis(rows, chosen, 1), self.most)
