"""One file for several processes: who holds it lends it, between two uses, to another that asks.

DuckDB gives a file to one process at a time. Who wants it keeps a mark beside it fresh (``cache.duckdb.wanted``); who
holds it looks for that mark, closes its connection as soon as nothing uses it, and opens the file again, in the same
way, when it has something to do.
"""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb

from search.cache.file import Opened, open_file
from xtal.errors import UserError

LOOK = 0.1  # seconds between looks for the mark
AGAIN = 0.05  # seconds between tries to open a file that another process holds
PATIENCE = 3.0  # seconds: longer than a holder takes to lend the file
STALE = 2.0  # seconds: who made an older mark is gone


def asked_for(path: Path, seconds: float = PATIENCE) -> Opened:
    """Open the file as `open_file` does; ask who holds it to lend it, and wait so long."""
    opened, mark, end = open_file(path), _mark(path), time.monotonic() + seconds
    with contextlib.suppress(OSError):
        try:
            while opened.held and time.monotonic() < end:
                mark.touch()
                time.sleep(AGAIN)
                opened = open_file(path)
        finally:
            mark.unlink(missing_ok=True)
    return opened


class Shared:
    """The connection to a file, which is lent while nothing uses it; safe to use from several threads.

    Attributes:
        path: of the file.
        notice: why it cannot be used, or what happened to it; "" when all is well.
        turns: how often it was opened: another process may have changed it before each time.
    """

    def __init__(self, path: Path, seconds: float = PATIENCE) -> None:
        """Open the file, or find out why that cannot be; a process that holds it has so long to lend it.

        Raises:
            UserError: a newer version of the program made it.
        """
        opened = asked_for(path, seconds)
        self.path, self.notice, self.turns = path, opened.notice, 1
        self._connection, self._usable = opened.connection, opened.connection is not None
        self._users, self._yielding = 0, False
        self._state, self._own = threading.Condition(), threading.local()
        self._ended = threading.Event()
        if self._usable:
            threading.Thread(target=self._lend, name="cache", daemon=True).start()

    @property
    def usable(self) -> bool:
        """Whether the file can be used, now or when it comes back."""
        return self._usable

    @contextlib.contextmanager
    def used(self) -> Iterator[duckdb.DuckDBPyConnection | None]:
        """Hold the connection for the block, None where there is none; a block inside another is part of it."""
        depth = getattr(self._own, "depth", 0)
        with self._state:
            if not depth:
                self._state.wait_for(lambda: not self._yielding)
                self._reopen()
                self._users += 1
            connection = self._connection
        self._own.depth = depth + 1
        try:
            yield connection
        finally:
            self._own.depth = depth
            if not depth:
                with self._state:
                    self._users -= 1
                    self._state.notify_all()

    def give_up(self, notice: str, close: bool = True) -> None:
        """Use the file no longer, for this reason."""
        with self._state:
            if close and self._connection is not None:
                self._connection.close()
            self._connection, self._usable, self.notice = None, False, notice
        self._ended.set()

    def _reopen(self) -> None:
        """Take the file back after it was lent."""
        if self._connection is not None or not self._usable:
            return
        try:
            opened = asked_for(self.path)
        except UserError as error:
            opened = Opened(None, str(error))
        self._connection, self.notice = opened.connection, opened.notice
        self.turns += 1
        if opened.connection is None:
            self._usable = False
            self._ended.set()

    def _lend(self) -> None:
        """Close the connection each time that another process asks for the file."""
        while not self._ended.wait(LOOK):
            if self._connection is None or not _asks(self.path):
                continue
            with self._state:
                self._yielding = True
                self._state.wait_for(lambda: self._users == 0)
                if self._connection is not None:
                    self._connection.close()
                    self._connection = None
                self._yielding = False
                self._state.notify_all()


def _mark(path: Path) -> Path:
    return path.with_name(f"{path.name}.wanted")


def _asks(path: Path) -> bool:
    """Whether a process asks for the file now."""
    try:
        return abs(time.time() - _mark(path).stat().st_mtime) < STALE
    except OSError:
        return False
