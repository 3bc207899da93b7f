"""A pool of worker processes that outlives its workers.

Libraries written in C can crash on a hostile input, and the kernel can kill a worker for its memory. The standard pool
is then broken for good. Here the work that was under way is done again item by item in a process of its own, and the
item that kills this process too is named.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import FrameType, TracebackType
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
LOOK_AHEAD = 4  # chunks per worker that are read in advance: enough to bridge the writing of a shard


class CrashProofPool(Generic[Item, Result]):
    """Worker processes that map `function` over single items; use as a context manager.

    Args:
        workers: number of processes.
        function: picklable, turns one item into one result; it raises nothing.
        on_crash: makes the result of an item that killed its process.
    """

    def __init__(self, workers: int, function: Callable[[Item], Result], on_crash: Callable[[Item], Result]) -> None:
        self._workers = workers
        self._function = function
        self._on_crash = on_crash
        self._pool: ProcessPoolExecutor | None = None  # started with the first chunk

    def __enter__(self) -> "CrashProofPool[Item, Result]":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def map(self, chunks: Iterable[list[Item]]) -> Iterator[list[Result]]:
        """Yield the results of each chunk in order; `chunks` is read only a little ahead."""
        waiting: deque[tuple[list[Item], Future]] = deque()
        for chunk in chunks:
            waiting.append((chunk, self._submit(chunk)))
            if len(waiting) > LOOK_AHEAD * self._workers:
                yield self._collect(*waiting.popleft())
        while waiting:
            yield self._collect(*waiting.popleft())

    def _submit(self, chunk: list[Item]) -> Future:
        with contextlib.suppress(BrokenProcessPool):
            if self._pool is not None:
                return self._pool.submit(_run, self._function, chunk)
        self._pool = _start(self._workers)
        return self._pool.submit(_run, self._function, chunk)

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
                results += pool.submit(_run, self._function, [item]).result()
            except BrokenProcessPool:
                results.append(self._on_crash(item))
                pool = _start(1)
        pool.shutdown()
        return results


class ItemTimeoutError(Exception):
    """Raised inside a worker when one item took longer than it may."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise ItemTimeoutError in the main thread after `seconds`; does nothing where there is no SIGALRM."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def expire(_signal: int, _frame: FrameType | None) -> None:
        raise ItemTimeoutError(f"took longer than {seconds:g} s")

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _run(function: Callable[[Item], Result], items: list[Item]) -> list[Result]:
    return [function(item) for item in items]


def _start(workers: int) -> ProcessPoolExecutor:
    """Start processes at once, each with single-threaded numerics: the parallelism is in the processes."""
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_settle)
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


def _settle() -> None:
    """Prepare a worker: Ctrl-C is the parent's business, and a worker ends when its parent does, however that ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
