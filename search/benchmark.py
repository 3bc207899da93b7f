"""How often a search finds the entry that a pattern belongs to."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search.answer import Answer
from search.engine import Engine
from search.simulate import simulate_all
from xtal.errors import UserError
from xtal.pattern import Pattern

DEPTHS = (1, 5, 10, 100)
RESAMPLES = 2000  # bootstrap
FIGURES = (".png", ".pdf", ".svg")
NOT_FOUND = 1_000_000  # a rank beyond every depth


@dataclass(frozen=True)
class Rate:
    """A hit rate in percent with its 95 % bootstrap interval."""

    at: int
    percent: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """Hit rates of one way of searching.

    Attributes:
        ordering: ``fingerprint`` alone, or ``physics`` for the re-ranked shortlist.
        target: ``id`` counts the very entry, ``group`` any entry that holds the same structure.
        rates: at each depth.
    """

    ordering: str
    target: str
    rates: tuple[Rate, ...]


@dataclass(frozen=True)
class Benchmark:
    """Hit rates of one index for one set of patterns.

    Attributes:
        index: name.
        entries: structures searched.
        embedder: of the index.
        queries: number of patterns.
        patterns: what they are, for people to read.
        rows: one per ordering and target.
        milliseconds: per query in the batch, by ordering.
    """

    index: str
    entries: int
    embedder: str
    queries: int
    patterns: str
    rows: tuple[Row, ...]
    milliseconds: dict[str, float]


def benchmark_simulated(engine: Engine, queries: int, severity: float, seed: int = 0) -> Benchmark:
    """Simulate patterns of randomly chosen entries and search the whole index for each.

    Raises:
        UserError: more queries than entries, or fewer than one.
    """
    index = engine.index
    if not 1 <= queries <= len(index):
        raise UserError(f"index {index.manifest.name!r} allows 1 to {len(index)} queries, got {queries}")
    wanted = np.random.default_rng(seed).permutation(len(index))[:queries]
    patterns = simulate_all([index.crystal(int(row)) for row in wanted], severity, seed)
    return score(engine, patterns, wanted, f"simulated, severity {severity:g}, seed {seed}")


def benchmark_measured(engine: Engine, patterns: Sequence[Pattern], ids: Sequence[str]) -> Benchmark:
    """Search measured patterns whose right entries are known.

    Args:
        engine: searches.
        patterns: measured.
        ids: of the right entries; the last part of an id (after ``/``) is enough.

    Raises:
        UserError: an id is not in the index.
    """
    rows = {str(id_).rsplit("/", 1)[-1]: row for row, id_ in enumerate(engine.index.entries.ids)}
    rows.update(engine.index.entries.rows)
    missing = [id_ for id_ in ids if id_ not in rows]
    if missing:
        raise UserError(
            f"index {engine.index.manifest.name!r} has no entry {missing[0]!r} ({len(missing)} of {len(ids)} missing); "
            "name each pattern file after the id of its entry"
        )
    return score(engine, patterns, np.array([rows[id_] for id_ in ids]), "measured")


def score(engine: Engine, patterns: Sequence[Pattern], wanted: NDArray[np.int64], description: str) -> Benchmark:
    """Search for `patterns` (B,) whose right entries are the rows `wanted` (B,), with and without physics."""
    rows, milliseconds = [], {}
    for ordering, physics in (("fingerprint", False), ("physics", True)):
        answers = engine.query(patterns, k=min(DEPTHS[-1], len(engine)), physics=physics, copies=True)
        milliseconds[ordering] = 1000 * answers[0].timings.total
        rows.extend(rate_rows(ordering, answers, wanted, engine.index.entries.group))
    manifest = engine.index.manifest
    return Benchmark(
        manifest.name, len(engine), manifest.embedder, len(patterns), description, tuple(rows), milliseconds
    )


def rate_rows(ordering: str, answers: Sequence[Answer], wanted: NDArray[np.int64], group: NDArray) -> list[Row]:
    """Return the hit rates by id and by group of answers whose right entries are the rows `wanted` (B,)."""
    by_id = np.array([_rank([h.row for h in a.hits], row) for a, row in zip(answers, wanted, strict=True)])
    by_group = np.array([_rank([h.group for h in a.hits], group[row]) for a, row in zip(answers, wanted, strict=True)])
    return [Row(ordering, "id", _rates(by_id)), Row(ordering, "group", _rates(by_group))]


def check_figure(path: Path) -> Path:
    """Return `path` when a figure can be written there, else raise UserError: better before the work than after it."""
    if path.suffix.lower() not in FIGURES:
        raise UserError(f"the figure must be a file that ends in {', '.join(FIGURES)}, got {path}")
    if not path.absolute().parent.is_dir():
        raise UserError(f"there is no folder {path.parent} for the figure {path.name}; make it first")
    return path


def plot_benchmark(benchmarks: Sequence[Benchmark], path: Path) -> None:
    """Draw hit rate against depth, one curve per ordering and severity, counted by group."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for benchmark in benchmarks:
        for row in (r for r in benchmark.rows if r.target == "group"):
            percent = [r.percent for r in row.rates]
            style = "-o" if row.ordering == "physics" else "--s"
            axes.plot(DEPTHS, percent, style, label=f"{benchmark.patterns}, {row.ordering}")
            axes.fill_between(DEPTHS, [r.low for r in row.rates], [r.high for r in row.rates], alpha=0.15)
    axes.set(xscale="log", xlabel="first k hits", ylabel="queries found (%)", xticks=DEPTHS, xticklabels=DEPTHS)
    axes.set_title(f"{benchmarks[0].index}: {benchmarks[0].queries} queries, {benchmarks[0].entries} entries")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, dpi=150)


def _rank(found: Sequence[int], right: int) -> int:
    """1 for the first hit."""
    return found.index(right) + 1 if right in found else NOT_FOUND


def _rates(ranks: NDArray[np.int64]) -> tuple[Rate, ...]:
    """Return the share of ranks within each depth, with a bootstrap over the queries."""
    draws = np.random.default_rng(0).integers(0, len(ranks), (RESAMPLES, len(ranks)))
    rates = []
    for depth in DEPTHS:
        found = ranks <= depth
        low, high = np.percentile(found[draws].mean(axis=1), [2.5, 97.5])
        rates.append(Rate(depth, 100 * float(found.mean()), 100 * float(low), 100 * float(high)))
    return tuple(rates)
