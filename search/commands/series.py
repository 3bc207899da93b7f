"""The figure or table of a series, written while its scans are answered."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from xtal.errors import UserError
from xtal.figure import check_figure

if TYPE_CHECKING:
    from search.commands.stream import Read
    from search.paper.series import SeriesScan
    from search.solution import Solution
    from search.solve import Solver

TABLE = ".csv"
SeriesFile = Annotated[
    Path | None,
    typer.Option("--series", help="Phases and cells from scan to scan, as .svg, .pdf, .png, or .csv for the numbers."),
]


class Drawn:
    """The scans of a series so far, and the file that shows them."""

    def __init__(self, path: Path | None, solver: "Solver") -> None:
        self._path, self._solver = path, solver
        self._scans: dict[str, SeriesScan] = {}

    def add(self, one: "Read", solution: "Solution") -> None:
        """Add a scan; a file that was answered before is replaced."""
        from search.paper.series import scan_of

        if self._path is not None:
            self._scans[one.file] = scan_of(self._solver.engine, solution, one.file)

    def write(self) -> None:
        """Write the file, once there are two scans."""
        from search.paper.series import series_csv
        from search.paper.series_figure import series_bytes

        if self._path is None or len(self._scans) < 2:
            return
        scans = list(self._scans.values())
        table = self._path.suffix.lower() == TABLE
        content = series_csv(scans).encode("utf-8") if table else series_bytes(scans, self._path.suffix)
        self._path.write_bytes(content)


@contextmanager
def written_series(path: Path | None, solver: "Solver") -> Iterator[Drawn]:
    """Offer what gathers scans; UserError where the file cannot be written."""
    if path is not None and path.suffix.lower() != TABLE:
        check_figure(path)
    elif path is not None and not path.absolute().parent.is_dir():
        raise UserError(f"there is no folder {path.parent} for {path.name}; make it first")
    yield Drawn(path, solver)
