"""How often known frameworks, with linkers exchanged and dressed by the pattern, are those asked for.

    python tests/benchmarks/generation/dressed.py FOLDER INDEX [--queries 14] [--atoms 1 100] [--table FILE --count N]
        [--plain]

FOLDER holds CIFs of crystals in no database; one clean pattern of each of some of them, of so many atoms, is asked for,
its formula known. Known are the entries of INDEX and N crystals of a table's training split, without any of the formula
asked for. `--plain` leaves the pattern out of it: groups are where they fall, and no molecule bends.
"""

import time
from argparse import ArgumentParser, Namespace
from itertools import islice
from pathlib import Path

import numpy as np

import models
from generate.benchmark.matching import STRICT, match
from generate.known import Builder, Gallery
from generate.known.starts import ALIKE, HOSTS
from generate.parts import Library
from generate.solving import indexed
from generate.solving.flexible import relaxed
from indexer.storage import open_index
from models.cpcp.training.dataset import split_of
from xtal import settings
from xtal.crystals import Crystal, CrystalTable, primitive, read_cif
from xtal.patterns.sample import Sample
from xtal.physics.simulate import simulate_all

CANDIDATES, CLOSE = 20, 0.2
SECONDS = 30  # of a search, of which a quarter is for indexing


def main(asked_for: Namespace) -> None:
    """Print one line for each crystal, and the shares."""
    embedder, library = models.load(), Library.load()
    gallery = Gallery.of_index(open_index(asked_for.index, settings.home(), embedder=embedder))
    if asked_for.table:
        crystals = _training(asked_for.table, asked_for.count)
        gallery = Gallery.joined([gallery, Gallery.of_crystals(crystals, embedder)])
    every = [primitive(read_cif(path.read_bytes(), path.stem)) for path in sorted(asked_for.folder.glob("*.cif"))]
    least, most = asked_for.atoms
    usable = [crystal for crystal in every if least <= len(crystal) <= most]
    asked = [usable[row] for row in np.random.default_rng(0).permutation(len(usable))[: asked_for.queries]]
    errors, seconds = [], []
    for truth, pattern in zip(asked, simulate_all(asked, 0.0, 0), strict=True):
        start, numbers = time.process_time(), np.sort(truth.numbers).astype(np.int64)
        sample, known = Sample.of(pattern), gallery.without(truth.reduced_formula)
        vector = embedder.embed_patterns([sample.lines])[0]
        near, alike = known.nearest(vector, HOSTS), known.alike(numbers, ALIKE)
        builder = Builder(embedder, sample, vector, near, alike)
        if not asked_for.plain:
            cells = indexed(sample, numbers, SECONDS)
            builder = Builder(embedder, sample, vector, near, alike, (), library.without(numbers), cells)
        made = builder.build(numbers, CANDIDATES)
        if not asked_for.plain:
            made = relaxed(sample, made, library.chemistry)
        found = [match((start.crystal, truth), (STRICT,), 20)[0].rmse for start in made]
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
    parser = ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("index")
    parser.add_argument("--queries", type=int, default=14)
    parser.add_argument("--atoms", type=int, nargs=2, default=(1, 100))
    parser.add_argument("--table", type=Path)
    parser.add_argument("--count", type=int, default=8000)
    parser.add_argument("--plain", action="store_true")
    main(parser.parse_args())
