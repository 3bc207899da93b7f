"""Steps of a refinement with rietx: each frees more of a model, and gives back the model it began with if it fails.

A step is complete in itself. It starts from a copy of a state, so that a state that was reached stays good whatever
happens later: that is the last good state.
"""

import contextlib
import threading
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from xtal.refinement.asked import Mode, Observed
from xtal.refinement.rietx_model import data_of
from xtal.refinement.rietx_savings import saving

QUICK, LAST = 1e-3, 1e-7  # relative change of χ² at which a step that others follow ends, and the last one
TAILS = 5e-3  # share of a line's area that is left out, far from it
TELLING = 10.0  # an added parameter must lower χ², in units of its least value, by this many times ln N
LIKELY = 1.5  # times as long as the step before it, a step may take
NUMERIC = (ValueError, RuntimeError, ArithmeticError, np.linalg.LinAlgError, KeyError, IndexError)


class OutOfTimeError(Exception):
    """The time is up, or would be before a step came to its end."""


class StepFailedError(Exception):
    """A step did not come to a usable end."""


@dataclass(frozen=True, eq=False)
class State:
    """A model and what it was fitted with.

    Attributes:
        structure: of rietx, refined.
        instrument: of rietx, refined.
        free: patterns of the paths of free parameters.
        ties: groups of paths that are one parameter, which goes by the first.
        result: of rietx; None before the first step.
        steps: names of those that led here.
        said: what the reader should know of how it came about, in sentences.
    """

    structure: Any
    instrument: Any
    free: tuple[str, ...] = ()
    ties: tuple[tuple[str, ...], ...] = ()
    result: Any = None
    steps: tuple[str, ...] = ()
    said: tuple[str, ...] = ()

    def freed(self, *paths: str, without: tuple[str, ...] = ()) -> Self:
        """Return the state with more free parameters, and some free no longer."""
        return replace(self, free=tuple(p for p in (*self.free, *paths) if p not in without))

    @property
    def chi_square(self) -> float:
        """``Σ w (y - y_c)²``."""
        numbers = self.result.statistics
        return float(numbers.gof**2 * max(1, numbers.n_points - numbers.n_free_parameters))


class Steps:
    """Runs steps against one pattern until the time is up."""

    def __init__(self, observed: Observed, mode: Mode, seconds: float) -> None:
        self._quick, self._whole, self._mode = data_of(observed.quick()), data_of(observed), mode
        self._end = time.monotonic() + seconds
        self._dearer = len(self._whole.two_theta) / len(self._quick.two_theta)  # the last step, than those before it
        self._last = 0.0

    @property
    def left(self) -> float:
        """Seconds."""
        return self._end - time.monotonic()

    @property
    def spare(self) -> bool:
        """Whether a step that is not needed may begin: the last one must still come to its end."""
        return self.left > (LIKELY + LIKELY * self._dearer) * self._last

    def step(self, state: State, name: str, *paths: str, quick: bool = True, needed: bool = True) -> State:
        """Return the state that freeing `paths` as well leads to.

        Args:
            state: to start from.
            name: of the step, for people.
            paths: patterns of rietx's paths.
            quick: whether another step follows, so that the last digits do not matter.
            needed: whether it may take all the time that is left; else so much is kept that the last step can end.

        Raises:
            OutOfTimeError: there is too little left, or it ran out.
            StepFailedError: rietx gave up or ended with no numbers.
        """
        import rietx
        from rietx.optimize.cancel import CancelToken, RefinementCancelled

        if self.left <= 0:
            raise OutOfTimeError(name)
        state = state.freed(*paths)
        token, began = CancelToken(), time.monotonic()
        allowed = self.left if needed else self.left - LIKELY * self._dearer * self._last
        timer = threading.Timer(max(0.01, allowed), token.cancel)
        timer.daemon = True
        timer.start()
        try:
            with _quiet(), saving():
                structure, instrument = state.structure.model_copy(deep=True), state.instrument.model_copy(deep=True)
                refinement = rietx.Refinement(structure, instrument, history=False)
                for group in state.ties:
                    refinement.tie_equal(list(group), source=group[0])
                stage = rietx.Stage(name, list(state.free), ftol=QUICK if quick else LAST)
                data = self._quick if quick else self._whole
                result = refinement.run_stage(
                    data, stage, mode=self._mode, cancel=token, telemetry=False, window_area_tol=TAILS
                )
        except RefinementCancelled:
            raise (OutOfTimeError if needed else StepFailedError)(name) from None
        except NUMERIC as error:
            raise StepFailedError(f"{name}: {error}") from error
        finally:
            timer.cancel()
            self._last = time.monotonic() - began
        if result.status == "diverged" or not np.isfinite(result.statistics.rwp):
            raise StepFailedError(name)
        fitted = (refinement.fitted_structure, refinement.fitted_instrument)
        return replace(state, structure=fitted[0], instrument=fitted[1], result=result, steps=(*state.steps, name))


def pays(before: State, after: State) -> bool:
    """Tell whether what `after` has free more than `before` lowers χ² by more than chance would.

    By the Bayesian criterion, several times as strict, with χ² in units of its mean: the residuals of a profile are no
    noise and depend on each other.
    """
    first, second = before.result.statistics, after.result.statistics
    more = max(1, second.n_free_parameters - first.n_free_parameters)
    gained = (before.chi_square - after.chi_square) / max(first.gof**2, 1.0)
    return bool(gained > TELLING * more * np.log(first.n_points) / 2)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep warnings about numbers away: what matters is in the result."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
