"""What a pattern is answered with, and the news while it is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from generate.preview import Preview
from generate.request import Request
from search.answer import Answer
from search.verdict import Verdict
from xtal.patterns import Lines

Generate = Literal["auto", "never", "always"]


@dataclass(frozen=True)
class Options:
    """What a pattern is answered with.

    Attributes:
        k: hits.
        elements: symbols; entries and generated crystals hold no others. None allows all.
        required: symbols; entries that lack one of them are passed over.
        reduced_formula: entries of another one (Hill order) are passed over, and crystals are generated with it where
            no contents are given; None allows all.
        written: reduced formulas in the formula as it was written, whole ones of which a cell probably holds.
        formula: contents of the primitive cell over `units`, used where crystals are generated; blank when unknown.
        units: formula units per primitive cell.
        generate: ``auto`` after a miss, ``never``, or ``always``.
        request: how crystals are generated.
        lines: to search, judge and generate with, as a person edited them (`search.edited_lines.lines_at`); None takes
            those found in the pattern.
    """

    k: int = 10
    elements: frozenset[str] | None = None
    required: frozenset[str] = frozenset()
    reduced_formula: str | None = None
    written: int = 1
    formula: str = ""
    units: int = 1
    generate: Generate = "auto"
    request: Request = field(default_factory=lambda: Request(count=10))
    lines: Lines | None = None

    @property
    def held(self) -> tuple[str, int | None]:
        """What is generated: a formula, blank when unknown, and how often a primitive cell holds it, if known."""
        if self.formula.strip() or not self.reduced_formula:
            return self.formula.strip(), self.units
        return f"({self.reduced_formula}){self.written}", None


@dataclass(frozen=True, eq=False)
class Event:
    """News while a pattern is being answered: the search with its verdict first, then each step of a generation.

    `key` is that of the solution to come, under which what is known so far is kept.
    """

    answer: Answer
    verdict: Verdict
    preview: Preview | None = None
    key: str = ""


Watch = Callable[[Event], None]
"""Hears of everything; to cancel the generation, it raises `Cancelled`."""
GoOn = Callable[[], None]
"""Asked whether to go on; to cancel the generation, it raises `Cancelled`."""
