"""Searches that go on side by side: on the cores of this machine, or with the workers of a cluster."""

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from threading import Event

import numpy as np

from generate.solving.search import Search
from indexer.crew import Crew
from xtal import settings
from xtal.interrupt import look_up

SLICE = 0.5  # s of search between two looks whether to go on
MOST_THREADS = 8  # the compiled descent lets others work meanwhile


def turns(
    crew: Crew[None], searches: Sequence[Search], seconds: Sequence[float], hear: Callable[[float], None]
) -> list[Search]:
    """Go on with each search for its seconds of a core; return them, or what they became elsewhere.

    The order in which they are worked on makes no difference. `hear` is told the share that is done; to cancel, it
    raises.
    """
    if crew.here:
        _side_by_side(searches, seconds, hear)
        return list(searches)
    found = list[Search]()
    for search in crew.map(_turn, list(zip(seconds, searches, strict=True))):
        found.append(search)
        hear(len(found) / len(searches))
    return found


def _turn(_base: None, sent: tuple[float, Search]) -> Search:
    """Go on with a search that was sent here, and send it back."""
    seconds, search = sent
    search.run(search.spent + seconds)
    return search


def _side_by_side(searches: Sequence[Search], seconds: Sequence[float], hear: Callable[[float], None]) -> None:
    """Go on in threads; each looks up as this one does."""
    ended = Event()

    def work(pair: tuple[Search, float]) -> None:
        """Go on with one, unless all have been told to end."""
        search, seconds = pair
        slices = max(1, round(seconds / SLICE))
        for until in search.spent + seconds * np.arange(1, slices + 1) / slices:
            if not ended.is_set():
                search.run(until)

    with ThreadPoolExecutor(min(MOST_THREADS, settings.cores())) as pool:
        waiting: set[Future[None]] = {
            pool.submit(copy_context().run, work, pair) for pair in zip(searches, seconds, strict=True)
        }
        try:
            while waiting:
                done, waiting = wait(waiting, SLICE, FIRST_COMPLETED)
                for future in done:
                    future.result()
                look_up()
                hear(1 - len(waiting) / len(searches))
        finally:
            ended.set()
