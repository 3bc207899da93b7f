"""Refine the same structures with rietx and with GSAS-II, where it is installed.

python tests/benchmarks/both_refine.py FOLDER [--queries 12] [--wavelength 1.5418]     # patterns and CIFs named alike
"""

import argparse
from pathlib import Path

import numpy as np

from search.benchmark.refinement import pairs_of
from search.console import read_all
from search.refinement.run import Model, refine_models
from xtal.refinement import PROGRAMS, Choices

SECONDS = 120.0


def main() -> None:
    """Refine and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--queries", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--wavelength", default="1.5418")
    chosen = parser.parse_args()
    files = sorted(chosen.folder.glob("*.xy"))
    files = [files[n] for n in np.random.default_rng(chosen.seed).permutation(len(files))[: chosen.queries]]
    patterns, _ = read_all(files, chosen.wavelength)
    apart, within = [], 0
    for pattern, crystal in pairs_of(chosen.folder, patterns, files):
        ours, theirs = (
            refine_models(pattern, [Model(crystal, "sample")], Choices(seconds=SECONDS), program).found
            for program in PROGRAMS
        )
        lengths = [(a.value, b.value, a.error or 0, b.error or 0) for a, b in zip(*cells(ours, theirs), strict=True)]
        off = max(abs(b / a - 1) for a, b, _, _ in lengths)
        fine = all(abs(a - b) <= max(3 * np.hypot(e, f), 2e-4 * a) for a, b, e, f in lengths)
        within += fine
        apart.append(off)
        print(
            f"{pattern.source:24.24s} Rwp {ours.agreement.r_wp:.3f} {theirs.agreement.r_wp:.3f}  "
            f"{ours.seconds:5.1f} {theirs.seconds:5.1f} s  cells apart {off:.1e}{'' if fine else ' !'}",
            flush=True,
        )
    print(f"{len(apart)} refined; cells agree in {within}, median apart {np.median(apart):.1e}")


def cells(ours, theirs):
    """Return the lengths of the first phase's cell in both."""
    return ours.phases[0].cell[:3], theirs.phases[0].cell[:3]


if __name__ == "__main__":
    main()
