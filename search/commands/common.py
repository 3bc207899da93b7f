"""What the commands that search take alike: files, how many hits, and which entries may be hits."""

from pathlib import Path
from typing import Annotated, TypedDict

import typer

Files = Annotated[list[Path], typer.Argument(metavar="FILE...", help="Pattern files; - is standard input.")]
HowMany = Annotated[int, typer.Option("-k", min=1, help="Hits per pattern.")]
Elements = Annotated[str, typer.Option(help="Only structures made of these: Zn,C,H,O.")]
Must = Annotated[str, typer.Option(help="Only structures that hold all of these: Zn.")]
Formula = Annotated[str, typer.Option(help="Only structures of this composition, in any multiple: C8H4O5Zn.")]


class Passing(TypedDict):
    """Which entries may be hits, as `search.options.Options` takes it."""

    elements: frozenset[str] | None
    required: frozenset[str]
    reduced_formula: str | None
    written: int


def passing(elements: str, must: str, formula: str) -> Passing:
    """Read what was typed; UserError where it names no elements or is no formula."""
    from xtal.crystals import parse_elements, parse_formula, units_of

    required = parse_elements(must) or frozenset()
    return {
        "elements": parse_elements(elements),
        "required": required,
        "reduced_formula": parse_formula(formula),
        "written": units_of(formula),
    }
