"""``watch``: scans answered as they arrive in a folder."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from search.commands.answering import Wanted, answer_file, solving
from search.commands.common import Elements, Formula, HowMany, Must, passing
from search.commands.series import SeriesFile, written_series
from search.commands.stream import Read, Tally, read_each, reported, say_refused
from search.console import DEFAULT_INDEXES, IndexNames, Wavelength
from xtal.console import AsJson, errors_reported
from xtal.errors import UserError

State = tuple[int, int]
"""Size in bytes and time of change in ns: of a file that is still being written they differ from look to look."""


def watch(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where scans arrive.")],
    index: IndexNames = DEFAULT_INDEXES,
    k: HowMany = 3,
    wavelength: Wavelength = None,
    elements: Elements = "",
    must: Must = "",
    formula: Formula = "",
    series: SeriesFile = None,
    every: Annotated[float, typer.Option(min=0.05, help="Seconds between looks into the folder.")] = 2.0,
    idle: Annotated[float, typer.Option(min=0, help="End after so many seconds without a new scan; 0: never.")] = 0.0,
    as_json: AsJson = False,
) -> None:
    """Answer the scans of a folder, and each that arrives, once it is written whole; end with Ctrl+C.

    A file that changes is answered again. With --series a figure, or a table, of phases and cells is kept up to date.
    """
    from search.options import Options

    tally, wanted = Tally(), Wanted(as_json)
    with errors_reported():
        options = Options(k=k, **passing(elements, must, formula), generate="never")
        if not folder.is_dir():
            raise UserError(f"there is no folder {folder} to watch")
        with solving(index, cache=True) as solver, reported(None) as report, written_series(series, solver) as drawn:
            typer.echo(f"watching {folder}; Ctrl+C ends it", err=True)
            try:
                for files in arrivals(folder, every, idle, series):
                    for one in read_each(files, wavelength):
                        if isinstance(one, Read):
                            drawn.add(one, answer_file(solver, one, options, wanted, report))
                        else:
                            say_refused(one, as_json, report)
                        tally.count(one)
                    drawn.write()
            except KeyboardInterrupt:
                pass
    typer.echo(f"{tally.answered} scans answered, {tally.refused} could not be used", err=True)


def arrivals(
    folder: Path, every: float, idle: float, ours: Path | None = None, sleep: Callable[[float], None] = time.sleep
) -> Iterator[list[Path]]:
    """Yield pattern files of a folder by name, each when two looks found it the same, and again when it changed.

    Args:
        folder: to look into; not into folders in it.
        every: seconds between looks.
        idle: end after so many seconds without a new file; 0 for never.
        ours: a file that is written there and no scan.
        sleep: waits.
    """
    from search.paper.series import natural

    answered: dict[Path, State] = {}
    before: dict[Path, State] = {}
    last = time.monotonic()
    while not idle or time.monotonic() - last < idle:
        now = _states(folder, ours)
        whole = [file for file, state in now.items() if before.get(file) == state != answered.get(file)]
        if whole:
            answered |= {file: now[file] for file in whole}
            yield sorted(whole, key=lambda path: natural(path.name))
            last = time.monotonic()
        before = now
        sleep(every)


def _states(folder: Path, ours: Path | None) -> dict[Path, State]:
    """Return the pattern files of a folder as they are now."""
    from xtal.readers import SUFFIXES

    found: dict[Path, State] = {}
    written = None if ours is None else ours.resolve()
    for path in folder.iterdir():
        if path.suffix.lower() not in SUFFIXES or path.name.startswith(".") or path.resolve() == written:
            continue
        try:
            state = path.stat()
        except OSError:  # gone since
            continue
        found[path] = (state.st_size, state.st_mtime_ns)
    return found
