"""A warm query taken apart, and what it costs against the candidates, the batch and the range of the scan."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from report import Sizes, milliseconds, of, table

import search.engine
from search.benchmark.gallery import held_out
from search.verdict import Verdict
from xtal.patterns.wavelengths import K_ALPHA_2
from xtal.physics.artefacts import LABORATORY_SCAN, Scan
from xtal.physics.simulate import simulate_all

if TYPE_CHECKING:
    from search.workers import Searcher
    from xtal.patterns import Pattern

SEVERITY, SEED = 1.0, 1
WIDE = Scan(first=5.0, last=90.0, second=K_ALPHA_2)
LOOKED = 10.0  # ms: less is the question whether to look
PARTS = ("lines", "embedding", "shortlist", "fit", "ties", "rest", "search", "verdict", "search and verdict")
CANDIDATES = (12, 24, 50, 100)
BATCHES = (1, 10, 100)
Times = dict[str, list[float]]


def tables(searcher: "Searcher", sizes: Sizes) -> Iterator[str]:
    """Yield the section."""
    yield "## A warm query\n"
    for scan, share, word in ((LABORATORY_SCAN, 1, "3 to 30°"), (WIDE, 5, "5 to 90°, so up to 256 found lines")):
        patterns = drawn(searcher, -(-sizes.queries // share), scan)
        times = taken_apart(searcher, patterns, further=scan is LABORATORY_SCAN)
        yield f"{len(patterns)} held-out entries at severity {SEVERITY:g}, Cu Kα, {word}; ms.\n"
        yield table(["part", "median", "95th percentile", "most"], [_row(part, times[part]) for part in PARTS])
        looked = np.array(times["further phases"])
        looked = looked[looked > LOOKED]
        if len(looked):
            numbers = " / ".join(f"{value:,.0f}" for value in np.percentile(looked, [50, 95, 100]))
            yield (
                f"Further phases were looked for in {len(looked)} of these, where the first hit leaves something: "
                f"{numbers} ms on top (median, 95th percentile, most).\n"
            )
    yield "Of these patterns of 3 to 30°, by what is asked:\n"
    patterns = drawn(searcher, min(sizes.queries, max(BATCHES)), LABORATORY_SCAN)
    yield table(["candidates fitted", "ms per pattern (median)"], list(_by_candidates(searcher, patterns)))
    yield table(["patterns in a batch", "ms per pattern"], list(_by_batch(searcher, patterns)))


def drawn(searcher: "Searcher", count: int, scan: Scan) -> "list[Pattern]":
    """Simulate patterns of entries whose formulas no model was trained on."""
    index = searcher.engine.index
    rows = np.random.default_rng(SEED).permutation(held_out(index))[:count]
    return simulate_all([index.crystal(int(row)) for row in rows], SEVERITY, SEED, scan)


def taken_apart(searcher: "Searcher", patterns: "list[Pattern]", further: bool) -> Times:
    """Search for patterns one by one, for `further` phases too; return the milliseconds of each part."""
    engine, judge, phases = searcher
    for pattern in patterns[:3]:  # makes ready what is made once
        answer = engine.query([pattern])[0]
        judge.verdict(answer)
        if further:
            phases.examined(answer, Verdict("miss", 0.1, ()))
    times: Times = defaultdict(list)
    with _Watched(engine) as spent:
        for pattern in patterns:
            spent.clear()
            clock = [time.process_time()]
            answer = engine.query([pattern])[0]
            clock.append(time.process_time())
            parts = dict(spent)  # what comes now asks the engine too
            verdict = judge.verdict(answer)
            clock.append(time.process_time())
            if further:
                phases.examined(answer, verdict)
            clock.append(time.process_time())
            searching, judging, looking = (1000 * np.diff(clock)).tolist()
            for part in PARTS[:5]:
                times[part].append(parts.get(part, 0.0))
            times["rest"].append(searching - sum(parts.values()))
            times["search"].append(searching)
            times["verdict"].append(judging)
            times["search and verdict"].append(searching + judging)
            times["further phases"].append(looking)
    return times


class _Watched:
    """Adds up the milliseconds that an engine spends in each part."""

    def __init__(self, engine: Any) -> None:
        self.engine, self.spent = engine, defaultdict(float)
        names = {"sample_with": "lines", "rerank": "fit", "settle": "ties"}
        self.watched = [(search.engine, name, part) for name, part in names.items()]
        self.watched += [(engine.embedder, "embed_patterns", "embedding"), (engine, "_shortlists", "shortlist")]
        self.own = [getattr(of_what, name) for of_what, name, _ in self.watched]

    def __enter__(self) -> defaultdict[str, float]:
        for (of_what, name, part), function in zip(self.watched, self.own, strict=True):
            setattr(of_what, name, self._timed(function, part))
        return self.spent

    def __exit__(self, *_: object) -> None:
        for (of_what, name, _part), function in zip(self.watched, self.own, strict=True):
            setattr(of_what, name, function)

    def _timed(self, function: Callable, part: str) -> Callable:
        def timed(*given: object, **named: object) -> object:
            begun = time.process_time()
            try:
                return function(*given, **named)
            finally:
                self.spent[part] += 1000 * (time.process_time() - begun)

        return timed


def _row(part: str, values: list[float]) -> list[str]:
    return [part, *(f"{value:.1f}" for value in np.percentile(values, [50, 95, 100]))]


def _by_candidates(searcher: "Searcher", patterns: "list[Pattern]") -> Iterator[list[str]]:
    """Time the fit and the ties of shortlists that are cut."""
    engine, whole = searcher.engine, search.engine.SHORTLIST
    for count in CANDIDATES:
        search.engine.SHORTLIST = count
        try:
            times = [milliseconds(partial(engine.query, [p]), 1) for p in patterns]
        finally:
            search.engine.SHORTLIST = whole
        yield [str(count), of(times)]


def _by_batch(searcher: "Searcher", patterns: "list[Pattern]") -> Iterator[list[str]]:
    for size in BATCHES:
        if size <= len(patterns):
            used = len(patterns) // size * size
            parts = [patterns[first : first + size] for first in range(0, used, size)]
            spent = sum(milliseconds(partial(searcher.engine.query, part), 1) for part in parts)
            yield [str(size), of(spent / used)]
