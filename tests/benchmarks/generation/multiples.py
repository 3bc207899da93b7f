"""How many formula units the primitive cell holds: is the true number the first, or among those tried.

python tests/benchmarks/generation/multiples.py TABLE.npz [LIMIT] [SEVERITY]: a table of crystals, see `CrystalTable`;
those of the test split of at most 100 atoms, one pattern each (3 to 30°). The composition is told, nothing else.
"""

import sys
import time
from dataclasses import replace

import numpy as np

from generate.guessing import indexed_cells, likely_multiples
from models.ccsg.training.dataset import usable
from models.cpcp.training.dataset import split_of
from xtal.crystals import atoms_of_formula
from xtal.patterns.sample import Sample
from xtal.physics.artefacts import LABORATORY_SCAN
from xtal.physics.simulate import simulate_all

LARGEST, SEED = 100, 0
SURE = 0.8


def main(table: str, limit: int, severity: float) -> None:
    held = [c for _, c in usable([f"packed:{table}"], LARGEST) if split_of(c.reduced_formula) == "test"]
    chosen = [held[row] for row in np.random.default_rng(SEED).permutation(len(held))[:limit]]
    scan = replace(LABORATORY_SCAN, last=30.0)
    first, tried, sure, begun = [], [], [], time.perf_counter()
    for crystal, pattern in zip(chosen, simulate_all(chosen, severity, SEED, scan), strict=True):
        unit = atoms_of_formula(crystal.reduced_formula)
        found = likely_multiples(indexed_cells(Sample.of(pattern)), unit)
        units = [one.units for one in found]
        first.append(units[0] == len(crystal) // len(unit))
        tried.append(len(crystal) // len(unit) in units)
        sure.append(found[0].probability >= SURE)
    seconds = (time.perf_counter() - begun) / len(first)
    rates = f"first {np.mean(first):.0%}, among those tried {np.mean(tried):.0%}"
    print(f"severity {severity:g}, {len(first)} crystals: {rates}")
    right = np.array(first)[sure]
    print(f"probability of the first {SURE:g} or more: right {right.sum()} of {len(right)}; {seconds:.1f} s a crystal")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 100, float(sys.argv[3]) if len(sys.argv) > 3 else 0.0)
