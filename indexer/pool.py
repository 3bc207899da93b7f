"""Pools of workers that outlive a crash of one.

Libraries written in C can crash on a hostile input, and the kernel can kill a worker for its memory. The standard pool
is then broken for good. Here the work that was under way is done again item by item in a process of its own, and the
item that kills this process too is named. The workers are processes of this machine, or those of a Dask cluster
(`indexer.cluster`).
"""

import contextlib
import multiprocessing
import os
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from indexer.proof import Standing
from xtal.console import FAILED
from xtal.errors import UserError
from xtal.processes import settle

Item = TypeVar("Item")
Result = TypeVar("Result")
THREAD_SETTINGS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
LOOK_AHEAD = 4  # chunks per worker that are read in advance: enough to bridge the writing of a shard
LONGEST_WAIT, SHORT_WAIT = 5.0, 0.01  # s, for an exit code
KILLED = -9  # exit code of a process that the kernel ended, as it does for memory
PAUSES = (1.0, 5.0, 20.0)  # seconds before an item that the machine failed is tried again, alone


class MachineError(UserError):
    """The machine cannot do the work now: nothing is wrong with the items."""

    exit_code = FAILED


def never(_result: object) -> str:
    """Say that no result tells of passing trouble."""
    return ""


class Pool(ABC, Generic[Item, Result]):
    """Workers that map `function` over single items; use as a context manager.

    Args:
        function: picklable, turns one item into one result; it raises nothing.
        on_crash: makes the result of an item that crashed its process.
        trouble: returns what trouble of the machine, which may pass, a result tells of, or nothing. Its item is tried
            again.
        standing: what the workers must prove to run; by default what prepares records.
    """

    def __init__(
        self,
        function: Callable[..., Result],
        on_crash: Callable[[Item], Result],
        trouble: Callable[[Result], str] = never,
        standing: Standing | None = None,
    ) -> None:
        self._function, self._on_crash, self._trouble = function, on_crash, trouble
        self._standing = standing or Standing.here()
        self._waiting: deque[tuple[list[Item], Any]] = deque()  # chunks under way and their futures, in order

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def map(self, chunks: Iterable[list[Item]]) -> Iterator[list[Result]]:
        """Yield the results of each chunk in order; `chunks` is read only a little ahead.

        Raises:
            MachineError: no process starts, or an item met trouble of the machine each time that it was tried.
            OtherCodeError: a worker runs other code than this process.
        """
        for chunk in chunks:
            self._waiting.append((chunk, self._submit(chunk)))
            if len(self._waiting) > LOOK_AHEAD * self._count_workers():
                yield self._settled(*self._waiting.popleft())
        while self._waiting:
            yield self._settled(*self._waiting.popleft())

    def _settled(self, chunk: list[Item], future: Any) -> list[Result]:
        """Wait for the results of a chunk, and try again what the machine failed."""
        results = self._collect(chunk, future)
        return [
            self._again(item, why) if (why := self._trouble(result)) else result
            for item, result in zip(chunk, results, strict=True)
        ]

    def _again(self, item: Item, why: str) -> Result:
        """Try an item with nothing beside it until the trouble has passed."""
        for pause in PAUSES:
            time.sleep(pause)
            self._quiet()
            (result,) = self._collect([item], self._submit([item]))
            if not (why := self._trouble(result)):
                return result
        raise MachineError(
            f"{why}, {len(PAUSES) + 1} times; free some memory, take fewer workers or another machine, and repeat the "
            "command: it goes on where it stopped"
        )

    def _quiet(self) -> None:
        """Wait until nothing is under way; failures are dealt with when their turn comes."""
        for _, future in self._waiting:
            future.exception()

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
        trouble: see `Pool`.
    """

    def __init__(
        self,
        workers: int,
        function: Callable[[Item], Result],
        on_crash: Callable[[Item], Result],
        trouble: Callable[[Result], str] = never,
    ) -> None:
        super().__init__(function, on_crash, trouble)
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
                return self._hand(self._pool, chunk)
        self._pool = _start(self._workers)
        return self._hand(self._pool, chunk)

    def _hand(self, pool: ProcessPoolExecutor, chunk: list[Item]) -> Future:
        return pool.submit(run_items, self._function, chunk, self._standing)

    def _collect(self, chunk: list[Item], future: Future) -> list[Result]:
        try:
            return future.result()
        except BrokenProcessPool:
            return self._one_by_one(chunk)

    def _one_by_one(self, chunk: list[Item]) -> list[Result]:
        """Run single items, each that crashes its process in one of its own."""
        results = []
        pool, processes = _start_one()
        for item in chunk:
            try:
                results += self._hand(pool, [item]).result()
            except BrokenProcessPool:
                results.append(self._crashed(item, processes))
                pool, processes = _start_one()
        pool.shutdown()
        return results

    def _crashed(self, item: Item, processes: list[Any]) -> Result:
        """Return the result of an item whose process has ended, unless it was the system that ended it."""
        if any(_exit_code(process) == KILLED for process in processes):
            raise MachineError(
                f"the system ended a worker process that had {getattr(item, 'id', item)!r} in hand and nothing else "
                "beside it, for its memory as a rule; free some, and repeat the command: it goes on where it stopped"
            )
        return self._on_crash(item)


def run_items(function: Callable[..., Result], items: list[Item], standing: Standing, *common: object) -> list[Result]:
    """Do the work of one chunk: what a worker runs. Before and after, it proves that it is the right one.

    Args:
        function: called with each item, and with what is `common` to all.
        items: of the chunk.
        standing: what the worker must run.
        common: see `indexer.cluster.ClusterPool`.
    """
    standing.prove()
    results = [function(item, *common) for item in items]
    standing.prove()
    return results


def _start(workers: int) -> ProcessPoolExecutor:
    """Start processes at once, each with single-threaded numerics: the parallelism is in the processes."""
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=settle)
    with _environment(dict.fromkeys(THREAD_SETTINGS, "1")):
        pool.submit(os.getpid)  # a pool of spawned processes starts all of them with its first task
    return pool


def _start_one() -> tuple[ProcessPoolExecutor, list[Any]]:
    """Start a process that is known to run; return its pool, and the process."""
    pool = _start(1)
    processes = list((pool._processes or {}).values())
    try:
        pool.submit(os.getpid).result()
    except BrokenProcessPool:
        raise MachineError(
            "no worker process can start: what it wrote above says why. A script that builds an index must do so "
            'below `if __name__ == "__main__":`'
        ) from None
    return pool, processes


def _exit_code(process: Any) -> int | None:
    """Wait for a process to end; return what it ended with.

    The pool's own thread waits for it too: what that one was told first is known to the process a moment later.
    """
    process.join()
    until = time.monotonic() + LONGEST_WAIT
    while process.exitcode is None and time.monotonic() < until:
        time.sleep(SHORT_WAIT)
    code: int | None = process.exitcode
    return code


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
