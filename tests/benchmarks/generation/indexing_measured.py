"""Indexing of measured patterns whose crystals are known: how often the right lattice comes first, or within five.

python tests/benchmarks/generation/indexing_measured.py FOLDER [WAVELENGTH]: NAME.xy beside NAME.cif, Å. No volume is
told. One of every N from the K-th on: `FOLDER WAVELENGTH K N`.
"""

import sys
import time
from pathlib import Path

import numpy as np
import spglib

from generate.benchmark.indexing import SYSTEMS, same_lattice
from xtal.crystals import Crystal, niggli, primitive, read_cif
from xtal.errors import UserError
from xtal.patterns.sample import Sample
from xtal.physics.indexing import IndexedCell, index_pattern
from xtal.readers import read_pattern

CU_K_ALPHA_1 = 1.5406  # Å
SURE = 0.9
SYMMETRY = 0.1  # Å


def main(folder: Path, wavelength: float, part: int, parts: int) -> None:
    ranks, chances, groups, seconds = [], [], [], []
    for file in sorted(folder.glob("*.cif"))[part::parts]:
        crystal = niggli(primitive(read_cif(file.read_text())))
        sample = Sample.of(read_pattern(file.with_suffix(".xy"), wavelength))
        begun = time.process_time()
        cells = _cells(sample)
        seconds.append(time.process_time() - begun)
        ranks.append(next((n for n, cell in enumerate(cells) if same_lattice(cell.lattice, crystal.lattice)), 99))
        chances.append(cells[0].probability if cells else 0.0)
        groups.append(_group(crystal))
        volumes = f"{cells[0].volume / crystal.volume:.2f} of its volume" if cells else "no cell"
        print(f"{file.stem}: place {ranks[-1] + 1}, the first cell ({chances[-1]:.2f}) has {volumes}", flush=True)
    rank, chance, group = np.array(ranks), np.array(chances), np.array(groups)
    low = 1
    for name, high in (*SYSTEMS, ("all", 231)):
        _say(name, rank[(group >= (1 if name == "all" else low)) & (group < high)])
        low = high
    print(f"{SURE:g} or more: right {(rank[chance >= SURE] == 0).sum()} of {(chance >= SURE).sum()}")
    print(f"{np.median(seconds):.1f} s in the median, {max(seconds):.1f} s at most")


def _say(name: str, rank: np.ndarray) -> None:
    print(f"{name}: {(rank == 0).sum()} first and {(rank < 5).sum()} within five of {len(rank)}")


def _group(crystal: Crystal) -> int:
    found = spglib.get_symmetry_dataset((crystal.lattice, crystal.frac_coords, crystal.numbers), symprec=SYMMETRY)
    return 1 if found is None else int(found.number)


def _cells(sample: Sample) -> list[IndexedCell]:
    """Return the cells of a pattern; none of too few lines."""
    try:
        return index_pattern(sample)
    except UserError:
        return []


if __name__ == "__main__":
    _, where, *more = sys.argv
    given = [*more, *(str(CU_K_ALPHA_1), "0", "1")[len(more) :]]
    main(Path(where), float(given[0]), int(given[1]), int(given[2]))
