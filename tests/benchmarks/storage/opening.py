"""Time the opening of indexes of any size: python tests/benchmarks/storage/opening.py FOLDER [ENTRIES ...].

Each is made of the entries of coremof2019-asr with at most `LINES` lines and `ATOMS` atoms, drawn again and again with
a little noise on their vectors, in a home of its own under FOLDER (1.7 GB for a million), which is left there.
"""

import subprocess
import sys
import time
from pathlib import Path

LINES, ATOMS = 64, 24  # of an entry that is drawn: its size is no matter for the opening
NOISE = 0.03
PIECE = 20000  # entries drawn at once
TIMED = """
import sys, time
from pathlib import Path
import numpy as np
from indexer.storage import open_index
name, home = sys.argv[1], Path(sys.argv[2])
def timed(work):
    begun = time.process_time()
    found = work()
    return time.process_time() - begun, found
opening, index = timed(lambda: open_index(name, home))
again, _ = timed(lambda: open_index(name, home))
rows = np.random.default_rng(0).integers(0, len(index), 100)
lines, _ = timed(lambda: index.lines.take(rows))
query = index.vectors.reconstruct_batch(rows[:1])
first, _ = timed(lambda: index.vectors.search(query, 300))
warm, _ = timed(lambda: index.vectors.search(query, 300))
of_id, _ = timed(lambda: index.row_of(str(index.entries.ids[rows[0]])))
print(f"{len(index):,} entries: opened in {opening:.4f} s CPU, again in {again:.4f}; 100 entries' lines {lines:.4f}, "
      f"first search {first:.3f}, next {warm:.3f}, an id {of_id:.4f}")
"""


def drawn(home: Path, entries: int) -> str:
    """Publish an index of so many entries, unless it is there; return its name."""
    import numpy as np

    from indexer.storage import EntryTable, open_index
    from indexer.storage.contents import Contents, flat_index
    from indexer.storage.folders import built_names
    from indexer.storage.manifest import Counts, Manifest
    from indexer.storage.publish import publish
    from indexer.storage.store import building
    from models.cpcp.features import strongest

    name = f"drawn-{entries}"
    if name in built_names(home):
        return name
    real = open_index("coremof2019-asr")
    small = np.flatnonzero(real.entries.n_atoms <= ATOMS)
    rng = np.random.default_rng(0)
    rows = rng.permutation(np.resize(small, entries))
    lines = strongest(real.lines.take(small), LINES).take(np.searchsorted(small, rows))
    vectors = real.vectors.reconstruct_batch(rows)
    for first in range(0, entries, PIECE):
        some = vectors[first : first + PIECE]
        some += rng.normal(0, NOISE, some.shape).astype(np.float32)
        some /= np.linalg.norm(some, axis=1, keepdims=True)
    table = real.entries.take(rows)
    ids = np.array([f"{id_}-{n}" for n, id_ in enumerate(table.ids)], dtype=object)
    columns = {**{k: v for k, v in vars(table).items() if k != "rows"}, "ids": ids}
    contents = Contents(EntryTable(**columns), real.contents.crystals.take(rows), lines, flat_index(vectors))
    draft = Manifest(name, "", "", "drawn", "d" * 64, vectors.shape[1], (), None, Counts(), "", ())
    with building(name, home):
        publish(draft, contents, [], home)
    return name


def main(folder: str, *sizes: int) -> None:
    """Publish the indexes and open each in a process of its own."""
    home = Path(folder)
    for entries in sizes or (12_020, 100_000, 1_000_000):
        begun = time.process_time()
        name = drawn(home, entries)
        made = time.process_time() - begun
        seal = next((home / "indexes" / name).glob("*/seal"))
        seal.unlink()
        for what in ("not sealed yet", "sealed"):
            done = subprocess.run(
                [sys.executable, "-c", TIMED, name, str(home)], capture_output=True, text=True, check=True
            )
            print(f"{what}: {done.stdout.strip()}", flush=True)
        print(f"made in {made:.1f} s CPU; {sum(p.stat().st_size for p in seal.parent.iterdir()) / 1e9:.2f} GB")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
