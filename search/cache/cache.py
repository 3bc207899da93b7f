"""The result cache: a pattern that was answered before is answered from a file."""

import contextlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

import duckdb

from search.cache.file import is_damage, set_aside
from search.cache.history import HistoryEntry, Record, as_utc, write_records
from search.cache.key import Origin, canonical
from search.cache.rows import Entry
from search.cache.shared import PATIENCE, Shared
from search.cache.sql import count, forget, keys, latest, put, record, resolved
from search.solution import Solution
from xtal import settings as places
from xtal.errors import UserError
from xtal.patterns import Pattern

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

LIMIT = 5000  # queries; about 50 kB each with their patterns
TRIMMED = 100  # when there are too many, one of so many goes at once: each time takes as long as a few stores
Result = TypeVar("Result")


class CacheError(UserError):
    """Nothing can be cached: another process holds the file, or it cannot be read or written."""

    exit_code: ClassVar[int] = 1


class Cache:
    """Solutions in one DuckDB file, which processes lend each other; safe to use from several threads.

    Where the file cannot be had, and after it failed, the cache finds and stores nothing and `notice` says why: a
    search goes on without it. Commands that are about the cache itself raise `CacheError` then.

    Attributes:
        path: of the file.
        notice: what the user should know, "" when all is well.
    """

    def __init__(self, file: Shared, limit: int) -> None:
        self.path, self._file, self._limit = file.path, file, limit
        self._turn = file.turns
        self._failure = ""
        self._lock = threading.RLock()
        self._keys: dict[str, None] | None = None  # of all queries, oldest first; None when they have to be read
        self._waiting: list[_Waiting] = []

    @classmethod
    def open(cls, path: Path | None = None, limit: int = LIMIT, seconds: float = PATIENCE) -> Self:
        """Open the cache or begin one; a damaged file, or one of an older version, is moved aside, never deleted.

        Args:
            path: of the file; by default ``cache.duckdb`` in the program's folder.
            limit: how many queries are kept at most; the oldest go first.
            seconds: that a process which holds the file has to lend it.

        Raises:
            UserError: a newer version of the program made the file.
        """
        path = places.home() / "cache.duckdb" if path is None else path
        return cls(Shared(path, seconds), limit)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """Return the number of queries; 0 where nothing can be cached."""
        with contextlib.suppress(CacheError):
            return self._read(count)
        return 0

    @property
    def usable(self) -> bool:
        """Whether anything can be found and stored."""
        return self._file.usable

    @property
    def notice(self) -> str:
        """What the user should know, "" when all is well."""
        return self._failure or self._file.notice

    def close(self) -> None:
        """Give the file back, so that another process can open it; further calls find and store nothing."""
        with self._lock:
            if self._file.usable:
                self._file.give_up(f"the cache {self.path} is closed")

    def find(self, key: str, pattern: Pattern | None = None) -> Solution | None:
        """Return the solution stored under a key, marked as cached, or None.

        Args:
            key: of `search.cache.key.solution_key`.
            pattern: that was asked for; the solution then carries it, with the name of its file, instead of the stored
                pattern, which has the same numbers and perhaps another name.
        """
        with contextlib.suppress(CacheError):
            if key in self._known():
                found = self._read(lambda cursor: record(cursor, key, pattern))
                return None if found is None else found.solution
        return None

    def store(
        self, solution: Solution, settings: "Mapping[str, Any] | DataclassInstance", origin: Origin, label: str = ""
    ) -> bool:
        """Store a solution under its key, instead of an older one; once this returns True it survives a crash.

        What several threads want to store while another writes is written together, for which the file takes hardly
        longer than for one.

        Returns:
            Whether it was stored; if not, `notice` says why.
        """
        if not re.fullmatch("[0-9a-f]{64}", solution.key):
            raise ValueError(f"a solution is stored under its key, 64 hexadecimal digits, got {solution.key!r}")
        mine = _Waiting(Entry.of(solution, canonical(settings), origin, label))
        self._waiting.append(mine)
        with self._lock:
            if mine.stored is None:
                waiting = list(dict.fromkeys([*self._waiting, mine]))
                self._waiting = []
                self._store(waiting)
        return bool(mine.stored)

    def by_id(self, prefix: str) -> Solution:
        """Return the solution whose key begins so; UserError unless there is exactly one."""
        return self.stored(prefix).solution

    def stored(self, prefix: str) -> Record:
        """Return the solution whose key begins so, with its settings and origin; UserError unless there is one."""
        found = self._read(lambda cursor: record(cursor, resolved(cursor, prefix)))
        if found is None:
            raise UserError(f"query {prefix} was forgotten just now")
        return found

    def history(self, limit: int = 20, search: str = "") -> list[HistoryEntry]:
        """Return the latest queries, newest first.

        Args:
            limit: how many at most.
            search: words that source, label, index, verdict or the first hit's name, id or formula must hold.
        """
        with contextlib.suppress(CacheError):
            return self._read(lambda cursor: latest(cursor, limit, search))
        return []

    def forget(self, prefix: str) -> int:
        """Remove the query whose key begins so; UserError unless there is exactly one. Returns how many, 1."""
        return self._forget(lambda connection: forget(connection, "key = ?", resolved(connection, prefix)))

    def forget_before(self, moment: datetime) -> int:
        """Remove all queries older than a moment (local time if it names no zone); return how many."""
        return self._forget(lambda connection: forget(connection, "created < ?", as_utc(moment)))

    def forget_all(self) -> int:
        """Remove everything; return how many queries."""
        return self._forget(lambda connection: forget(connection, "true"))

    def export(self, path: Path) -> int:
        """Write every query with its hits and candidates (CIF text) as one line of JSON, oldest first; return how many.

        Raises:
            UserError: the file exists.
        """
        found = (self._read(partial(record, key=key)) for key in self._read(keys))
        return write_records((each for each in found if each is not None), path)

    def _read(self, work: Callable[[duckdb.DuckDBPyConnection], Result]) -> Result:
        """Do some reading of one state of the file, on a connection of its own; CacheError when that fails."""
        try:
            with self._opened() as connection, connection.cursor() as cursor:
                cursor.begin()
                return work(cursor)
        except duckdb.Error as error:
            raise self._failed(error) from None

    def _write(self, work: Callable[[duckdb.DuckDBPyConnection], Result]) -> Result:
        """Do some writing, all of it or nothing, one thread at a time; CacheError when that fails."""
        with self._lock:
            try:
                with self._opened() as connection, _transaction(connection):
                    return work(connection)
            except duckdb.Error as error:
                raise self._failed(error) from None

    @contextlib.contextmanager
    def _opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Hold the file for the block; CacheError where it cannot be had."""
        with self._file.used() as connection:
            if connection is None:
                raise CacheError(self.notice)
            if self._turn != self._file.turns:  # another process had it
                self._turn, self._keys = self._file.turns, None
            yield connection

    def _known(self) -> dict[str, None]:
        """Return the keys of all queries, oldest first; CacheError when they cannot be read."""
        known = self._keys
        if known is None:
            with self._lock:
                known = self._keys = dict.fromkeys(self._read(keys))
        return known

    def _store(self, waiting: "list[_Waiting]") -> None:
        """Store all that wait at once, or, where that fails, one after the other: only some of them may be at fault."""
        together = len(waiting) > 1 and self._stored([one.entry for one in waiting])
        for one in waiting:
            one.stored = together or self._stored([one.entry])

    def _stored(self, entries: list[Entry]) -> bool:
        """Write solutions, and remove the oldest when there are more than the limit; tell whether that was done."""
        with contextlib.suppress(CacheError), self._opened():
            known = self._known()
            latest = {entry.key: entry for entry in entries[-self._limit :]}
            replaced = [key for key in latest if key in known]
            surplus = len(known) - len(replaced) + len(latest) - self._limit
            trimmed = surplus + self._limit // TRIMMED if surplus > 0 else 0
            gone = [*replaced, *islice((key for key in known if key not in latest), trimmed)]
            self._write(lambda connection: put(connection, [*latest.values()], gone))
            for key in gone:
                del known[key]
            known.update(dict.fromkeys(latest))
            return True
        return False

    def _forget(self, work: Callable[[duckdb.DuckDBPyConnection], int]) -> int:
        """Remove queries and return how many; CacheError when that fails."""
        with self._lock:
            self._keys = None
            return self._write(work)

    def _failed(self, error: duckdb.Error) -> CacheError:
        """Note an error of DuckDB; after one that it does not recover from, use the file no longer."""
        with self._lock:
            reason = str(error).partition("\n")[0]
            if not self._file.usable:
                return CacheError(self.notice)
            if is_damage(error):
                self._file.give_up("", close=True)
                self._failure = f"the cache is damaged ({reason}): {_moved(self.path)}"
            elif isinstance(error, duckdb.FatalException):
                self._file.give_up(f"nothing is cached any more: {reason}", close=False)
            else:
                self._failure = f"the cache could not be used: {reason}"
            return CacheError(self.notice)


@dataclass(eq=False)
class _Waiting:
    """A solution that a thread waits to have stored; `stored` is None until that was tried."""

    entry: Entry
    stored: bool | None = None


@contextlib.contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Commit what the block did, or take all of it back, whatever interrupted it."""
    connection.begin()
    done = False
    try:
        yield
        connection.commit()
        done = True
    finally:
        if not done:
            with contextlib.suppress(duckdb.Error):  # a failed commit has been taken back already
                connection.rollback()


def _moved(path: Path) -> str:
    """Move a damaged file aside and say so, or say what to do."""
    try:
        return f"it was moved to {set_aside(path).name}, the next start begins a new one"
    except OSError as error:
        return f"move {path} away ({error})"
