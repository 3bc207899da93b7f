"""The codes of a large index: which kind suits it, how they are made, written and opened.

Up to 200,000 vectors, a query is compared with all of them in some milliseconds. Up to a million, a copy in half
precision is read in half the time, and what may be nearest is compared as whole. Above, vectors are sorted into
clusters (FAISS, inverted lists with 8 bits a number): how many of these a query must look into is measured when they
are made, on vectors moved as far from where they are as a pattern's is from its structure's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from indexer.storage.files import replacing
from indexer.storage.mapped import Blocks
from indexer.storage.vectors.coded import CANDIDATES, ClusteredVectors, HalfVectors
from indexer.storage.vectors.flat import FlatVectors
from xtal.errors import UserError

CODES = "codes.faiss"
HALF_FROM, CLUSTERS_FROM = 200_000, 1_000_000  # vectors above which they pay
TRAINED, ROUNDS = 40, 8  # vectors for each cluster that these are found with, and rounds of it
PIECE = 50_000  # vectors coded at once
ASKED, FOUND = 300, 0.99  # of so many nearest, the share that the measured queries must find
QUERIES, MOVED = 64, 0.05  # vectors asked for, and how far each of their numbers is moved: to a cosine of some 0.8
SHARES = 2.0 ** np.arange(-8, 0.5, 0.5)  # of the clusters, tried in this order
ROUNDING = 1e-5  # of a score in single precision, more than enough
SAMPLE, ALIKE = 8, 0.98  # vectors that must be found by their own codes, and the cosine that does for it


class Tier(StrEnum):
    """How the vectors of an index are searched."""

    exact = "exact"
    half = "half"
    clusters = "clusters"

    @classmethod
    def suited(cls, count: int) -> Self:
        """Return what suits so many vectors."""
        return cls("clusters" if count > CLUSTERS_FROM else "half" if count > HALF_FROM else "exact")


@dataclass(frozen=True)
class SearchNote:
    """How an index is searched, in its manifest.

    Attributes:
        tier: see `Tier`.
        vectors: SHA-256 of the file of vectors that the codes were made of.
        clusters: number of clusters.
        looked_into: how many of them a query looks into.
        error: by which a score in half precision may be wrong.
    """

    tier: str = Tier.exact.value
    vectors: str = ""
    clusters: int = 0
    looked_into: int = 0
    error: float = 0.0

    def __str__(self) -> str:
        """Say it in words."""
        if self.tier == Tier.clusters:
            return f"clusters, {self.looked_into} of {self.clusters} looked into, candidates compared as whole vectors"
        if self.tier == Tier.half:
            return "half precision for single queries, candidates compared as whole vectors: exact"
        return "exact, every vector is compared"


def write_codes(path: Path, vectors: FlatVectors, tier: str | None = None) -> SearchNote:
    """Write the codes of vectors, whole or not at all, of the tier that suits their number unless one is given."""
    tier = Tier(tier or Tier.suited(len(vectors)))
    if tier == Tier.exact:
        return SearchNote()
    index, note = _halves(vectors) if tier == Tier.half else _clusters(vectors)
    _write(path, index)
    return note


def open_codes(
    path: Path, note: SearchNote, vectors: FlatVectors, blocks: Blocks, refused: Callable[[str], UserError]
) -> FlatVectors:
    """Return the vectors with their codes, which are checked and mapped when they are first needed."""

    def opened() -> Any:
        """Open the codes; None where a newer build has taken their place: FAISS opens files by their names."""
        import faiss

        if not path.exists():
            return None
        blocks.check(np.array([0]), np.array([len(blocks.data)]))
        index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP_IFC)
        if not belong(index, vectors):
            raise refused(f"{path} does not belong to the vectors beside it")
        return index

    if note.tier == Tier.half:
        return HalfVectors(vectors.parts, opened, note.error)
    return ClusteredVectors(vectors.parts, opened, note.looked_into)


def belong(index: Any, vectors: FlatVectors) -> bool:
    """Tell whether a FAISS index holds codes of these vectors: some of them are found by their own."""
    if (index.ntotal, index.d) != (len(vectors), vectors.d):
        return False
    asked = vectors.reconstruct_batch(np.linspace(0, len(vectors) - 1, SAMPLE).astype(np.int64))
    rows = index.search(asked, 1)[1][:, 0]
    return bool((rows >= 0).all() and ((vectors.reconstruct_batch(rows) * asked).sum(axis=1) > ALIKE).all())


def recall(found: NDArray[np.int64], right: NDArray[np.int64]) -> float:
    """Return which share of the right rows (B, K) is among those found (B, K)."""
    return float(np.mean([np.isin(a, b).mean() for a, b in zip(right, found, strict=True)]))


def _halves(vectors: FlatVectors) -> tuple[Any, SearchNote]:
    import faiss

    kind = faiss.ScalarQuantizer.QT_fp16
    index, error = faiss.IndexScalarQuantizer(vectors.d, kind, faiss.METRIC_INNER_PRODUCT), 0.0
    for first in range(0, len(vectors), PIECE):
        piece = vectors.reconstruct_n(first, min(PIECE, len(vectors) - first))
        index.train(piece)
        index.add(piece)
        error = max(error, float(np.linalg.norm(piece - piece.astype(np.float16), axis=1).max()))
    return index, SearchNote(Tier.half.value, error=error + ROUNDING)


def _clusters(vectors: FlatVectors) -> tuple[Any, SearchNote]:
    """Sort vectors into clusters; a quarter of a minute of one core for a million, and some six minutes for ten."""
    import faiss

    count, rng = max(1, round(2 * len(vectors) ** 0.5)), np.random.default_rng(0)
    kind = faiss.ScalarQuantizer.QT_8bit
    nearest = faiss.IndexFlatIP(vectors.d)
    index = faiss.IndexIVFScalarQuantizer(nearest, vectors.d, count, kind, faiss.METRIC_INNER_PRODUCT)
    index.cp.niter, index.cp.max_points_per_centroid = ROUNDS, TRAINED
    some = rng.choice(len(vectors), min(len(vectors), TRAINED * count), replace=False)
    index.train(vectors.reconstruct_batch(np.sort(some)))
    for first in range(0, len(vectors), PIECE):
        index.add(vectors.reconstruct_n(first, min(PIECE, len(vectors) - first)))
    asked = vectors.reconstruct_batch(np.sort(rng.choice(len(vectors), min(QUERIES, len(vectors)), replace=False)))
    asked = asked + rng.normal(0, MOVED, asked.shape).astype(np.float32)
    enough = _enough(vectors, index, asked / np.linalg.norm(asked, axis=1, keepdims=True))
    return index, SearchNote(Tier.clusters.value, clusters=count, looked_into=enough)


def _enough(vectors: FlatVectors, index: Any, queries: NDArray[np.float32]) -> int:
    """Return how many clusters queries (B, D) must look into to find what an exact search finds."""
    k = min(ASKED, len(vectors))
    least = min(index.nlist, -(-CANDIDATES * k * index.nlist // len(vectors)))  # that hold enough candidates
    right = vectors.search(queries, k)[1]
    for share in SHARES:
        looked_into = max(least, round(share * index.nlist))
        found = ClusteredVectors(vectors.parts, lambda: index, looked_into).search(queries, k)[1]
        if recall(found, right) >= FOUND:
            break
    return looked_into


def _write(path: Path, index: Any) -> None:
    import faiss

    with replacing(path) as file:  # Python writes: what FAISS writes to a full disk ends early without a word
        faiss.write_index(index, faiss.PyCallbackIOWriter(file.write))  # type: ignore[attr-defined]
