"""``solve``: each pattern answered and judged; crystals generated where nothing matches."""

from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from generate.console import Contents, Guests, Linkers, Metals, Seconds, Units, knowledge
from generate.limits import SEARCH_SECONDS
from search.commands.answering import Wanted, answer_file, solving
from search.commands.common import Elements, Files, Formula, HowMany, Must, passing
from search.commands.series import Drawn, SeriesFile, written_series
from search.commands.stream import Read, Tally, read_each, reported, say_refused
from search.console import DEFAULT_INDEXES, Edited, IndexNames, Wavelength, edited_lines
from search.summary import summary_table
from xtal.console import AsJson, Scheduler, errors_reported, to_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from search.commands.stream import Refused
    from search.options import Options
    from search.solution import Solution
    from search.solve import Solver
    from xtal.patterns import Lines, Pattern


OutFolder = Annotated[
    Path | None, typer.Option(callback=to_folder, help="Folder for CIF files: first hit, refined, generated.")
]
FigureFile = Annotated[
    Path | None, typer.Option(help="Pattern and fit as .svg, .pdf or .png, for print; {} is the pattern's name.")
]
DataFile = Annotated[
    Path | None, typer.Option(help="The same as CSV: 2θ, observed, calculated, background, difference.")
]


class Generate(StrEnum):
    """When crystals are generated."""

    AUTO = "auto"
    NEVER = "never"
    ALWAYS = "always"


def solve(
    files: Files,
    index: IndexNames = DEFAULT_INDEXES,
    k: HowMany = 10,
    wavelength: Wavelength = None,
    elements: Elements = "",
    must: Must = "",
    formula: Formula = "",
    contents: Contents = "",
    z: Units = 1,
    metal: Metals = None,
    linker: Linkers = None,
    guest: Guests = None,
    generate: Annotated[
        Generate, typer.Option(help="Generate crystals: auto is after a miss with something known.")
    ] = Generate.AUTO,
    count: Annotated[int, typer.Option("-n", min=1, help="Candidates to generate.")] = 10,
    steps: Annotated[int, typer.Option(min=1, max=1000, help="Of the sampler.")] = 100,
    seed: Annotated[int, typer.Option(min=0, help="Of the generation.")] = 0,
    seconds: Seconds = SEARCH_SECONDS,
    cache: Annotated[bool, typer.Option(help="Take known answers from the cache, and keep new ones.")] = True,
    out: OutFolder = None,
    left: Annotated[bool, typer.Option("--left", help="Search what the named phases leave, too.")] = False,
    refine: Annotated[bool, typer.Option("--refine", help="Refine the first hit where it is a match.")] = False,
    figure: FigureFile = None,
    data: DataFile = None,
    series: SeriesFile = None,
    is_it: Annotated[str, typer.Option("--is", help="Answer whether it is this: UiO-66, a refcode or a CIF.")] = "",
    lines: Edited = None,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="End with 4 where a pattern has no match.")] = False,
    scheduler: Scheduler = None,
    as_json: AsJson = False,
) -> None:
    """Answer each pattern: match, match and more (a mixture), another pore state, or no match and generated crystals.

    Several files are answered one after the other, each printed when it is done, with a summary at the end; a
    generation takes a minute or two. With --json one object per file and line; one that cannot be used is {"file",
    "error": {"reason", "message"}}. Exit codes: 0, 2 no file could be used, 3 some could not, 4 see --exit-code.
    """
    from generate.request import Request
    from search.options import Options

    with errors_reported():
        options = Options(
            k=k,
            **passing(elements, must, formula),
            formula=contents,
            units=z,
            generate=generate.value,
            request=Request(count, steps, seed, seconds=seconds, **knowledge(metal, linker, guest)),
        )
        table, wanted = edited_lines(lines, files), Wanted(as_json, out, refine, figure, data, is_it, left)
        wanted.check(files)
        with solving(index, cache, scheduler) as solver, written_series(series, solver) as drawn:
            tally, solved = _solved(solver, read_each(files, wavelength), files, options, table, wanted, drawn)
            if len(solved) > 1 and not as_json:
                typer.echo(summary_table(solved, solver.describer))
    tally.exit(exit_code)


def _solved(
    solver: "Solver",
    given: "Iterable[Read | Refused]",
    files: list[Path],
    options: "Options",
    table: "Callable[[Pattern], Lines | None]",
    wanted: Wanted,
    drawn: Drawn,
) -> "tuple[Tally, list[tuple[str, Solution]]]":
    """Answer files one after the other and say so; count them, and return the answers by the names of the files."""
    tally, solved = Tally(), []
    with reported(files) as report:
        for one in given:
            if isinstance(one, Read):
                solution = answer_file(solver, one, replace(options, lines=table(one.pattern)), wanted, report)
                solved.append((one.file, solution))
                tally.count(one, solution.verdict.kind == "miss")
                drawn.add(one, solution)
            else:
                say_refused(one, wanted.as_json, report)
                tally.count(one)
            report("", done=1)
    drawn.write()
    return tally, solved
