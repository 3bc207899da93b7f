"""What the controls of the page ask for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from generate.knowledge import split_metals, split_names
from generate.request import Request
from ui.inputs import Source
from ui.show.elements import Choice
from xtal.crystals import parse_elements, parse_formula, units_of

if TYPE_CHECKING:
    from search.options import Options

HITS = 10
MOST_CANDIDATES = 20  # more take longer than people look at a page
MOST_UNITS = 32  # formula units in a primitive cell


@dataclass(frozen=True)
class Question:
    """The controls as they were filled in.

    Attributes:
        elements: symbols that hits may hold; blank allows all.
        choice: text of a `Choice` in the periodic table; blank asks for nothing.
        formula: that hits must have; blank allows all.
        generate: whether crystals are generated when nothing matches and something is known of the sample.
        outright: whether they are generated whatever is found and known.
        contents: of the cell to generate; blank takes those of the nearest known crystals.
        units: how often the cell holds `contents`.
        count: candidates.
        metals: that are known to be in what is generated, with blanks between them.
        linkers: that are known to be in it, names or SMILES with semicolons between them.
        compare: “is it …?”: a name, a refcode, or the name of `cif`; blank asks for nothing.
        cif: a CIF that was dropped beside the pattern, or None.
    """

    elements: str = ""
    choice: str = ""
    formula: str = ""
    generate: bool = False
    contents: str = ""
    units: float | None = 1
    count: int = 10
    metals: str = ""
    linkers: str = ""
    compare: str = ""
    cif: Source | None = None
    outright: bool = False

    def options(self) -> "Options":
        """Return how patterns are answered; UserError when a control cannot be read."""
        from search.options import Options

        choice = Choice.parse(self.choice)
        return Options(
            k=HITS,
            elements=choice.allowed(parse_elements(self.elements)),
            required=choice.must,
            reduced_formula=parse_formula(self.formula),
            written=units_of(self.formula),
            formula=self.contents.strip(),
            units=min(max(int(self.units or 1), 1), MOST_UNITS),
            generate="always" if self.outright else "auto" if self.generate else "never",
            request=Request(
                count=min(max(int(self.count), 1), MOST_CANDIDATES),
                metals=split_metals(self.metals),
                linkers=split_names(self.linkers),
            ),
        )
