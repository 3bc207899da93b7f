"""The verdict under a filter: ``python tests/benchmarks/filtered.py NAME --queries 150 --severity 1``.

Patterns of entries are searched among what has the elements, or the formula, of the entry: in the whole index (a match
is right), and without the entry's group and what looks like it (a match is wrong). The third row filters by what the
best of those wrong hits is made of, as a person might who believes in it. Two numbers of matches are printed: with
verdicts as if the index held only what passes the filter, and as they are given, weighed against what it excludes.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import gemmi
import numpy as np
from numpy.typing import NDArray

from search.answer import Answer
from search.benchmark.calibrate import choose_rows
from search.engine import Engine
from search.verdict import Judge
from search.verdict.lookalikes import lookalikes
from xtal.errors import UserError
from xtal.patterns import Pattern
from xtal.physics.simulate import simulate_all


@dataclass(frozen=True)
class Filters:
    """What one entry is made of."""

    elements: frozenset[str]
    formula: str

    @classmethod
    def of(cls, engine: Engine, row: int) -> "Filters":
        """Look it up."""
        entries = engine.index.entries
        symbols = frozenset(gemmi.Element(int(z)).name for z in np.flatnonzero(entries.elements[row]))
        return cls(symbols, str(entries.formulas[row]))

    def answers(self, engine: Engine, pattern: Pattern, without: NDArray[np.int64]) -> Iterator[Answer | None]:
        """Search no other than these elements, exactly these, and this formula; None where nothing passes."""
        for elements, required, formula in (
            (self.elements, frozenset(), None),
            (self.elements, self.elements, None),
            (None, frozenset(), self.formula),
        ):
            try:
                found = engine.query([pattern], 1, elements, formula, without=[without], required=required)[0]
            except UserError:
                found = None
            yield found if found is not None and found.hits else None


def searched(
    engine: Engine, filters: Sequence[Filters], patterns: Sequence[Pattern], without: Sequence[NDArray[np.int64]]
) -> list[list[Answer | None]]:
    """Search each pattern under each kind of its filter."""
    return [
        list(wanted.answers(engine, pattern, rows))
        for wanted, pattern, rows in zip(filters, patterns, without, strict=True)
    ]


def report(words: str, judge: Judge, answers: Sequence[Sequence[Answer | None]]) -> None:
    """Print how many answers are a match, for each kind of filter."""
    cells = []
    for name, column in zip(("elements", "exactly these elements", "formula"), zip(*answers, strict=True), strict=True):
        found = [answer for answer in column if answer is not None]
        alone = sum(judge.verdict(replace(answer, excluded=None)).kind == "match" for answer in found)
        given = sum(judge.verdict(answer).kind == "match" for answer in found)
        cells.append(f"{name}: {alone} -> {given} of {len(found)}")
    print(f"{words:<34} match by {', '.join(cells)}", flush=True)


def main() -> None:
    """Search and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("index")
    parser.add_argument("--queries", type=int, default=150)
    parser.add_argument("--severity", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    engine = Engine.open(chosen.index)
    judge = Judge.open(engine)
    rows = choose_rows(engine, chosen.queries, chosen.seed)
    patterns = simulate_all([engine.index.crystal(int(row)) for row in rows], chosen.severity, chosen.seed + 1)
    alike = lookalikes(engine.index, rows)
    own = [Filters.of(engine, int(row)) for row in rows]
    nothing = [np.empty(0, np.int64)] * len(rows)
    report("in the index, its own", judge, searched(engine, own, patterns, nothing))
    report("removed, its own", judge, searched(engine, own, patterns, alike))
    best = [Filters.of(engine, answer.hits[0].row) for answer in engine.query(patterns, 1, without=alike)]
    report("removed, those of the best hit", judge, searched(engine, best, patterns, alike))


if __name__ == "__main__":
    main()
