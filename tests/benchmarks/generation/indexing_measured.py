"""Indexing of measured patterns whose crystals are known: how often the right lattice comes first, or within five.

python tests/benchmarks/generation/indexing_measured.py FOLDER [WAVELENGTH]: NAME.xy beside NAME.cif, Å. The volume is
told only where the primitive cell is smaller than what is looked for otherwise.
"""

import sys
from pathlib import Path

import numpy as np

from generate.benchmark.indexing import same_lattice
from xtal.crystals import niggli, primitive, read_cif
from xtal.errors import UserError
from xtal.patterns.sample import Sample
from xtal.physics.indexing import IndexedCell, index_pattern
from xtal.physics.indexing.index import USUAL
from xtal.readers import read_pattern

CU_K_ALPHA_1 = 1.5406  # Å
SMALL = (0.4 * USUAL[0], 40 * USUAL[0])  # Å³, told where a cell is smaller than usual
SURE = 0.9


def main(folder: Path, wavelength: float) -> None:
    ranks, sure = [], []
    for file in sorted(folder.glob("*.cif")):
        crystal = niggli(primitive(read_cif(file.read_text())))
        sample = Sample.of(read_pattern(file.with_suffix(".xy"), wavelength))
        cells = _cells(sample, SMALL if crystal.volume < USUAL[0] else None)
        ranks.append(next((n for n, cell in enumerate(cells) if same_lattice(cell.lattice, crystal.lattice)), 99))
        if cells and cells[0].probability >= SURE:
            sure.append(ranks[-1] == 0)
        volumes = f"{cells[0].volume / crystal.volume:.2f} of its volume" if cells else "no cell"
        print(f"{file.stem}: place {ranks[-1] + 1}, the first cell has {volumes}", flush=True)
    found = np.array(ranks)
    print(f"{len(found)} patterns: first {np.mean(found == 0):.0%}, within five {np.mean(found < 5):.0%}")
    print(f"{SURE:g} or more: right {sum(sure)} of {len(sure)}")


def _cells(sample: Sample, volume: tuple[float, float] | None) -> list[IndexedCell]:
    """Return the cells of a pattern; none of too few lines."""
    try:
        return index_pattern(sample, volume)
    except UserError:
        return []


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]) if len(sys.argv) > 2 else CU_K_ALPHA_1)
