"""The verdict on measured patterns: ``python tests/benchmarks/verdicts.py NAME FOLDER --wavelength CuKa``.

Each file of FOLDER is named after its entry of index NAME. It is searched three times: in the whole index, without the
entry's group, and without everything that looks like it.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import models
from search.answer import Answer
from search.benchmark import with_embedder
from search.engine import Engine
from search.verdict import Judge
from search.verdict.lookalikes import lookalikes
from xtal.patterns import parse_wavelength
from xtal.readers import read_pattern


def report(words: str, judge: Judge, answers: Sequence[Answer]) -> None:
    """Print how many of the answers are a match at each share of false accepts."""
    start = time.perf_counter()
    probability = np.array([judge.verdict(answer).probability for answer in answers])
    spent = 1000 * (time.perf_counter() - start) / len(answers)
    found = [f"{s.share:.0%}: {np.mean(probability >= s.probability):6.1%}" for s in judge.calibration.thresholds]
    print(f"{words:<24} match at {', '.join(found)}; {spent:.1f} ms per verdict", flush=True)


def main() -> None:
    """Search and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("index")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--wavelength", default="CuKa")
    chosen = parser.parse_args()
    engine = with_embedder(Engine.open(chosen.index), models.load())
    judge = Judge.open(engine)
    entries = engine.index.entries
    names = {str(id_).rsplit("/", 1)[-1]: row for row, id_ in enumerate(entries.ids)}
    files = [file for file in sorted(chosen.folder.iterdir()) if file.suffix != ".cif" and file.stem in names]
    patterns = [read_pattern(file, parse_wavelength(chosen.wavelength)) for file in files]
    rows = np.array([names[file.stem] for file in files])
    group = [np.flatnonzero(entries.group == entries.group[row]) for row in rows]
    alike = [np.union1d(*both) for both in zip(group, lookalikes(engine.index, rows), strict=True)]
    print(f"{len(files)} patterns, {len(engine)} entries")
    report("in the index", judge, engine.query(patterns))
    report("group removed", judge, engine.query(patterns, without=group))
    report("look-alikes removed too", judge, engine.query(patterns, without=alike))


if __name__ == "__main__":
    main()
