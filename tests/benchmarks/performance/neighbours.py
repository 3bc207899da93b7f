"""The nearest vectors: what the search uses, beside numpy and plain FAISS."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from report import Sizes, milliseconds, of, table

from indexer.storage.contents import flat_index

if TYPE_CHECKING:
    from search.workers import Searcher

NEAREST = 300  # as the search asks for
NOISE = 0.05  # root mean square of what makes new vectors of real ones, per component times the root of their number
SEED = 1


def tables(searcher: "Searcher", sizes: Sizes) -> Iterator[str]:
    """Yield the section."""
    import faiss

    faiss.omp_set_num_threads(1)
    index = searcher.engine.index
    real = np.asarray(index.vectors.reconstruct_n(0, len(index)), dtype=np.float32)
    yield "## Nearest neighbours\n"
    yield (
        f"The {NEAREST} nearest of vectors of {real.shape[1]} numbers: the index's own, and made from them by a little "
        f"noise. A batch has {sizes.batch} queries. Least of three runs, ms per query; the product is the matrix "
        "product alone, which an exact search cannot do without.\n"
    )
    rows = [row for count in _sizes(sizes.most) for row in _measured(real, count, sizes.batch)]
    head = ["vectors", "queries", "product", "numpy, `argpartition`", "FAISS, `IndexFlatIP`", "ours", "ours / product"]
    yield table(head, rows)


def _sizes(most: int) -> Iterator[int]:
    count = 10_000
    while count <= most:
        yield count
        count *= 10


def _measured(real: NDArray[np.float32], count: int, batch: int) -> Iterator[list[str]]:
    """Time a batch and a single query; they must agree on the nearest."""
    import faiss

    rng = np.random.default_rng(SEED)
    vectors, queries = _noisy(real, count, rng), _noisy(real, batch, rng)
    plain = faiss.IndexFlatIP(vectors.shape[1])
    plain.add(vectors)
    ours = flat_index(vectors)
    for asked in (queries, queries[:1]):
        ways: list[Callable[[], object]] = [
            partial(np.matmul, asked, vectors.T),
            partial(_by_numpy, vectors, asked),
            partial(plain.search, asked, NEAREST),
            partial(ours.search, asked, NEAREST),
        ]
        ids = [np.sort(found) for found in (_by_numpy(vectors, asked), plain.search(asked, NEAREST)[1])]
        own = np.sort(np.asarray(ours.search(asked, NEAREST)[1]))
        if min(np.mean(own == others) for others in ids) < 0.999:  # equal scores may part at the end
            raise RuntimeError(f"the searches of {count} vectors do not agree")
        times = np.array([milliseconds(way) / len(asked) for way in ways])
        yield [f"{count:,}", str(len(asked)), *(of(t) for t in times), f"{times[3] / times[0]:.2g}"]


def _by_numpy(vectors: NDArray[np.float32], queries: NDArray[np.float32]) -> NDArray[np.int64]:
    """Return the rows (B, K) of the nearest, in order, some queries at a time."""
    found = []
    for query in np.array_split(queries, max(1, len(queries) // 10)):
        similarity = query @ vectors.T
        nearest = np.argpartition(-similarity, NEAREST - 1, axis=1)[:, :NEAREST]
        order = np.argsort(-np.take_along_axis(similarity, nearest, 1), axis=1)
        found.append(np.take_along_axis(nearest, order, 1))
    return np.concatenate(found)


def _noisy(real: NDArray[np.float32], count: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return (count, D) unit vectors near real ones."""
    vectors = real[rng.integers(0, len(real), count)]
    for part in np.array_split(np.arange(count), max(1, count // 100_000)):
        noise = rng.standard_normal((len(part), real.shape[1]), dtype=np.float32)
        vectors[part] += noise * np.float32(NOISE / np.sqrt(real.shape[1]))
        vectors[part] /= np.linalg.norm(vectors[part], axis=1, keepdims=True)
    return vectors
