"""Pattern files one after the other: each read when its turn comes, and one that cannot be used passed on with why."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import typer

from xtal.console import ADVICE, PARTIAL, USAGE
from xtal.errors import UserError

if TYPE_CHECKING:
    from search.answer import Answer
    from xtal.patterns import Pattern

STDIN = Path("-")
NO_PATTERN, UNREADABLE = "no_pattern", "unreadable"
MOST_AT_ONCE = 16  # patterns of a batch
NO_MATCH = 4  # exit code, where asked for
ALIKE = 1e-3  # relative: wavelengths of one line in the tables of different programs
Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class Read:
    """A file that was read.

    Attributes:
        file: as it was named.
        pattern: that it holds; its own `source` begins with the name of the file, without folders.
        overridden: wavelength in Å that the file states, where another one was chosen; None where it states no other.
    """

    file: str
    pattern: "Pattern"
    overridden: float | None = None

    @property
    def source(self) -> str:
        """The file as it was named, and what the reader has to say of it."""
        return self.file + self.pattern.source.removeprefix(Path(self.file).name)


@dataclass(frozen=True)
class Refused:
    """A file that cannot be used.

    Attributes:
        file: as it was named.
        reason: for programs: `unreadable`, `no_pattern`, `structure`, `no_wavelength`, `several_wavelengths`, or
            `refused` where the search itself could not answer.
        message: for people.
    """

    file: str
    reason: str
    message: str

    def as_data(self) -> dict[str, Any]:
        """Return it as a line of JSON says it."""
        error = asdict(self)
        return {"file": error.pop("file"), "error": error}


class Tally:
    """How many files were answered, missed and refused, and the exit code that this makes."""

    def __init__(self) -> None:
        self.answered, self.missed, self.refused = 0, 0, 0

    def count(self, one: "Read | Refused", missed: bool = False) -> None:
        """Count a file that is done."""
        if isinstance(one, Refused):
            self.refused += 1
        else:
            self.answered, self.missed = self.answered + 1, self.missed + missed

    def exit(self, tell_misses: bool = False) -> None:
        """Raise ``typer.Exit``: 3 where some files were refused, 2 where all were, 4 for a miss if it is to be told."""
        if self.refused:
            raise typer.Exit(PARTIAL if self.answered else USAGE)
        if tell_misses and self.missed:
            raise typer.Exit(NO_MATCH)


def read_each(files: Iterable[Path], wavelength: str | None) -> Iterator[Read | Refused]:
    """Read files when they are asked for; ``-`` is standard input.

    Raises:
        UserError: the wavelength is none.
    """
    from xtal.patterns import parse_wavelength

    chosen = None if wavelength is None else parse_wavelength(wavelength)
    for file in files:
        yield _from_stdin(chosen) if file == STDIN else _read(file, str(file), chosen)


def _from_stdin(chosen: float | None) -> Read | Refused:
    with TemporaryDirectory() as folder:
        place = Path(folder) / "stdin"
        place.write_bytes(sys.stdin.buffer.read())
        return _read(place, "stdin", chosen)


def _read(path: Path, name: str, chosen: float | None) -> Read | Refused:
    """Read one file, which people know by `name`."""
    from xtal.readers import read_pattern

    try:
        pattern = read_pattern(path, chosen)
    except (UserError, OSError) as error:
        return refused(name, error, NO_PATTERN)
    return Read(name, pattern, None if chosen is None else _overridden(path, chosen))


def refused(name: str, error: UserError | OSError, reason: str) -> Refused:
    """Return why a file cannot be used; `reason` is for an error that names none."""
    if isinstance(error, UserError):
        return Refused(name, error.reason or reason, error.told(ADVICE))
    return Refused(name, UNREADABLE, str(error))


def _overridden(path: Path, chosen: float) -> float | None:
    """Return the wavelength that a file states, in Å, where it is not the `chosen` one."""
    from xtal.readers import read_pattern

    try:
        stated = read_pattern(path).wavelength
    except UserError:
        return None
    return stated if abs(stated / chosen - 1) > ALIKE else None


def with_file(one: Read, answer: "Answer") -> dict[str, Any]:
    """Return an answer as JSON has it, with the file as it was named and the wavelength that was not used."""
    from search.console import as_data

    data = {"file": one.file, **as_data(answer)}
    data["pattern"]["source"] = one.source
    data["pattern"]["overridden_wavelength"] = one.overridden
    return data


def growing(items: Iterable[Item], most: int = MOST_AT_ONCE) -> Iterator[list[Item]]:
    """Gather items in lists of 1, 2, 4, ... and then always `most`: the first one is not kept waiting."""
    batch: list[Item] = []
    size = 1
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch, size = [], min(2 * size, most)
    if batch:
        yield batch


class Report(Protocol):
    """Prints lines while a bar may stand on stderr, and moves that bar."""

    def __call__(self, line: str, *, err: bool = False, done: int = 0) -> None:
        """Print a line on stdout or stderr unless it is empty; `done` more files are finished."""


@contextmanager
def reported(files: Sequence[Path] | None) -> Iterator[Report]:
    """Offer what prints; of several `files` a bar on stderr shows how many are done, None are not counted."""
    from tqdm import tqdm

    many = files is not None and len(files) > 1
    with tqdm(total=len(files or ()), unit=" files", disable=not many, dynamic_ncols=True) as bar:

        def report(line: str, *, err: bool = False, done: int = 0) -> None:
            """Print above the bar."""
            if line:
                with tqdm.external_write_mode(file=sys.stderr):
                    typer.echo(line, err=err)
            bar.update(done)

        yield report


def say_read(one: Read, report: Report) -> None:
    """Say on stderr that the wavelength which a file states is not used."""
    if one.overridden is not None:
        used = f"{one.pattern.wavelength:.5f} Å is used, as --wavelength asks"
        report(f"note: {one.file} states {one.overridden:.5f} Å; {used}", err=True)


def say_refused(one: Refused, as_json: bool, report: Report) -> None:
    """Say on stderr why a file was refused, and to programs on stdout."""
    report(f"error: {one.message}", err=True)
    report(json.dumps(one.as_data(), ensure_ascii=False) if as_json else "")
