"""Pools of workers that outlive a crash of one.

Libraries written in C can crash on a hostile input, and the kernel can kill a worker for its memory. The standard pool
is then broken for good. Here the work that was under way is done again item by item in a process of its own, and the
item that kills this process too is named. The workers are processes of this machine, or those of a Dask cluster
(`indexer.cluster`).
"""

import contextlib
import ctypes
import multiprocessing
import os
import signal
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import FrameType, TracebackType
from typing import Any, Generic, Self, TypeVar

from xtal.processes import settle

Item = TypeVar("Item")
Result = TypeVar("Result")
THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
LOOK_AHEAD = 4  # chunks per worker that are read in advance: enough to bridge the writing of a shard


class Pool(ABC, Generic[Item, Result]):
    """Workers that map `function` over single items; use as a context manager.

    Args:
        function: picklable, turns one item into one result; it raises nothing.
        on_crash: makes the result of an item that killed its process.
    """

    def __init__(self, function: Callable[[Item], Result], on_crash: Callable[[Item], Result]) -> None:
        self._function = function
        self._on_crash = on_crash
        self._waiting: deque[tuple[list[Item], Any]] = deque()  # chunks under way and their futures, in order

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def map(self, chunks: Iterable[list[Item]]) -> Iterator[list[Result]]:
        """Yield the results of each chunk in order; `chunks` is read only a little ahead."""
        for chunk in chunks:
            self._waiting.append((chunk, self._submit(chunk)))
            if len(self._waiting) > LOOK_AHEAD * self._count_workers():
                yield self._collect(*self._waiting.popleft())
        while self._waiting:
            yield self._collect(*self._waiting.popleft())

    @abstractmethod
    def close(self) -> None:
        """Give up what is under way and let go of the workers."""

    @abstractmethod
    def _count_workers(self) -> int:
        """Return how many chunks can be worked on at the same time."""

    @abstractmethod
    def _submit(self, chunk: list[Item]) -> Any:
        """Hand a chunk to the workers; return its future."""

    @abstractmethod
    def _collect(self, chunk: list[Item], future: Any) -> list[Result]:
        """Wait for the results of a chunk."""


class CrashProofPool(Pool[Item, Result]):
    """A pool of processes of this machine.

    Args:
        workers: number of processes.
        function: see `Pool`.
        on_crash: see `Pool`.
    """

    def __init__(self, workers: int, function: Callable[[Item], Result], on_crash: Callable[[Item], Result]) -> None:
        super().__init__(function, on_crash)
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None  # started with the first chunk

    def close(self) -> None:
        """End the processes once each has finished its chunk."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _count_workers(self) -> int:
        return self._workers

    def _submit(self, chunk: list[Item]) -> Future:
        with contextlib.suppress(BrokenProcessPool):
            if self._pool is not None:
                return self._pool.submit(run_items, self._function, chunk)
        self._pool = _start(self._workers)
        return self._pool.submit(run_items, self._function, chunk)

    def _collect(self, chunk: list[Item], future: Future) -> list[Result]:
        try:
            return future.result()
        except BrokenProcessPool:
            return self._one_by_one(chunk)

    def _one_by_one(self, chunk: list[Item]) -> list[Result]:
        results = []
        pool = _start(1)
        for item in chunk:
            try:
                results += pool.submit(run_items, self._function, [item]).result()
            except BrokenProcessPool:
                results.append(self._on_crash(item))
                pool = _start(1)
        pool.shutdown()
        return results


class ItemTimeoutError(Exception):
    """Raised inside a worker when one item took longer than it may."""


def time_limit(seconds: float) -> contextlib.AbstractContextManager[None]:
    """Raise ItemTimeoutError in this thread, which computes, after `seconds`.

    A signal does it in the main thread. Elsewhere (the threads of a Dask worker, or a system without SIGALRM) Python
    raises the error at its next step, so that a sleep or a call into C ends first.
    """
    if hasattr(signal, "SIGALRM") and threading.current_thread() is threading.main_thread():
        return _limit_by_signal(seconds)
    return _limit_by_watch(seconds)


@contextlib.contextmanager
def _limit_by_signal(seconds: float) -> Iterator[None]:
    def expire(_signal: int, _frame: FrameType | None) -> None:
        """End what takes too long."""
        raise ItemTimeoutError(_too_long(seconds))

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def _limit_by_watch(seconds: float) -> Iterator[None]:
    thread = ctypes.c_ulong(threading.get_ident())
    guard, over = threading.Lock(), threading.Event()

    def expire() -> None:
        """End what takes too long, unless it has ended by now."""
        with guard:
            if not over.is_set():
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(ItemTimeoutError))

    watch = threading.Timer(seconds, expire)
    watch.daemon = True
    watch.start()
    try:
        yield
    except ItemTimeoutError:
        raise ItemTimeoutError(_too_long(seconds)) from None
    finally:
        watch.cancel()
        with guard:
            over.set()
            ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, None)  # takes back one that has not been raised yet


def _too_long(seconds: float) -> str:
    return f"took longer than {seconds:g} s"


def run_items(function: Callable[[Item], Result], items: list[Item]) -> list[Result]:
    """Do the work of one chunk: what a worker runs."""
    return [function(item) for item in items]


def _start(workers: int) -> ProcessPoolExecutor:
    """Start processes at once, each with single-threaded numerics: the parallelism is in the processes."""
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=settle)
    with _environment(dict.fromkeys(THREAD_SETTINGS, "1")):
        pool.submit(os.getpid)  # a pool of spawned processes starts all of them with its first task
    return pool


@contextlib.contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    """Set variables for the processes started inside the block."""
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
