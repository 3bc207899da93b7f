"""What the commands of the search share: opening, reading, and an answer as text or data."""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xtal.console import ADVICE, progress_bars
from xtal.errors import UserError

if TYPE_CHECKING:
    from indexer.crew import Crew
    from search.answer import Answer, Hit, Phase
    from search.engine import Engine
    from xtal.patterns import Lines, Pattern

IndexNames = Annotated[
    list[str],
    typer.Option("--index", help="Index to search, several as one; default ones are built when missing."),
]
DEFAULT_INDEXES = ["coremof2019-asr", "lab"]  # not out of `indexer.default`: that import takes longer than --help may
Wavelength = Annotated[
    str | None,
    typer.Option(help="CuKa, MoKa, CoKa, ..., a number in Å, or an energy like '17.4 keV'; wins over the file's own."),
]
Edited = Annotated[
    Path | None,
    typer.Option(
        "--lines",
        metavar="LINES.csv",
        help="Search one pattern with these lines, not those found: two_theta,intensity[,width] in degrees, any unit.",
    ),
]
LINE = ("two_theta", "d", "intensity", "width")  # degrees, Å, area as measured (strongest 100), degrees


def opened(index: str | Sequence[str]) -> "Engine":
    """Open an index, or several as one; build default ones first when they are missing."""
    from indexer.storage.folders import built_names
    from indexer.storage.joined import JOINT, split
    from search.engine import Engine

    name = index if isinstance(index, str) else JOINT.join(index)
    if not set(split(name)) <= set(built_names()):
        import models
        from indexer.default import build_if_missing

        with progress_bars() as progress:
            build_if_missing(name, models.load(), progress)
    return Engine.open(name)


@contextmanager
def crew_for(index: str | Sequence[str], scheduler: str | None, gpu: bool) -> "Iterator[Crew[Engine]]":
    """Open an index as `opened` does, here and on the workers of a cluster."""
    from indexer.crew import elsewhere
    from indexer.storage.joined import JOINT
    from search.cluster import searchers

    where = elsewhere(scheduler, gpu)
    with searchers(index if isinstance(index, str) else JOINT.join(index), where, opened(index)) as crew:
        yield crew


def read_all(files: Sequence[Path], wavelength: str | None) -> tuple[list["Pattern"], int]:
    """Read all files; one that cannot be used is reported and counted, the others go on."""
    from xtal.patterns import parse_wavelength
    from xtal.readers import read_pattern

    chosen = None if wavelength is None else parse_wavelength(wavelength)
    patterns, refused = [], 0
    for file in files:
        try:
            patterns.append(read_pattern(file, chosen))
        except (UserError, OSError) as error:
            typer.echo(f"error: {error.told(ADVICE) if isinstance(error, UserError) else error}", err=True)
            refused += 1
    return patterns, refused


def edited_lines(file: Path | None, files: Sequence[Path]) -> "Callable[[Pattern], Lines | None]":
    """Return what reads the lines that a person edited for the pattern of the one file; None where none are given.

    Raises:
        UserError: there are several patterns.
    """
    if file is not None and len(files) != 1:
        raise UserError(f"--lines {file} belongs to one pattern, got {len(files)}; search for that one alone")

    def lines(pattern: "Pattern") -> "Lines | None":
        """Read them; UserError when they cannot be used."""
        from search.edited_lines import read_lines

        return None if file is None else read_lines(file, pattern)

    return lines


def as_data(answer: "Answer") -> dict[str, Any]:
    """Return one answer as it is printed with --json."""
    from search.edited_lines import measured_lines

    pattern = answer.pattern
    low, high = pattern.q_range
    return {
        "pattern": {
            "source": pattern.source,
            "wavelength": pattern.wavelength,
            "points": len(pattern),
            "two_theta_range": [float(pattern.two_theta[0]), float(pattern.two_theta[-1])],
            "q_range": [low, high],
            "lines": len(answer.lines),
        },
        "lines": [_line(row) for row in measured_lines(answer.lines, pattern.wavelength).tolist()],
        "lines_edited": answer.edited,
        "hits": [asdict(hit) for hit in answer.hits],
        "timings": asdict(answer.timings),
    }


def _line(row: Sequence[float]) -> dict[str, float | None]:
    """Return a row of `measured_lines` by name; a width that is not known is None, for JSON has no NaN."""
    return {name: None if math.isnan(value) else value for name, value in zip(LINE, row, strict=True)}


def facts_text(answer: "Answer", source: str) -> str:
    """Return what was searched for, in one line; `source` is what people call its file."""
    pattern = answer.pattern
    return (
        f"{source}: {len(pattern)} points, 2θ {pattern.two_theta[0]:.2f} to {pattern.two_theta[-1]:.2f}°, "
        f"λ = {pattern.wavelength:.5f} Å, {len(answer.lines)} {'edited ' * answer.edited}peaks, "
        f"{1000 * answer.timings.total:.0f} ms"
    )


def as_text(answer: "Answer", source: str) -> str:
    """Return an answer that was not judged as a table."""
    facts = facts_text(answer, source)
    cells = [("rank", "id", "formula", "fit", "similarity", "cell", "zero", "copies"), *map(_cells, answer.hits)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    left = {1, 2}  # words to the left, numbers to the right
    rows = [
        "  ".join(c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        for row in cells
    ]
    doubts = [f"  {hit.id}: {hit.overlaps} pairs of its atoms overlap" for hit in answer.hits if hit.overlaps]
    return "\n".join([facts, *rows, *doubts] if answer.hits else [facts, "no structure found"])


def phase_table(phases: Sequence["Phase"], names: Sequence[str]) -> str:
    """Return the phases that explain a pattern together, and what each is called, as a table."""
    head = ("phase", "name", "id", "formula", "likely", "weight", "intensity", "cell")
    cells = [head, *map(_phase_cells, phases, names)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    left = {1, 2, 3}
    return "\n".join(
        "  ".join(c.ljust(w) if i in left else c.rjust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True)))
        for row in cells
    )


def _phase_cells(phase: "Phase", name: str) -> tuple[str, ...]:
    """Return one phase as the cells of a table row."""
    from search.verdict import percent

    hit = phase.hit
    return (
        f"{hit.rank}",
        name,
        hit.id,
        hit.formula,
        percent(phase.probability),
        f"{phase.share:.0%}",
        f"{phase.intensity:.0%}",
        "" if hit.scale is None else f"{hit.scale - 1:+.2%}",
    )


def _cells(hit: "Hit") -> tuple[str, ...]:
    """Return one hit as the cells of a table row; what was not fitted stays empty."""
    return (
        f"{hit.rank}",
        hit.id,
        hit.formula,
        "" if hit.fit is None else f"{hit.fit:.3f}",
        f"{hit.similarity:.3f}",
        "" if hit.scale is None else f"{hit.scale - 1:+.2%}",
        "" if hit.zero_shift is None else f"{hit.zero_shift:+.3f}°",
        f"{hit.group_size}",
    )
