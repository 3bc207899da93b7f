"""The file behind the cache: opened by one process, made new when missing, moved aside when damaged."""

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import duckdb

from generate.candidate import Candidate
from search.answer import Hit
from search.cache.rows import PatternRow, QueryRow, columns
from xtal.errors import UserError

VERSION = 1
TABLES = (
    f"CREATE TABLE queries ({columns(QueryRow)})",
    f"CREATE TABLE patterns (key TEXT, {columns(PatternRow)})",
    f"CREATE TABLE hits (key TEXT, {columns(Hit)})",
    f"CREATE TABLE candidates (key TEXT, {columns(Candidate)})",
)
CONFIGURATION: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": False,  # nothing in the file or in a query can reach other files or load code
    "lock_configuration": True,
    "threads": 1,  # rows are few; a search that runs beside needs the cores more
    "memory_limit": "512MB",  # DuckDB would take 80 % of the machine
}
DAMAGED = ("not a valid DuckDB", "Corrupt", "replaying WAL", "Could not read enough bytes", "Failed to deserialize")
NEWER = "Trying to read a database file with version number"
HOLDER = re.compile(r"held in (?P<program>.+?) \(PID (?P<pid>\d+)\)")


@dataclass(frozen=True, eq=False)
class Opened:
    """A connection, or None where nothing can be cached, and what the user should know of it ("" when all is well).

    `held` says that it is another process that has the file.
    """

    connection: duckdb.DuckDBPyConnection | None
    notice: str = ""
    held: bool = False


def open_file(path: Path) -> Opened:
    """Open the cache file, or make one.

    A file that is damaged, or of an older version of the program, is moved aside; see `set_aside`.

    Raises:
        UserError: a newer version of the program made the file.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = duckdb.connect(str(path), config=CONFIGURATION)
        with _closed_on_error(connection):
            problem = _prepared(connection, path)
        if not problem:
            return Opened(connection)
        connection.close()
    except (duckdb.Error, OSError) as error:
        if NEWER in str(error):
            raise _too_new(path) from None
        if not is_damage(error) and not isinstance(error, duckdb.InternalException):
            return Opened(None, _unavailable(path, error), HOLDER.search(str(error)) is not None)
        problem = f"is damaged ({_first_line(error)})"
    return _renewed(path, problem)


def is_damage(error: Exception) -> bool:
    """Tell whether an error of DuckDB means that the file's content is broken, not that it cannot be reached."""
    return any(words in str(error) for words in DAMAGED)


def set_aside(path: Path) -> Path:
    """Rename the file to ``NAME.damaged-TIME`` (UTC), with its write-ahead log, and return the new name.

    Nothing is deleted: DuckDB can still open what it can read of it.
    """
    name = f"{path.name}.damaged-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    numbered = (path.with_name(name if n == 1 else f"{name}-{n}") for n in count(1))
    aside = next(free for free in numbered if not free.exists())
    log = path.with_name(f"{path.name}.wal")
    if log.exists():  # first, so that a new file never meets an old log
        log.rename(aside.with_name(f"{aside.name}.wal"))
    path.rename(aside)
    return aside


def _renewed(path: Path, problem: str) -> Opened:
    """Move a useless file aside and open a new one."""
    try:
        aside = set_aside(path)
        connection = duckdb.connect(str(path), config=CONFIGURATION)
        with _closed_on_error(connection):
            _prepared(connection, path)
    except (duckdb.Error, OSError) as error:
        return Opened(None, f"the cache {path} {problem}, and no new one could be made: {_first_line(error)}")
    return Opened(connection, f"the cache {path} {problem}; it was moved to {aside.name} and a new one begun")


def _prepared(connection: duckdb.DuckDBPyConnection, path: Path) -> str:
    """Make the tables where there are none; return what is wrong with those that are there, "" when nothing is."""
    found = {name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    if not found:
        connection.begin()
        for table in TABLES:
            connection.execute(table)
        connection.execute("CREATE TABLE version (number BIGINT, tables TEXT)")
        connection.execute("INSERT INTO version VALUES (?, ?)", [VERSION, "\n".join(TABLES)])
        connection.commit()
        return ""
    row = connection.execute("SELECT number, tables FROM version").fetchone() if "version" in found else None
    if row is not None and row[0] > VERSION:
        raise _too_new(path)
    return "" if row == (VERSION, "\n".join(TABLES)) else "was made by an older version of the program"


@contextlib.contextmanager
def _closed_on_error(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let go of the file when the block fails."""
    try:
        yield
    except (duckdb.Error, UserError):
        connection.close()
        raise


def _too_new(path: Path) -> UserError:
    return UserError(
        f"the cache {path} was made by a newer version of the program; this one reads version {VERSION}. "
        "Update the program, or move the file away"
    )


def _unavailable(path: Path, error: Exception) -> str:
    """Say why nothing is cached, and who holds the file where DuckDB tells."""
    holder = HOLDER.search(str(error))
    if holder is None:
        return f"nothing is cached: {path} cannot be opened: {_first_line(error)}"
    return f"nothing is cached: process {holder['pid']} ({Path(holder['program']).name}) holds {path}"


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
