"""The verdict on patterns that nothing was fitted to: ``python tests/benchmarks/verdicts.py NAME FOLDER``.

Each file of FOLDER is named after its entry of index NAME; so are the patterns of an npz file with ``names``, one
``two_theta`` for all, ``intensity`` and ``wavelength``. Each is searched three times: in the whole index, without the
entry's group, and without everything that looks like it.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import models
from search.answer import Answer
from search.benchmark import with_embedder
from search.benchmark.calibrate import Reliability
from search.engine import Engine
from search.verdict import Judge
from search.verdict.lookalikes import lookalikes
from xtal.patterns import Pattern, parse_wavelength
from xtal.readers import read_pattern

SURE, NOT_FOUND = 0.97, 1000


def report(words: str, judge: Judge, answers: Sequence[Answer]) -> NDArray[np.float64]:
    """Print how many of the answers are a match at each share of false accepts; return their probabilities."""
    start = time.perf_counter()
    probability = np.array([judge.verdict(answer).probability for answer in answers])
    spent = 1000 * (time.perf_counter() - start) / len(answers)
    found = [f"{s.share:.0%}: {np.mean(probability >= s.probability):6.1%}" for s in judge.calibration.thresholds]
    print(f"{words:<24} match at {', '.join(found)}; {spent:.1f} ms per verdict", flush=True)
    return probability


def stored(path: Path) -> tuple[list[str], list[Pattern]]:
    """Read names and patterns of an npz file."""
    with np.load(path, allow_pickle=False) as file:
        angles, wavelength = file["two_theta"].astype(float), float(file["wavelength"])
        patterns = [Pattern(angles, intensity, wavelength) for intensity in file["intensity"]]
        return file["names"].tolist(), patterns


def in_folder(folder: Path, known: Mapping[str, int], wavelength: str) -> tuple[list[str], list[Pattern]]:
    """Read the patterns of a folder that are named after entries."""
    files = [file for file in sorted(folder.iterdir()) if file.suffix != ".cif" and file.stem in known]
    return [file.stem for file in files], [read_pattern(file, parse_wavelength(wavelength)) for file in files]


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
    packed = chosen.folder.suffix == ".npz"
    known, patterns = stored(chosen.folder) if packed else in_folder(chosen.folder, names, chosen.wavelength)
    rows = np.array([names[name] for name in known])
    group = [np.flatnonzero(entries.group == entries.group[row]) for row in rows]
    alike = [np.union1d(*both) for both in zip(group, lookalikes(engine.index, rows), strict=True)]
    answers = engine.query(patterns)
    wanted = zip(answers, entries.group[rows], strict=True)
    rank = np.array([next((h.rank for h in a.hits if h.group == right), NOT_FOUND) for a, right in wanted])
    shares = ", ".join(f"{depth}: {np.mean(rank <= depth):.1%}" for depth in (1, 3, 10))
    print(f"{len(patterns)} patterns, {len(engine)} entries; right within the first {shares}")
    held = report("in the index", judge, answers)
    sure = held[rank == 1]
    print(f"right first hits: {len(sure)}, {np.mean(sure >= SURE):.1%} of them a match with {SURE} or more")
    report("group removed", judge, engine.query(patterns, without=group))
    absent = report("look-alikes removed too", judge, engine.query(patterns, without=alike))
    right = np.array([a.hits[0].row in family for a, family in zip(answers, alike, strict=True)])
    truth = np.concatenate([right, np.zeros(len(absent), bool)])
    error = Reliability.of(np.concatenate([held, absent]), truth).error
    print(f"calibration error, half known and half removed: {error:.3f}")


if __name__ == "__main__":
    main()
