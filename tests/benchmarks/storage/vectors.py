"""Time the search among vectors: python tests/benchmarks/storage/vectors.py [VECTORS ...].

The vectors are those of coremof2019-asr, drawn again and again with a little noise where more are asked for.
"""

import sys
import time

NOISE, MOVED = 0.03, 0.02  # of each number of a vector that is drawn, and of a query
QUERIES = 256
STEP = 8192  # vectors multiplied at once
FOUND = (100, 300)


def least(work, times: int = 5) -> float:
    """Return the least processor's time, in ms, that something takes."""
    spent = []
    for _ in range(times):
        begun = time.process_time()
        work()
        spent.append(time.process_time() - begun)
    return 1e3 * min(spent)


def main(*sizes: int) -> None:
    """Print times of the search, of FAISS, of the matrix product and of reading the vectors once."""
    import faiss
    import numpy as np
    from threadpoolctl import threadpool_limits

    from indexer.storage import open_index
    from indexer.storage.vectors import FlatVectors

    threadpool_limits(1)
    faiss.omp_set_num_threads(1)
    rng, index = np.random.default_rng(0), open_index("coremof2019-asr")
    real = index.vectors.reconstruct_n(0, len(index))

    def near(count: int, noise: float):
        """Return vectors near those of entries."""
        made = real[rng.integers(0, len(real), count)]
        made += noise * rng.standard_normal(made.shape, dtype=np.float32)
        return made / np.linalg.norm(made, axis=1, keepdims=True)

    for count in sizes or (len(real), 200_000):
        matrix, queries = (real if count == len(real) else near(count, NOISE)), near(QUERIES, MOVED)
        ours, theirs = FlatVectors([matrix]), faiss.IndexFlatIP(matrix.shape[1])
        theirs.add(matrix)
        product = least(lambda m=matrix, q=queries: [q @ m[n : n + STEP].T for n in range(0, len(m), STEP)]) / QUERIES
        print(f"{count:,} vectors: reading {least(matrix.sum):.2f} ms, product {product:.3f} ms a query")
        for k in FOUND:
            for name, one in (("ours", ours), ("FAISS", theirs)):
                each = least(lambda one=one, q=queries, k=k: one.search(q, k), 3) / QUERIES
                alone = least(lambda one=one, q=queries, k=k: one.search(q[:1], k))
                print(f"  {k} found, {name}: one {alone:.2f} ms, batch {each:.3f} ms a query", flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
