"""Measure the search of large indexes: python tests/benchmarks/storage/tiers.py FOLDER VECTORS [TIER].

The vectors are those of coremof2019-asr and others on the sphere about them: each starts from an entry drawn at random
and lies in a random direction from it, as far as a random entry is from the nearest one of another structure. The
queries are fingerprints of simulated patterns (severity 1) of held-out entries. Vectors (1 GB for a million) and codes
stay under FOLDER. Each step runs in a process of its own, so that its memory is known.
"""

import json
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path

INDEX, ELEMENT = "coremof2019-asr", 30  # vectors are filtered by the element of the entry that they were made of
QUERIES, SEVERITY, SEED = 200, 1.0, 1
PIECE = 50_000  # vectors drawn at once
NEAREST, ASKED = 60, 2000  # entries looked at for one of another structure, and how many are asked
FOUND = (100, 300)  # the most are asked for, as the search does
ALONE, SMALL = 50, 2_000_000  # queries asked one by one; of more vectors, exactly only a few
RARE = 100  # one vector of so many passes the second filter
STEPS = ("make", "build", "search", "exact")


def spent(work):
    """Return what something gives, with the processor's and the clock's seconds."""
    begun, clock = time.process_time(), time.perf_counter()
    result = work()
    return result, time.process_time() - begun, time.perf_counter() - clock


def watched(most: dict[str, int]) -> None:
    """Note the most memory of this process in MB: its own, and with the pages of files that it has looked into."""
    while True:
        lines = Path("/proc/self/status").read_text().splitlines()
        now = {k: int(v.split()[0]) // 1000 for k, v in (line.split(":") for line in lines if line.startswith("Rss"))}
        for name, value in (("own", now["RssAnon"]), ("with files", now["RssAnon"] + now["RssFile"])):
            most[name] = max(most.get(name, 0), value)
        time.sleep(0.05)


def stored(path: Path, count: int, dimension: int):
    """Return vectors where they lie, each block to be checked when it is read."""
    from indexer.storage.mapped import Place, StoredArray
    from indexer.storage.vectors import FlatVectors

    return FlatVectors([StoredArray(checked(path), Place(path.name, 0, "<f4", (count, dimension)))])


def checked(path: Path):
    """Return the blocks of a file; their sums are kept beside it."""
    import numpy as np

    from indexer.storage.mapped import BLOCK, Blocks, State, block_sum

    sums = path.with_suffix(".sums.npy")
    if not sums.exists():
        with path.open("rb") as file:
            np.save(sums, np.array([block_sum(block) for block in iter(partial(file.read, BLOCK), b"")], np.uint32))
    return Blocks(path, State.of(path.stat()), np.load(sums), ValueError)


def make(folder: Path, count: int) -> str:
    """Write vectors, the entries that they were made of, and queries."""
    import numpy as np

    from search.benchmark.gallery import held_out
    from search.engine import Engine
    from xtal.patterns.sample import Sample
    from xtal.physics.simulate import simulate_all

    engine, rng = Engine.open(INDEX), np.random.default_rng(SEED)
    index, group = engine.index, engine.index.entries.group
    real = index.vectors.reconstruct_n(0, len(index))
    rows = rng.permutation(held_out(index))[:QUERIES]
    patterns = simulate_all([index.crystal(int(row)) for row in rows], SEVERITY, SEED)
    np.save(folder / "queries.npy", engine.embedder.embed_patterns([Sample.of(one).lines for one in patterns]))
    some = rng.integers(0, len(real), ASKED)
    near = zip(some, *index.vectors.search(real[some], NEAREST), strict=True)
    others = (scores[group[found] != group[row]] for row, scores, found in near)
    cosines = np.concatenate([one[:1] for one in others])
    base = np.concatenate([np.arange(len(real)), rng.integers(0, len(real), max(0, count - len(real)))])[:count]
    np.save(folder / "zinc.npy", np.flatnonzero(index.entries.elements[base, ELEMENT]))
    with (folder / "vectors.f32").open("wb") as file:
        for first in range(0, count, PIECE):
            about = real[base[first : first + PIECE]]
            cosine = rng.choice(cosines, len(about)).astype(np.float32)
            cosine[: max(0, min(len(about), len(real) - first))] = 1
            away = rng.standard_normal(about.shape, dtype=np.float32)
            away -= (away * about).sum(axis=1, keepdims=True) * about
            away *= np.sqrt(1 - cosine**2)[:, None] / np.linalg.norm(away, axis=1, keepdims=True)
            file.write((cosine[:, None] * about + away).astype(np.float32).tobytes())
    stored(folder / "vectors.f32", count, real.shape[1])
    said = np.percentile(cosines, [5, 25, 50, 75, 95]).round(2).tolist()
    return f"cosines to the nearest of another structure (5, 25, 50, 75, 95 %): {said}"


def opened(folder: Path, count: int):
    """Return queries and vectors."""
    import numpy as np

    queries = np.load(folder / "queries.npy")
    return queries, stored(folder / "vectors.f32", count, queries.shape[1])


def build(folder: Path, count: int, tier: str | None) -> str:
    """Write the codes."""
    from indexer.storage.vectors import CODES, write_codes

    note = write_codes(folder / CODES, opened(folder, count)[1], tier)
    checked(folder / CODES)
    (folder / "note.json").write_text(json.dumps(asdict(note)))
    return f"{note}; {(folder / CODES).stat().st_size / 1e9:.2f} GB"


def told(line: str) -> None:
    """Print a result."""
    print(f"  {line}", flush=True)


def asked(name: str, vectors, queries, folder: Path, passing) -> None:
    """Time searches with all filters, keep what was found, and compare the exact answers with those of codes."""
    import numpy as np

    from indexer.storage.vectors.codes import recall

    few = queries[: ALONE if name == "search" or len(vectors) <= SMALL else 5]
    for word, allowed in passing.items():
        alone = [spent(partial(vectors.search, query[None], FOUND[-1], allowed))[1:] for query in few]
        (_, rows), work, _ = spent(partial(vectors.search, queries, FOUND[-1], allowed))
        np.save(folder / f"{name}-{word}.npy", rows)
        cpu, clock = 1000 * np.median(alone, axis=0)
        each = f"one query {cpu:.1f} ms ({clock:.1f} by the clock), in a batch {1000 * work / len(queries):.1f}"
        if name == "exact":
            found = np.load(folder / f"search-{word}.npy")
            each += "".join(f", recall@{k} of the codes {recall(found[:, :k], rows[:, :k]):.4f}" for k in FOUND)
        told(f"{word}: {each}")


def search(folder: Path, count: int, name: str) -> str:
    """Time searches by codes, or the exact ones, and compare the two."""
    import numpy as np

    from indexer.storage.vectors import CODES, SearchNote, open_codes

    queries, vectors = opened(folder, count)
    zinc = np.load(folder / "zinc.npy")
    share = f"{len(zinc) / count:.0%} pass"
    passing = {"all": None, share: zinc, f"1 of {RARE} passes": np.arange(0, count, RARE)}
    if name == "search":
        path, note = folder / CODES, SearchNote(**json.loads((folder / "note.json").read_text()))
        vectors = open_codes(path, note, vectors, checked(path), ValueError)
    _, work, clock = spent(lambda: vectors.search(queries[:1], FOUND[-1]))
    told(f"the first query {work:.2f} s ({clock:.2f} by the clock)")
    asked(name, vectors, queries, folder, passing)
    return f"{len(queries)} queries, {FOUND[-1]} found of each"


def main(folder: str, vectors: str, tier: str = "", step: str = "") -> None:
    """Run all steps, or one."""
    if not step:
        for one in STEPS:
            subprocess.run([sys.executable, __file__, folder, vectors, tier, one], check=True)
        return
    import faiss
    from threadpoolctl import threadpool_limits

    threadpool_limits(1)
    faiss.omp_set_num_threads(1)
    most: dict[str, int] = {}
    threading.Thread(target=watched, args=(most,), daemon=True).start()
    place, count = Path(folder), int(vectors)
    place.mkdir(parents=True, exist_ok=True)
    steps = {"make": lambda: make(place, count), "build": lambda: build(place, count, tier or None)}
    said, work, clock = spent(steps.get(step, lambda: search(place, count, step)))
    memory = ", ".join(f"{value:,} MB {name}" for name, value in most.items())
    print(f"{step} {count:,}: {work:.0f} s of the processor, {clock:.0f} by the clock, {memory}\n  {said}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
