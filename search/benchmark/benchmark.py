"""How often a search finds the entry that a pattern belongs to."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.crew import Crew
from search.benchmark.batches import Batch, given, simulated
from search.benchmark.gallery import held_out, subsets
from search.engine import Engine
from xtal.errors import UserError
from xtal.figure import COLOURS
from xtal.patterns import Pattern

DEPTHS = (1, 3, 5, 10, 100)
RESAMPLES = 2000  # bootstrap
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
        subset: which queries, ``all`` or for example ``1 to 100 atoms``.
        queries: how many those are.
    """

    ordering: str
    target: str
    rates: tuple[Rate, ...]
    subset: str = "all"
    queries: int = 0


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


@dataclass(frozen=True, eq=False)
class Found:
    """What one way of searching found for each of B patterns.

    Attributes:
        rows: of the hits, best first.
        seconds: for each pattern, in the mean over its batch.
    """

    rows: list[list[int]]
    seconds: list[float]


def benchmark_simulated(
    crew: Crew[Engine],
    queries: int,
    severity: float,
    seed: int = 0,
    only_held_out: bool = False,
    by: Sequence[str] = (),
) -> Benchmark:
    """Simulate patterns of randomly chosen entries and search the whole index for each.

    Args:
        crew: searches.
        queries: number of patterns.
        severity: of the artefacts.
        seed: of the choice of entries and of the artefacts.
        only_held_out: ask only for entries whose formulas no model was trained on.
        by: further rows for subsets of the queries, by ``atoms`` per cell or by ``metal``.

    Raises:
        UserError: more queries than entries to ask for, or fewer than one.
    """
    index = crew.base.index
    pool = held_out(index) if only_held_out else np.arange(len(index))
    if not 1 <= queries <= len(pool):
        kind = "held-out queries" if only_held_out else "queries"
        raise UserError(f"index {index.manifest.name!r} allows 1 to {len(pool)} {kind}, got {queries}")
    wanted = np.random.default_rng(seed).permutation(pool)[:queries]
    words = f"simulated, severity {severity:g}, seed {seed}" + (", held-out formulas" if only_held_out else "")
    return score(crew, simulated(wanted, severity, seed), wanted, words, by)


def benchmark_measured(crew: Crew[Engine], patterns: Sequence[Pattern], ids: Sequence[str]) -> Benchmark:
    """Search measured patterns whose right entries are known.

    Args:
        crew: searches.
        patterns: measured.
        ids: of the right entries; the last part of an id (after ``/``) is enough.

    Raises:
        UserError: an id is not in the index, or its last part names several entries.
    """
    engine = crew.base
    names = [str(id_).rsplit("/", 1)[-1] for id_ in engine.index.entries.ids]
    rows = dict(zip(names, range(len(names)), strict=True)) | engine.index.entries.rows
    if ambiguous := (set(ids) - engine.index.entries.rows.keys()) & {n for n, c in Counter(names).items() if c > 1}:
        raise UserError(f"{min(ambiguous)!r} names several entries of index {engine.index.manifest.name!r}")
    missing = [id_ for id_ in ids if id_ not in rows]
    if missing:
        raise UserError(
            f"index {engine.index.manifest.name!r} has no entry {missing[0]!r} ({len(missing)} of {len(ids)} missing); "
            "name each pattern file after the id of its entry"
        )
    return score(crew, given(patterns), np.array([rows[id_] for id_ in ids]), "measured")


def score(
    crew: Crew[Engine],
    batches: Iterable[Batch],
    wanted: NDArray[np.int64],
    description: str,
    by: Sequence[str] = (),
) -> Benchmark:
    """Search for patterns (B,) whose right entries are the rows `wanted` (B,), with and without physics."""
    rows, milliseconds = [], {}
    engine = crew.base
    entries = engine.index.entries
    for ordering, found in _joined(crew.map(both_ways, batches)).items():
        milliseconds[ordering] = 1000 * float(np.mean(found.seconds))
        rows.extend(rate_rows(ordering, found.rows, wanted, entries.group))
        for kind in by:
            for name, members in subsets(entries, wanted, kind):
                chosen = np.flatnonzero(members)
                some = [found.rows[i] for i in chosen]
                rows.extend(rate_rows(ordering, some, wanted[chosen], entries.group, name))
    name = engine.index.manifest.name
    return Benchmark(name, len(engine), engine.embedder.name, len(wanted), description, tuple(rows), milliseconds)


def both_ways(engine: Engine, batch: Batch) -> dict[str, Found]:
    """Search for one batch by fingerprints alone, and with physics."""
    patterns, found = batch.patterns(engine), {}
    for ordering, physics in (("fingerprint", False), ("physics", True)):
        answers = engine.query(patterns, k=min(DEPTHS[-1], len(engine)), physics=physics, copies=True)
        rows = [[hit.row for hit in answer.hits] for answer in answers]
        found[ordering] = Found(rows, [answer.timings.total for answer in answers])
    return found


def _joined(batches: Iterable[dict[str, Found]]) -> dict[str, Found]:
    """Put what was found for batches together."""
    joined: dict[str, Found] = {}
    for batch in batches:
        for ordering, found in batch.items():
            whole = joined.setdefault(ordering, Found([], []))
            whole.rows.extend(found.rows)
            whole.seconds.extend(found.seconds)
    return joined


def rate_rows(
    ordering: str, found: Sequence[Sequence[int]], wanted: NDArray[np.int64], group: NDArray, subset: str = "all"
) -> list[Row]:
    """Return the hit rates by id and by group of rows `found`, best first, where the rows `wanted` (B,) are right."""
    by_id = np.array([_rank(rows, row) for rows, row in zip(found, wanted, strict=True)])
    by_group = np.array(
        [_rank(group[list(rows)].tolist(), group[row]) for rows, row in zip(found, wanted, strict=True)]
    )
    ranks = {"id": by_id, "group": by_group}
    return [Row(ordering, target, _rates(ranks[target]), subset, len(wanted)) for target in ranks]


def plot_benchmark(benchmarks: Sequence[Benchmark], path: Path) -> None:
    """Draw hit rate against depth, counted by group: a panel per set of patterns, a colour per embedder."""
    from matplotlib.figure import Figure

    sets = list(dict.fromkeys(benchmark.patterns for benchmark in benchmarks))
    embedders = list(dict.fromkeys(benchmark.embedder for benchmark in benchmarks))
    figure = Figure(figsize=(max(4.0, 3.0 * len(sets)), 3.8), layout="constrained")
    panels = figure.subplots(1, len(sets), sharey=True, squeeze=False)[0]
    for panel, patterns in zip(panels, sets, strict=True):
        for benchmark in (b for b in benchmarks if b.patterns == patterns):
            _draw_rates(panel, benchmark, COLOURS[embedders.index(benchmark.embedder) % len(COLOURS)])
        panel.set(xscale="log", xlabel="first k hits", xticks=DEPTHS, xticklabels=DEPTHS)
        panel.set_title(patterns.replace(", ", "\n"), fontsize="small")
        panel.minorticks_off()
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("queries found (%)")
    first = benchmarks[0]
    figure.suptitle(f"{first.index}: {first.queries} queries, {first.entries} entries", fontsize="medium")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, fontsize="small")
    figure.savefig(path, dpi=150)


def _draw_rates(panel: Any, benchmark: Benchmark, colour: str) -> None:
    """Draw the curves of one benchmark: physics as a line, the fingerprint alone dashed."""
    for row in (r for r in benchmark.rows if r.target == "group" and r.subset == "all"):
        percent = [r.percent for r in row.rates]
        style = "-o" if row.ordering == "physics" else "--s"
        label = f"{benchmark.embedder}, {row.ordering}"
        panel.plot(DEPTHS, percent, style, color=colour, markersize=4, label=label)
        panel.fill_between(DEPTHS, [r.low for r in row.rates], [r.high for r in row.rates], color=colour, alpha=0.12)


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
