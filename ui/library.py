"""The index behind the page: opened when it exists, built first when it is the default one and missing."""

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xtal.errors import UserError

if TYPE_CHECKING:
    from search.engine import Engine
    from search.solve import Solver

DEFAULT_INDEXES = ["coremof2019-asr", "lab"]
SEARCHES = 4  # at least, beside each other: two keep a core busy while others read files or write answers
STAGES = {"prepare": "computing diffraction lines", "embed": "computing fingerprints"}


@dataclass(frozen=True)
class Progress:
    """How far the index is.

    Attributes:
        stage: what is being done, for people to read.
        done: entries finished in this stage.
        total: entries of this stage, or None while unknown.
        error: why there is no index, or empty.
    """

    stage: str
    done: int = 0
    total: int | None = None
    error: str = ""


class Library:
    """Opens one index in the background and hands out what answers from it once it is ready.

    Attributes:
        index_name: of the index.
        searches: that programs may run beside each other; more wait their turn.
        turns: taken while such a search runs, whichever way it was asked for.
        solver: what answers, once the index is ready.
        progress: how far the index is.
        calls: of programs that take long and are worked on (`ui.api.calls.Call`), by their ids.
    """

    def __init__(self, index_name: str, workers: int = 0) -> None:
        """Name the index, and say how many processes search it (0: this one); nothing is opened before `start`."""
        self.index_name = index_name
        self.searches = max(SEARCHES, workers)
        self.turns = threading.BoundedSemaphore(self.searches)
        self._workers = workers
        self.solver: Solver | None = None
        self.progress = Progress("opening")
        self.calls: dict[str, Any] = {}
        self._thread = threading.Thread(target=self._prepare, name="library", daemon=True)

    @property
    def engine(self) -> "Engine | None":
        """The search of the index, once it is ready."""
        return None if self.solver is None else self.solver.engine

    @property
    def settled(self) -> bool:
        """Whether the index is ready or will never be."""
        return self.solver is not None or bool(self.progress.error)

    def start(self) -> None:
        """Open the index, or build and open it, without waiting."""
        self._thread.start()

    def advance(self, stage: str, count: int, total: int | None) -> None:
        """Take note that the build has finished `count` more entries of a stage."""
        words, before = STAGES.get(stage, stage), self.progress
        done = count + (before.done if before.stage == words else 0)
        self.progress = Progress(words, done, total)

    def _prepare(self) -> None:
        try:
            self.solver = self._open()
        except (UserError, OSError) as error:
            self.progress = Progress("", error=str(error))
        finally:
            # whatever else ended this thread is a defect: its traceback goes to the terminal, a word of it to the page
            if not self.settled:
                self.progress = Progress("", error="The index cannot be used; the terminal of this program says why.")

    def _open(self) -> "Solver":
        import models
        from indexer.default import build_if_missing
        from search.solve import Solver

        build_if_missing(self.index_name, models.load(), self.advance)
        self.progress = Progress("opening")
        solver = Solver.open(self.index_name, workers=self._workers)
        if solver.describer is not None:
            solver.describer.parts(0)  # loads what names linkers, so that the first answer need not wait for it
        return solver
