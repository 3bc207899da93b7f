"""Generations that can be ended at any moment, not only where they tell how far they are."""

import contextlib
import ctypes
import threading
from collections.abc import Callable, Iterator

from generate.preview import Cancelled

EVERY = 0.5  # seconds between two questions whether to go on


@contextlib.contextmanager
def interruptible(ask: Callable[[], None]) -> Iterator[None]:
    """End what this thread does inside the block when `ask`, called now and then by another one, raises `Cancelled`.

    Python raises it here at its next step; a call into C ends first. Inside must be nothing that may not stop midway.

    Raises:
        Cancelled: with the words of the one that `ask` raised.
    """
    thread = ctypes.c_ulong(threading.get_ident())
    guard, over, words = threading.Lock(), threading.Event(), [""]

    def look() -> None:
        """Ask until the block is left: one that is raised where Python ignores it is lost."""
        while not over.wait(EVERY):
            try:
                ask()
            except Cancelled as cancelled:
                words[0] = str(cancelled)
                with guard:
                    if not over.is_set():
                        ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(Cancelled))

    asking = threading.Thread(target=look, name="interrupt", daemon=True)
    asking.start()
    try:
        yield
    except Cancelled as cancelled:
        raise Cancelled(str(cancelled) or words[0]) from None
    finally:
        with guard:
            over.set()
            ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, None)  # takes back one that has not been raised yet
