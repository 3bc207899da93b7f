"""Patterns that were opened and are not answered yet, so that a page that is reloaded meanwhile finds its own."""

import secrets
import threading
from dataclasses import dataclass, replace

from ui.inputs import Loaded
from ui.question import Question
from xtal.patterns import Lines

MOST = 50  # patterns; the oldest goes


@dataclass(frozen=True, eq=False)
class Opened:
    """A pattern that was opened.

    Attributes:
        loaded: the pattern.
        question: what was asked of it; None where nobody came to that.
        lines: as a person edited them; None for those found in it.
    """

    loaded: Loaded
    question: Question | None = None
    lines: Lines | None = None


class Asked:
    """Opened patterns by a name each, which stands in the address of the page until there is an answer."""

    def __init__(self) -> None:
        self._opened: dict[str, Opened] = {}
        self._lock = threading.Lock()

    def open(self, loaded: Loaded) -> str:
        """Keep a pattern; return its name."""
        name = secrets.token_hex(8)
        with self._lock:
            self._opened[name] = Opened(loaded)
            while len(self._opened) > MOST:
                del self._opened[next(iter(self._opened))]
        return name

    def ask(self, name: str, question: Question, lines: Lines | None) -> None:
        """Keep what is asked of a pattern, too."""
        with self._lock:
            if name in self._opened:
                self._opened[name] = replace(self._opened[name], question=question, lines=lines)

    def find(self, name: str) -> Opened | None:
        """Return a pattern by its name."""
        with self._lock:
            return self._opened.get(name)
