"""``query``: the search alone."""

import json
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from search.commands.common import Elements, Files, Formula, HowMany, Must, passing
from search.commands.stream import Read, Refused, Tally, growing, read_each, reported, say_read, say_refused, with_file
from search.console import DEFAULT_INDEXES, Edited, IndexNames, Wavelength, as_text, crew_for, edited_lines
from xtal.console import AsJson, GpuWorkers, Scheduler, errors_reported, spelled

if TYPE_CHECKING:
    from indexer.crew import Crew
    from search.answer import Answer
    from search.engine import Engine
    from xtal.patterns import Lines, Pattern

    Batch = list[Read | Refused]
    EditedLines = Callable[[Pattern], Lines | None]


def query(
    files: Files,
    index: IndexNames = DEFAULT_INDEXES,
    k: HowMany = 10,
    wavelength: Wavelength = None,
    elements: Elements = "",
    must: Must = "",
    formula: Formula = "",
    copies: Annotated[bool, typer.Option("--copies", help="List every copy of a structure in the index.")] = False,
    lines: Edited = None,
    scheduler: Scheduler = None,
    gpu_workers: GpuWorkers = False,
    as_json: AsJson = False,
) -> None:
    """Find the structures whose diffraction fits each pattern, best first; each is printed when it is done.

    With --json one object per file and line; one that cannot be used is {"file", "error": {"reason", "message"}}.
    """
    tally = Tally()
    with errors_reported():
        asked, table = passing(elements, must, formula), edited_lines(lines, files)
        kept = {"elements": asked["elements"], "formula": asked["reduced_formula"], "required": asked["required"]}
        what = {"k": k, "copies": copies, **kept}
        with crew_for(index, scheduler, gpu_workers) as crew, reported(files) as report:
            for batch, answers in _answered(crew, growing(read_each(files, wavelength)), table, what):
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


def _answered(
    crew: "Crew[Engine]", batches: "Iterator[Batch]", table: "EditedLines", what: dict[str, Any]
) -> "Iterator[tuple[Batch, Iterator[Answer]]]":
    """Yield each batch with the answers to what could be read."""
    from search.cluster import Asked, answers

    waiting: deque[Batch] = deque()

    def asked() -> Iterator[Asked]:
        """Remember each batch until it is answered."""
        for batch in batches:
            waiting.append(batch)
            patterns = [one.pattern for one in batch if isinstance(one, Read)]
            yield Asked(patterns, [table(pattern) for pattern in patterns])

    for found in crew.map(partial(answers, **what), asked()):
        yield waiting.popleft(), iter(found)


def _line(one: Read, answer: "Answer", as_json: bool) -> str:
    """Return what one file is answered with."""
    return json.dumps(with_file(one, answer), ensure_ascii=False) if as_json else as_text(answer, one.source)


def _chosen(index: list[str]) -> str:
    """Return the options that name these indexes, none for the default ones."""
    return "" if index == DEFAULT_INDEXES else "".join(f" --index {name}" for name in index)
