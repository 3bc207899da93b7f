"""One question in a thread of its own: the page shows what the search found while crystals are still generated."""

import threading
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from weakref import WeakSet

from generate.preview import CANCELLED, ONE, Cancelled, Turn
from search.solution import Solution
from search.wanted import reason_against
from ui.inputs import Loaded
from xtal.errors import UserError
from xtal.patterns import Pattern

if TYPE_CHECKING:
    from search.options import Event, Options
    from search.solve import Solver
    from xtal.crystals import Crystal

UNWATCHED = 30.0  # seconds without a look, after which a generation stops where another waits: its page was closed
FORGOTTEN = 600.0  # the same where none waits: until then the page may be opened again
AWAY = 10.0  # the same, after which a page that shares a generation is taken for closed
GRACE = 10.0  # seconds that a cancelled generation has to hand over the candidates of the formulas that are done
CANCELLING = "cancelling; the candidates that are done stay"
FAILED = "This failed; the terminal of this program says why."


@dataclass(frozen=True, eq=False)
class Step:
    """How far a generation is.

    Attributes:
        step: taken; 0 before it begins.
        steps: in all, for one formula.
        turn: which formula this is.
        share: of the sampling that is done, over all formulas, 0 to 1.
        crystal: the first candidate as it looks now, None where nobody looks.
        what: is being done, where it is not sampling.
    """

    step: int = 0
    steps: int = 0
    turn: Turn = ONE
    share: float = 0.0
    crystal: "Crystal | None" = None
    what: str = ""


class Job:
    """Answers one question; several threads may look at it while it works.

    Attributes:
        solution: what is known so far; final once `done`.
        step: of the generation, None while there is none.
        error: why there is no solution, or empty.
        seats: the pages that watch it.
        previewing: whether the reader still looks at what is being made.
    """

    def __init__(self, solver: "Solver", pattern: Pattern, options: "Options") -> None:
        self._solver, self._pattern, self._options = solver, pattern, options
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="answer", daemon=True)
        self.solution: Solution | None = None
        self.step: Step | None = None
        self.error = ""
        self.previewing = True
        self.seats: WeakSet[Seat] = WeakSet()
        self._looked = time.monotonic()
        self.done = False
        self.cancelled = False
        self._cancelled_at = 0.0

    def start(self) -> "Job":
        """Begin, without waiting."""
        _started.add(self)
        self._thread.start()
        return self

    def cancel(self) -> None:
        """Stop the generation at its next step; what the search found stays, and the candidates of formulas done."""
        with self._changed:
            if self.done or self.cancelled:
                return
            self.cancelled, self._cancelled_at = True, time.monotonic()
            if self.step is not None and self.step.turn.number > 1:
                self.step = replace(self.step, what=CANCELLING)
            else:
                self._end()
            self._changed.notify_all()

    def _end(self) -> None:
        """End without waiting for the generation."""
        self.done = True
        if self.solution is not None:
            self.solution = replace(self.solution, notes=(CANCELLED,), cancelled=True)

    def wait_for_search(self) -> Solution:
        """Wait for what the search found; UserError when it cannot be answered."""
        with self._changed:
            self._changed.wait_for(lambda: self.done or self.solution is not None)
            if self.solution is None:
                raise UserError(self.error or CANCELLED)
            return self.solution

    @property
    def generates(self) -> bool:
        """Whether crystals are generated after what the search found."""
        found = self.solution
        return found is not None and reason_against(self._options, found.answer, found.verdict) is None

    def wait(self, seconds: float | None) -> bool:
        """Wait until it is done, for so many seconds at most; return whether it is."""
        with self._changed:
            self._looked = time.monotonic()
            self._changed.wait_for(lambda: self.done, seconds)
            if self.cancelled and not self.done and time.monotonic() - self._cancelled_at > GRACE:
                self._end()
            return self.done

    def _work(self) -> None:
        try:
            self._finish(self._solver.solve(self._pattern, self._options, self._hear, self._go_on))
        except UserError as error:
            self._finish(None, str(error))
        finally:
            # whatever else ended this thread is a defect: its traceback goes to the terminal, a word of it to the page
            self._finish(None, FAILED)

    def _hear(self, event: "Event") -> None:
        """Take note of news."""
        if event.preview is None:
            self._set_solution(event)
            return
        self._go_on()
        crystal = next(iter(event.preview.crystals()), None) if self.previewing else None
        now = event.preview
        self.step = Step(now.step, now.steps, now.turn, now.share, crystal, now.what)

    def _go_on(self) -> None:
        """End a generation that was cancelled or that nobody waits for."""
        if time.monotonic() - self._looked > (UNWATCHED if self._others_wait() else FORGOTTEN):
            self.cancel()
        if self.cancelled:
            raise Cancelled

    def _others_wait(self) -> bool:
        """Whether another job waits for its generation to begin."""
        others = (job for job in list(_started) if job is not self and not job.done)
        return any(job.generates and (job.step is None or not job.step.steps) for job in others)

    def _set_solution(self, event: "Event") -> None:
        with self._changed:
            if not self.done:
                self.solution = Solution(event.key, event.answer, event.verdict)
                self.step = Step()
            self._changed.notify_all()

    def _finish(self, solution: Solution | None, error: str = "") -> None:
        with self._changed:
            if not self.done:
                self.solution, self.error, self.done = solution or self.solution, error, True
            self._changed.notify_all()


_started: "WeakSet[Job]" = WeakSet()


class Seat:
    """A page that watches a job; others may watch the same one.

    Attributes:
        job: that is watched.
        left: whether the page shows something else by now.
        looked: when the page last looked, in seconds of the clock of this process.
    """

    def __init__(self, job: Job) -> None:
        self.job, self.left, self.looked = job, False, time.monotonic()
        job.seats.add(self)

    def wait(self, seconds: float) -> bool:
        """Wait until the job is done or the page left it, for so many seconds at most; return whether that is so."""
        self.looked = time.monotonic()
        return self.left or self.job.wait(seconds) or self.left

    def leave(self) -> None:
        """Turn to something else; the job stops unless another page watches it."""
        self.left = True
        self.job.seats.discard(self)
        if all(time.monotonic() - seat.looked > AWAY for seat in list(self.job.seats)):
            self.job.cancel()


class Jobs:
    """The jobs that are under way, by the keys of their answers: a page that is opened again finds its own."""

    def __init__(self) -> None:
        self._running: dict[str, tuple[Job, Loaded]] = {}
        self._lock = threading.Lock()

    def add(self, job: Job, loaded: Loaded) -> None:
        """Keep a job that generates, with the pattern that it is for; forget those that are done."""
        with self._lock:
            self._running = {key: one for key, one in self._running.items() if not one[0].done}
            if job.solution is not None and not job.done:
                self._running[job.solution.key] = (job, loaded)

    def find(self, prefix: str) -> tuple[Job, Loaded] | None:
        """Return a job that is not done, and its pattern, by the first digits of the key."""
        with self._lock:
            found = (one for key, one in self._running.items() if prefix and key.startswith(prefix))
            return next((one for one in found if not one[0].done), None)
