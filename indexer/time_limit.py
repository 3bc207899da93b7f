"""A limit to the time that one item may take: an endless loop is the item's fault, a machine at a standstill is not."""

import contextlib
import ctypes
import signal
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from types import FrameType

LOADED = 10  # a machine with other work may take so many times as long by the clock as by its processor


class ItemTimeoutError(Exception):
    """Raised inside a worker when it has computed for one item longer than it may."""


class StalledError(Exception):
    """Raised inside a worker when one item takes much longer than it may, without being computed for all the while."""


def time_limit(seconds: float) -> contextlib.AbstractContextManager[None]:
    """End what this thread computes after `seconds` of its processor, and whatever it does after `LOADED` times that.

    A signal does it in the main thread. Elsewhere (the threads of a Dask worker, or a system without SIGALRM) Python
    raises the error at its next step, so that a sleep or a call into C ends first.

    Raises:
        ItemTimeoutError: inside the block, when it has computed for too long.
        StalledError: inside the block, when it has waited for too long.
    """
    watch = _Watch(seconds)
    if hasattr(signal, "SIGALRM") and threading.current_thread() is threading.main_thread():
        return _limit_by_signal(watch)
    return _limit_by_watch(watch)


class _Watch:
    """Knows how long the thread that made it has computed and waited."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._computed: Callable[[], float] = time.monotonic
        if hasattr(time, "pthread_getcpuclockid"):  # not on every system: there, the time that passes counts
            self._computed = partial(time.clock_gettime, time.pthread_getcpuclockid(threading.get_ident()))
        self._began = self._computed(), time.monotonic()

    def over(self) -> type[Exception] | None:
        """Return what to raise; None while there is time."""
        computed, passed = self._computed() - self._began[0], time.monotonic() - self._began[1]
        if computed >= self.seconds:
            return ItemTimeoutError
        return StalledError if passed >= LOADED * self.seconds else None

    @property
    def left(self) -> float:
        """Seconds after which to look again."""
        return max(self.seconds / 100, self.seconds - (self._computed() - self._began[0]))

    def words(self, error: type[Exception]) -> Exception:
        """Return the error with what it says."""
        if error is ItemTimeoutError:
            return ItemTimeoutError(f"took longer than {self.seconds:g} s")
        return StalledError(f"took longer than {LOADED * self.seconds:g} s, mostly waiting")


@contextlib.contextmanager
def _limit_by_signal(watch: _Watch) -> Iterator[None]:
    def expire(_signal: int, _frame: FrameType | None) -> None:
        """End what takes too long."""
        if (error := watch.over()) is not None:
            raise watch.words(error)
        signal.setitimer(signal.ITIMER_REAL, watch.left)

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, watch.seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _limit_by_watch(watch: _Watch) -> Iterator[None]:
    thread = ctypes.c_ulong(threading.get_ident())
    guard, over = threading.Lock(), threading.Event()

    def look() -> None:
        """End what takes too long, unless it has ended by now."""
        while not over.wait(watch.left):
            with guard:
                error = None if over.is_set() else watch.over()
                if error is not None:
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(error))
                    return

    threading.Thread(target=look, daemon=True).start()
    try:
        yield
    except (ItemTimeoutError, StalledError) as error:
        raise watch.words(type(error)) from None
    finally:
        with guard:
            over.set()
            ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, None)  # takes back one that has not been raised yet
