"""How often known frameworks, with linkers exchanged and dressed by the pattern, are those asked for.

    python tests/benchmarks/dressed.py FOLDER INDEX [TABLE.npz COUNT] [--plain]

FOLDER holds CIFs of crystals in no database; one clean pattern of each of 14 of them, of at most 100 atoms, is asked
for, its formula known. Known are the entries of INDEX and COUNT crystals of a table's training split, without any of
the formula asked for. `--plain` leaves the pattern out of it: groups are where they fall.
"""

import sys
import time
from itertools import islice
from pathlib import Path

import numpy as np

import models
from generate.benchmark.matching import STRICT, match
from generate.known import Builder, Gallery
from generate.known.starts import ALIKE, HOSTS
from generate.parts import Library
from generate.solving import indexed
from indexer.storage import open_index
from models.cpcp.training.dataset import split_of
from xtal import settings
from xtal.crystals import Crystal, CrystalTable, primitive, read_cif
from xtal.patterns.sample import Sample
from xtal.physics.simulate import simulate_all

QUERIES, LARGEST, CANDIDATES, CLOSE = 14, 100, 20, 0.2
SECONDS = 30  # of a search, of which a quarter is for indexing


def main(folder: Path, index: str, table: str | None, count: int, plain: bool) -> None:
    """Print one line for each crystal, and the shares."""
    embedder, library = models.load(), Library.load()
    gallery = Gallery.of_index(open_index(index, settings.home(), embedder=embedder))
    if table:
        gallery = Gallery.joined([gallery, Gallery.of_crystals(_training(Path(table), count), embedder)])
    every = [primitive(read_cif(path.read_bytes(), path.stem)) for path in sorted(folder.glob("*.cif"))]
    small = [crystal for crystal in every if len(crystal) <= LARGEST]
    asked = [small[row] for row in np.random.default_rng(0).permutation(len(small))[:QUERIES]]
    errors, seconds = [], []
    for truth, pattern in zip(asked, simulate_all(asked, 0.0, 0), strict=True):
        start, numbers = time.process_time(), np.sort(truth.numbers).astype(np.int64)
        sample, known = Sample.of(pattern), gallery.without(truth.reduced_formula)
        vector = embedder.embed_patterns([sample.lines])[0]
        near, alike = known.nearest(vector, HOSTS), known.alike(numbers, ALIKE)
        builder = Builder(embedder, sample, vector, near, alike)
        if not plain:
            cells = indexed(sample, numbers, SECONDS)
            builder = Builder(embedder, sample, vector, near, alike, (), library.without(numbers), cells)
        found = [match((s.crystal, truth), (STRICT,), 20)[0].rmse for s in builder.build(numbers, CANDIDATES)]
        seconds.append(time.process_time() - start)
        errors.append(np.array([9.0 if error is None else error for error in found] + [9.0]))
        print(truth.name, truth.formula, np.round(errors[-1][:10], 2), f"{seconds[-1]:.0f} s", flush=True)
    for most in (1, 5, 10, CANDIDATES):
        best = np.array([error[:most].min() for error in errors])
        print(f"within {most}: strict {np.mean(best < 9):.0%}, rmse below {CLOSE} {np.mean(best < CLOSE):.0%}")
    print(f"n = {len(asked)}, {len(gallery.ids)} known, {np.median(seconds):.0f} s in the median")


def _training(path: Path, count: int) -> list[Crystal]:
    """Return random crystals of the training split of a table."""
    table = CrystalTable.load(path)
    rows = np.random.default_rng(0).permutation(len(table)).tolist()
    training = (crystal for row in rows if split_of((crystal := table[row]).reduced_formula) == "train")
    return list(islice(training, count))


if __name__ == "__main__":
    folder, index, *more = (argument for argument in sys.argv[1:] if argument != "--plain")
    table, count = more or (None, 0)
    main(Path(folder), index, table, int(count), "--plain" in sys.argv)
