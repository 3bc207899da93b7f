"""How often generation finds the crystal behind a pattern, against candidates tried, and beside baselines."""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import gemmi
import numpy as np
from numpy.typing import NDArray

from generate.benchmark.asking import Answered, Asking, answered
from generate.benchmark.knowing import framework_of
from generate.benchmark.matching import STRICT, TOLERANCES, Match, match_all
from generate.benchmark.questions import Choice, Question
from generate.engine import CandidateGenerator
from generate.judging.evidence import Record
from generate.known import Gallery
from generate.parts import Library
from generate.parts.build import gathered
from generate.parts.survey import survey
from generate.preview import Preview
from generate.request import Request
from indexer.crew import Crew
from xtal.crystals import Crystal

SIZES = ((1, 40), (41, 50), (51, 64), (65, 100), (101, 200), (201, 400))  # atoms per cell
LIGHT = frozenset((*range(1, 11), *range(14, 19), *range(33, 37), *range(52, 55)))  # what is no metal
RMSE_EDGES = np.linspace(0, 0.9, 19)  # of the histogram
RESAMPLES = 2000  # bootstrap
CLOSE = 0.2  # rmse below which bonds are right, too; the strict tolerance alone is met by luck in small dense cells
GENERATED = "generated"  # the way of what is offered in the end
FRAMEWORKS = "generated, metals and linkers alone"  # of these, whatever solvent and light ions there are
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
        close: of queries with a match of an rmse below `CLOSE` among these.
        low, high: 95 % bootstrap interval of the last of these.
        rmse: mean over matched queries of the best rmse among all candidates, in units of (V / N)^(1/3).
        histogram: matched queries by best rmse, in bins of `RMSE_EDGES`.
    """

    way: str
    tolerance: str
    subset: str
    queries: int
    percent: tuple[float, ...]
    close: tuple[float, ...]
    low: float
    high: float
    rmse: float | None
    histogram: tuple[int, ...]


@dataclass(frozen=True)
class GenerationBenchmark:
    """Match rates on held-out crystals.

    Attributes:
        choice: what was asked, of which source, with which gallery. A question's own reduced formula is left out of
            the known crystals.
        queries: crystals asked for.
        known: how many known crystals; templates and baselines come from them.
        model_id: of the denoiser.
        request: how candidates were sampled.
        curves: by way, tolerance and subset.
        seconds: per query, for all its candidates.
        memory: MB, the most that the process has held.
        late: comparisons given up for time; they count as no match.
    """

    choice: Choice
    queries: int
    known: int
    model_id: str
    request: Request
    curves: tuple[Curve, ...]
    seconds: float
    memory: float
    late: int


Ways = dict[str, list[list[Crystal]]]
"""Crystals offered for each question, best first, by the way they were made."""

Matches = dict[str, list[list[list[Match]]]]
"""These, compared with the truth under each of `TOLERANCES`."""


def matched(questions: Sequence[Question], ways: Ways) -> Matches:
    """Match all crystals of all ways with the truth."""
    pairs = [
        (crystal, question.truth)
        for offered in ways.values()
        for question, crystals in zip(questions, offered, strict=True)
        for crystal in crystals
    ]
    answers = iter(match_all(pairs))
    return {way: [[next(answers) for _ in crystals] for crystals in offered] for way, offered in ways.items()}


def compare(questions: Sequence[Question], found: Matches) -> tuple[list[Curve], int]:
    """Return the curves of all ways, and how many comparisons were given up."""
    late = sum(match.late for offered in found.values() for matches in offered for row in matches for match in row)
    return [curve for way, offered in found.items() for curve in _curves(way, questions, offered)], late


def baselines(questions: Sequence[Question], gallery: Gallery, vectors: NDArray, request: Request) -> Ways:
    """Crystals that need no generation: the nearest known ones of one formula, and random ones in the right cell."""
    rng = np.random.default_rng(request.seed)
    retrieved, random = [], []
    for question, vector in zip(questions, vectors, strict=True):
        alike = gallery.of_formula(question.truth.reduced_formula)
        retrieved.append([n.crystal for n in alike.nearest(vector, request.count)])
        random.append([_scattered(question.truth, rng) for _ in range(request.count)])
    return {"retrieved, same formula": retrieved, "random, right cell": random}


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
    hit, close = (_found(rmse, most) for most in (np.inf, CLOSE))
    best = np.array([min(v for v in row if v is not None) for row in rmse if any(v is not None for v in row)])
    draws = np.random.default_rng(0).integers(0, len(rmse), (RESAMPLES, len(rmse)))
    low, high = np.percentile(hit[:, -1][draws].mean(axis=1), [2.5, 97.5])
    return Curve(
        way,
        tolerance,
        subset,
        len(rmse),
        tuple((100 * hit.mean(axis=0)).round(2).tolist()),
        tuple((100 * close.mean(axis=0)).round(2).tolist()),
        100 * float(low),
        100 * float(high),
        float(best.mean()) if len(best) else None,
        tuple(np.histogram(best, RMSE_EDGES)[0].tolist()),
    )


def _found(rmse: list[list[float | None]], most: float) -> NDArray[np.bool_]:
    """(Q, K) whether one of the first 1, 2, ... candidates of a query has an rmse below `most`."""
    hit = np.zeros((len(rmse), max(map(len, rmse), default=0) or 1), dtype=bool)
    for row, values in zip(hit, rmse, strict=True):
        row[: len(values)] = [value is not None and value < most for value in values]
    return np.logical_or.accumulate(hit, axis=1)


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
    crew: Crew[Asking],
    choice: Choice,
    advance: Callable[[str, int, int | None], None] = lambda *_: None,
    record: Path | None = None,
) -> GenerationBenchmark:
    """Generate candidates for every question, match them and the baselines with the truth.

    No question is answered from known crystals of its own formula, nor from their parts, but for the baseline that
    retrieves those. What speaks for each candidate, and whether it was right, goes to the file `record`.
    """
    generator, material, request = crew.base.generator, crew.base.material, crew.base.request
    questions, answers = material.questions, list[Answered]()
    for answer in crew.map(answered, range(len(questions))):
        answers.append(answer)
        advance("generate", 1, len(questions))
    vectors = generator.embedder.embed_patterns([question.sample.lines for question in questions])
    offered = {GENERATED: [answer.candidates for answer in answers]}
    if request.template == "auto" and choice.given == "formula":
        offered["linkers exchanged"] = [answer.built for answer in answers]
        offered["templates, not diffused"] = [answer.templates for answer in answers]
    ways: Ways = {way: [[c.crystal for c in candidates] for candidates in some] for way, some in offered.items()}
    ways |= baselines(questions, material.gallery, vectors, request)
    found = matched(questions, ways)
    if choice.given == "linkers":
        bare = [replace(question, truth=framework_of(question.truth)) for question in questions]
        found |= matched(bare, {FRAMEWORKS: [[framework_of(crystal) for crystal in row] for row in ways[GENERATED]]})
    if record:
        at = TOLERANCES.index(STRICT)
        Record.of(offered[GENERATED], [[match[at].rmse for match in row] for row in found[GENERATED]]).save(record)
    curves, late = compare(questions, found)
    return GenerationBenchmark(
        choice,
        len(questions),
        len(material.gallery.ids),
        generator.denoiser.model_id,
        request,
        tuple(curves),
        float(np.mean([answer.seconds for answer in answers])),
        memory_used(),
        late,
    )


def parts_of(gallery: Gallery, advance: Callable[[str, int, int | None], None]) -> Library:
    """Return the parts of all known crystals."""
    surveys = []
    for row in range(len(gallery.ids)):
        surveys.append(survey(gallery.crystal(row)))
        advance("take known crystals apart", 1, len(gallery.ids))
    return gathered([found for found in surveys if found is not None], "known crystals")


def memory_used() -> float:
    """MB, the most that this process has held at once; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1e6 if sys.platform == "darwin" else 1e3)


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
