"""What the controls of the page ask for."""

from dataclasses import dataclass

from generate.engine import Request
from ui.job import Asked
from xtal.formula import parse_elements, parse_formula
from xtal.pattern import Pattern

HITS = 10
MOST_CANDIDATES = 20  # more take longer than people look at a page
MOST_UNITS = 32  # formula units in a primitive cell


@dataclass(frozen=True)
class Question:
    """The controls as they were filled in.

    Attributes:
        elements: symbols that hits may hold; blank allows all.
        formula: that hits must have; blank allows all.
        generate: whether crystals are generated when nothing matches.
        contents: of the cell to generate; blank takes those of the nearest known crystals.
        units: how often the cell holds `contents`.
        count: candidates.
    """

    elements: str = ""
    formula: str = ""
    generate: bool = False
    contents: str = ""
    units: float | None = 1
    count: int = 10

    def asked(self, pattern: Pattern) -> Asked:
        """Return the question about a pattern; UserError when a control cannot be read."""
        from search.solve import Options

        options = Options(
            k=HITS,
            elements=parse_elements(self.elements),
            formula=self.contents.strip(),
            units=min(max(int(self.units or 1), 1), MOST_UNITS),
            generate="auto" if self.generate else "never",
            request=Request(count=min(max(int(self.count), 1), MOST_CANDIDATES)),
        )
        return Asked(pattern, options, parse_formula(self.formula))
