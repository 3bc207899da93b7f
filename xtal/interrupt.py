"""Long work that looks up now and then, to hear whether anyone still waits for it."""

import contextlib
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar

EVERY = 0.5  # seconds between two questions whether to go on


class _Asked:
    """Who says whether to go on, and when they were last asked."""

    def __init__(self, ask: Callable[[], None]) -> None:
        self.ask, self.next = ask, time.monotonic() + EVERY


_asked: ContextVar[_Asked | None] = ContextVar("asked", default=None)


@contextlib.contextmanager
def interruptible(ask: Callable[[], None]) -> Iterator[None]:
    """Let what this thread does inside the block be ended: `look_up` raises there what `ask` raises."""
    token = _asked.set(_Asked(ask))
    try:
        yield
    finally:
        _asked.reset(token)


def look_up() -> None:
    """Ask whether to go on, `EVERY` so often at most; call it where work may stop, a few times a second.

    Outside of `interruptible` it does nothing. An exception raised from another thread instead could come anywhere: in
    a callback from C, which loses it, or in the middle of a compilation, which it breaks.
    """
    asked = _asked.get()
    if asked is None or time.monotonic() < asked.next:
        return
    asked.next = time.monotonic() + EVERY
    asked.ask()
