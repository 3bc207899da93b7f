"""How often generation finds the crystal behind a pattern, against candidates tried, and beside baselines."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import gemmi
import numpy as np
from numpy.typing import NDArray

from generate.benchmark.matching import STRICT, TOLERANCES, Match, match_all
from generate.engine import CandidateGenerator, Preview, Request
from generate.known import Gallery
from models.ccsg.training.dataset import usable
from models.cpcp.training.dataset import split_of
from xtal.crystals import Crystal
from xtal.errors import UserError
from xtal.patterns.sample import Sample
from xtal.physics.simulate import simulate_all

Split = Literal["val", "test"]
SIZES = ((1, 40), (41, 50), (51, 64), (65, 100), (101, 200), (201, 400))  # atoms per cell
LIGHT = frozenset((*range(1, 11), *range(14, 19), *range(33, 37), *range(52, 55)))  # what is no metal
RMSE_EDGES = np.linspace(0, 0.9, 19)  # of the histogram
RESAMPLES = 2000  # bootstrap
SHOWN = 4  # stages of a denoising in the figure, as in the paper


@dataclass(frozen=True)
class Curve:
    """Match rate of one way to make candidates under one tolerance.

    Attributes:
        way: ``generated`` or a baseline.
        tolerance: name, see `generate.benchmark.matching`.
        subset: which queries, ``all`` or for example ``41 to 50 atoms``.
        queries: how many those are.
        percent: of queries with a match among the first 1, 2, ... candidates.
        low, high: 95 % bootstrap interval of the last of these.
        rmse: mean over matched queries of the best rmse among all candidates, in units of (V / N)^(1/3).
        histogram: matched queries by best rmse, in bins of `RMSE_EDGES`.
    """

    way: str
    tolerance: str
    subset: str
    queries: int
    percent: tuple[float, ...]
    low: float
    high: float
    rmse: float | None
    histogram: tuple[int, ...]


@dataclass(frozen=True)
class GenerationBenchmark:
    """Match rates on held-out crystals.

    Attributes:
        source: of the crystals.
        split: held out from training by reduced formula.
        queries: crystals asked for.
        known: crystals of the training split, from which templates and the retrieved baseline come.
        model_id: of the denoiser.
        request: how candidates were sampled.
        severity: of the artefacts in the patterns.
        curves: by way, tolerance and subset.
        seconds: per query, for all its candidates.
        late: comparisons given up for time; they count as no match.
    """

    source: str
    split: str
    queries: int
    known: int
    model_id: str
    request: Request
    severity: float
    curves: tuple[Curve, ...]
    seconds: float
    late: int


@dataclass(frozen=True, eq=False)
class Question:
    """One held-out crystal and its pattern."""

    truth: Crystal
    sample: Sample

    @property
    def numbers(self) -> NDArray[np.int64]:
        """(N,) atomic numbers of the cell, ascending."""
        return np.sort(self.truth.numbers).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Material:
    """What a benchmark works on: questions, and the known crystals."""

    questions: tuple[Question, ...]
    known: tuple[Crystal, ...]


def draw(source: str, split: Split, limit: int, most_atoms: int, severity: float, seed: int) -> Material:
    """Choose held-out crystals at random and measure one pattern of each (the paper's scan).

    Raises:
        UserError: the source cannot be opened, or nothing of it is held out.
    """
    parts: dict[str, list[Crystal]] = {"train": [], "val": [], "test": []}
    for _, crystal in usable([source], most_atoms):
        parts[split_of(crystal.reduced_formula)].append(crystal)
    held = parts[split]
    if not held:
        raise UserError(f"no crystal of {source} with at most {most_atoms} atoms is in split {split!r}")
    chosen = [held[row] for row in np.random.default_rng(seed).permutation(len(held))[:limit]]
    samples = [Sample.of(pattern) for pattern in simulate_all(chosen, severity, seed)]
    return Material(tuple(map(Question, chosen, samples)), tuple(parts["train"]))


Ways = dict[str, list[list[Crystal]]]
"""Crystals offered for each question, best first, by the way they were made."""


def compare(questions: Sequence[Question], ways: Ways) -> tuple[list[Curve], int]:
    """Match all crystals of all ways with the truth; return the curves, and how many comparisons were given up."""
    pairs = [
        (crystal, question.truth)
        for offered in ways.values()
        for question, crystals in zip(questions, offered, strict=True)
        for crystal in crystals
    ]
    answers = iter(match_all(pairs))
    curves, late = [], 0
    for way, offered in ways.items():
        found = [[next(answers) for _ in crystals] for crystals in offered]
        late += sum(match.late for matches in found for row in matches for match in row)
        curves += _curves(way, questions, found)
    return curves, late


def baselines(questions: Sequence[Question], gallery: Gallery, vectors: NDArray, request: Request) -> Ways:
    """Crystals that need no generation: the nearest known ones of one formula, and random ones in the right cell."""
    rng = np.random.default_rng(request.seed)
    retrieved, random = [], []
    for question, vector in zip(questions, vectors, strict=True):
        alike = gallery.of_formula(question.truth.reduced_formula)
        retrieved.append([n.crystal for n in alike.nearest(vector, request.count)])
        random.append([_scattered(question.truth, rng) for _ in range(request.count)])
    return {"retrieved, same formula": retrieved, "random, right cell": random}


def undiffused(
    generator: CandidateGenerator, questions: Sequence[Question], gallery: Gallery, request: Request
) -> Ways:
    """What generation begins from where it uses known crystals, refined and ranked as its candidates are."""
    found = [generator.undiffused(question.sample, question.numbers, request, gallery) for question in questions]
    built, templates = ([[c.crystal for c in candidates] for candidates in sort] for sort in zip(*found, strict=True))
    return {"linkers exchanged": built, "templates, not diffused": templates}


def _scattered(crystal: Crystal, rng: np.random.Generator) -> Crystal:
    return Crystal(crystal.lattice, rng.random(crystal.frac_coords.shape), crystal.numbers)


def _curves(way: str, questions: Sequence[Question], found: list[list[list[Match]]]) -> list[Curve]:
    """Curves for all questions under each tolerance, and for the subsets under the strict one."""
    everything = np.arange(len(questions))
    curves = []
    for at, tolerance in enumerate(TOLERANCES):
        best = [[match[at].rmse for match in matches] for matches in found]
        curves.append(_curve(way, tolerance.name, "all", best))
        if tolerance == STRICT:
            for name, rows in _subsets(questions, everything):
                curves.append(_curve(way, tolerance.name, name, [best[row] for row in rows]))
    return curves


def _curve(way: str, tolerance: str, subset: str, rmse: list[list[float | None]]) -> Curve:
    """Rates of some queries, whose candidates have these rmse (None: no match)."""
    length = max((len(row) for row in rmse), default=0)
    hit = np.zeros((len(rmse), max(length, 1)), dtype=bool)
    for row, values in zip(hit, rmse, strict=True):
        row[: len(values)] = [value is not None for value in values]
    hit = np.logical_or.accumulate(hit, axis=1)
    best = np.array([min(v for v in row if v is not None) for row in rmse if any(v is not None for v in row)])
    draws = np.random.default_rng(0).integers(0, len(rmse), (RESAMPLES, len(rmse)))
    low, high = np.percentile(hit[:, -1][draws].mean(axis=1), [2.5, 97.5])
    return Curve(
        way,
        tolerance,
        subset,
        len(rmse),
        tuple((100 * hit.mean(axis=0)).round(2).tolist()),
        100 * float(low),
        100 * float(high),
        float(best.mean()) if len(best) else None,
        tuple(np.histogram(best, RMSE_EDGES)[0].tolist()),
    )


def _subsets(questions: Sequence[Question], everything: NDArray) -> list[tuple[str, NDArray]]:
    """Questions by number of atoms and by metal, without empty subsets."""
    counts = np.array([len(question.truth) for question in questions])
    found = [(f"{low} to {high} atoms", everything[(counts >= low) & (counts <= high)]) for low, high in SIZES]
    metals = [{int(z) for z in question.truth.numbers} - LIGHT for question in questions]
    for metal in sorted(set().union(*metals)):
        rows = everything[[metal in elements for elements in metals]]
        found.append((f"with {gemmi.Element(metal).name}", rows))
    return [(name, rows) for name, rows in found if len(rows)]


def benchmark(
    generator: CandidateGenerator,
    material: Material,
    source: str,
    split: Split,
    severity: float,
    request: Request,
    advance: Callable[[str, int, int | None], None] = lambda *_: None,
) -> GenerationBenchmark:
    """Generate candidates for every question, match them and the baselines with the truth."""
    gallery = Gallery.of_crystals(material.known, generator.embedder)
    questions, start = material.questions, time.perf_counter()
    offered = []
    for question in questions:
        candidates = generator.generate(question.sample, question.numbers, request, gallery)
        offered.append([candidate.crystal for candidate in candidates])
        advance("generate", 1, len(questions))
    seconds = (time.perf_counter() - start) / len(questions)
    vectors = generator.embedder.embed_patterns([question.sample.lines for question in questions])
    ways: Ways = {"generated": offered}
    if request.template == "auto":
        ways |= undiffused(generator, questions, gallery, request)
    ways |= baselines(questions, gallery, vectors, request)
    curves, late = compare(questions, ways)
    return GenerationBenchmark(
        source,
        split,
        len(questions),
        len(material.known),
        generator.denoiser.model_id,
        request,
        severity,
        tuple(curves),
        seconds,
        late,
    )


def stages(generator: CandidateGenerator, question: Question, request: Request) -> list[tuple[str, Crystal]]:
    """One crystal at `SHOWN` points of its denoising from noise, and the truth; with titles."""
    seen: list[Crystal] = []

    def watch(preview: Preview) -> None:
        """Keep the crystal of each step."""
        seen.append(preview.crystals()[0])

    alone = replace(request, count=1, template="none")
    generator.generate(question.sample, question.numbers, alone, watch=watch)
    at = np.linspace(0, len(seen) - 1, SHOWN).round().astype(int)
    return [*((f"step {step + 1} of {len(seen)}", seen[step]) for step in at), ("truth", question.truth)]
