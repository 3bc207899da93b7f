"""``query``: the search alone."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from search.commands.stream import Read, Tally, growing, read_each, reported, say_read, say_refused, with_file
from search.console import DEFAULT_INDEXES, Edited, IndexNames, Wavelength, as_text, edited_lines, opened
from xtal.console import AsJson, errors_reported, spelled

if TYPE_CHECKING:
    from search.answer import Answer


def query(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Pattern files; - is standard input.")],
    index: IndexNames = DEFAULT_INDEXES,
    k: Annotated[int, typer.Option("-k", min=1, help="Hits per pattern.")] = 10,
    wavelength: Wavelength = None,
    elements: Annotated[str, typer.Option(help="Only structures made of these: Zn,C,H,O.")] = "",
    must: Annotated[str, typer.Option(help="Only structures that hold all of these: Zn.")] = "",
    formula: Annotated[str, typer.Option(help="Only structures of this composition: Zn4O13C24H12.")] = "",
    copies: Annotated[bool, typer.Option("--copies", help="List every copy of a structure in the index.")] = False,
    lines: Edited = None,
    as_json: AsJson = False,
) -> None:
    """Find the structures whose diffraction fits each pattern, best first; each is printed when it is done.

    With --json one object per file and line; one that cannot be used is {"file", "error": {"reason", "message"}}.
    """
    from xtal.crystals import parse_elements, parse_formula

    tally = Tally()
    with errors_reported():
        allowed, wanted = parse_elements(elements), parse_formula(formula)
        required = parse_elements(must) or frozenset()
        table = edited_lines(lines, files)
        engine = opened(index)
        with reported(files) as report:
            for batch in growing(read_each(files, wavelength)):
                good = [one for one in batch if isinstance(one, Read)]
                found = engine.query(
                    [one.pattern for one in good],
                    k,
                    allowed,
                    wanted,
                    copies=copies,
                    required=required,
                    lines=[table(one.pattern) for one in good],
                )
                answers = iter(found)
                for one in batch:
                    if isinstance(one, Read):
                        say_read(one, report)
                        report(_line(one, next(answers), as_json), done=1)
                    else:
                        say_refused(one, as_json, report)
                        report("", done=1)
                    tally.count(one)
    tally.exit()
    if not as_json:
        typer.echo(f"Look at it: {spelled('ui')}" + _chosen(index))


def _line(one: Read, answer: "Answer", as_json: bool) -> str:
    """Return what one file is answered with."""
    return json.dumps(with_file(one, answer), ensure_ascii=False) if as_json else as_text(answer, one.source)


def _chosen(index: list[str]) -> str:
    """Return the options that name these indexes, none for the default ones."""
    return "" if index == DEFAULT_INDEXES else "".join(f" --index {name}" for name in index)
