"""Searches in processes of their own, so that many at once keep more than one core busy."""

import multiprocessing
import threading
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from search.answer import Answer
from search.engine import Engine
from search.filters import Filter, NothingPassesError
from search.options import Options
from search.phases import PhaseJudge
from search.verdict import Judge, Verdict, percent
from xtal.errors import UserError
from xtal.patterns import Pattern, two_theta_from_q
from xtal.processes import settle

MOST_WORKERS = 64


class Searcher(NamedTuple):
    """An engine with its judges: of the first hit, and of what there is besides."""

    engine: Engine
    judge: Judge
    phases: PhaseJudge

    @classmethod
    def open(cls, index: str, home: Path | None = None) -> "Searcher":
        """Open an index with its calibration; UserError when one is missing or damaged."""
        engine = Engine.open(index, home)
        return cls(engine, Judge.open(engine, home), PhaseJudge(engine))

    def search(self, pattern: Pattern, options: Options) -> tuple[Answer, Verdict]:
        """Search for one pattern, judge the answer, and look for further phases where it leaves something.

        Where no entry passes the filter, and crystals can be generated of what is known, the answer has no hits.

        Raises:
            UserError: no entry passes, and nothing can be generated; or an option cannot be used.
        """
        passing = Filter(options.elements, options.reduced_formula, options.required)
        lines, wanted = [options.lines], (passing.elements, passing.formula)
        try:
            answer = self.engine.query([pattern], options.k, *wanted, required=passing.required, lines=lines)[0]
        except NothingPassesError as nothing:
            if options.generate == "never" or not (options.held[0] or options.request.linkers):
                raise
            return self._without_hits(self.engine.query([pattern], 1, lines=lines)[0], str(nothing))
        return answer, self.phases.examined(answer, self.judge.verdict(answer), passing)

    def _without_hits(self, whole: Answer, nothing: str) -> tuple[Answer, Verdict]:
        """Return what a search of all entries makes of a pattern of which no entry can be the structure."""
        best = next(iter(whole.hits), None)
        said, verdict = [nothing], self.judge.verdict(whole)
        if best is not None and verdict.kind == "match":
            likely = percent(verdict.probability)
            said.append(f"of all entries {best.id} ({best.formula}), which the filter excludes, is a match: {likely}")
        elif best is not None:
            said.append(f"no other entry is a match either; {best.id} ({best.formula}) fits best")
        strongest = whole.lines.q[np.argsort(-whole.lines.intensity, kind="stable")]
        left = tuple(two_theta_from_q(strongest, whole.pattern.wavelength).tolist())
        answer = replace(whole, hits=(), rival=None, excluded=best if verdict.kind == "match" else None)
        return answer, Verdict("miss", 0.0, tuple(said), 0.0, unexplained=left)


class Workers:
    """Processes that search one index; safe to use from several threads.

    Each opens the index for itself (its arrays are mapped, and shared). One that dies takes the searches under way with
    it: they are made again by new ones.
    """

    def __init__(self, index: str, count: int, home: Path | None = None) -> None:
        """Start the processes without waiting for them; UserError when `count` is out of range."""
        if not 1 <= count <= MOST_WORKERS:
            raise UserError(f"the number of workers must lie in 1 to {MOST_WORKERS}, got {count}")
        self._task, self._count = (index, home), count
        self._lock = threading.Lock()
        self._pool = self._started()

    def search(self, pattern: Pattern, options: Options) -> tuple[Answer, Verdict]:
        """Do what `Searcher.search` does.

        Raises:
            UserError: as there.
            BrokenProcessPool: workers died twice.
        """
        pool = self._pool
        try:
            return pool.submit(_search, pattern, options).result()
        except BrokenProcessPool:
            return self._replaced(pool).submit(_search, pattern, options).result()

    def close(self) -> None:
        """End the processes once they have done what they are at."""
        self._pool.shutdown()

    def _started(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")  # a fork would take over locks that other threads hold
        pool = ProcessPoolExecutor(self._count, context, _open, self._task)
        for _ in range(self._count):  # a process starts with a task when none is idle
            pool.submit(_opened)
        return pool

    def _replaced(self, broken: ProcessPoolExecutor) -> ProcessPoolExecutor:
        """Return new processes instead of broken ones, the same for all whose searches were lost with these."""
        with self._lock:
            if self._pool is broken:
                broken.shutdown(wait=False)
                self._pool = self._started()
            return self._pool


_searcher: Searcher | None = None


def _open(index: str, home: Path | None) -> None:
    """Prepare a process: open the index, leave Ctrl+C to the parent, and end when it is gone."""
    global _searcher
    settle()
    _searcher = Searcher.open(index, home)


def _opened() -> bool:
    return _searcher is not None


def _search(pattern: Pattern, options: Options) -> tuple[Answer, Verdict]:
    if _searcher is None:
        raise RuntimeError("a worker has tasks before it was opened")
    return _searcher.search(pattern, options)
