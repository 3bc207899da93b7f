"""Fit the probability of a phase to mixtures, to samples of one phase, and to both with phases taken out of the index.

Formulas are halved as for the verdict on single phases: thresholds come from probabilities by curves fitted to the
other half.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.crew import Crew
from models.files import WEIGHTS
from models.logistic import Logistic
from search.benchmark.mixtures import Mixture, pure, simulated
from search.benchmark.trials import Progress, second_half
from search.engine import Engine
from search.phases.calibration import SHIPPED, PhaseCurves
from search.phases.evidence import SIGNS, features
from search.phases.find import Finder
from search.phases.judge import in_doubt
from search.phases.scout import Scout
from search.verdict import Judge
from search.verdict.calibration import Calibration, fit_bounds
from search.verdict.curve import Curve
from search.verdict.lookalikes import nearest_lookalikes
from xtal.errors import UserError

FALSE_FURTHER, FALSE_ABSENT = 0.02, 0.015  # of samples of one phase; of absent structures, alone and with others
EVEN = 0.5


@dataclass(frozen=True, eq=False)
class Level:
    """A set of phases: their features (P, F), and whether each is in the sample (P,)."""

    features: NDArray[np.float64]
    right: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PhaseTrial:
    """A pattern with the sets of phases found for it, one more phase in each.

    Attributes:
        kind: of the mixture.
        held: phases of it that the index held.
        levels: the sets; none where a match is not looked at again.
        second_half: of the formulas, by the first phase's.
    """

    kind: str
    held: int
    levels: tuple[Level, ...]
    second_half: bool


def calibrate_phases(
    crew: Crew[Engine], pairs: int, samples: int, seed: int, path: Path | None, progress: Progress
) -> PhaseCurves:
    """Fit the curves to `pairs` of phases at three fractions, of two kinds, and to `samples` of one phase; write it."""
    engine = crew.base
    mixtures = chain(simulated(engine, pairs, seed), pure(engine, samples, seed))
    trials = list(phase_trials(crew, mixtures, progress))
    curve = fitted(trials, engine.embedder.model_id)
    curve.save(path or WEIGHTS / engine.embedder.name / SHIPPED)
    return curve


def phase_trials(crew: Crew[Engine], mixtures: Iterable[Mixture], progress: Progress) -> Iterator[PhaseTrial]:
    """Search every mixture as a user gets it searched, with all its phases in the index and without the last one."""
    calibration = Judge.open(crew.base).calibration
    for trials in crew.map(partial(phases_of, calibration), mixtures):
        yield from trials
        progress("searching", 1, None)


def phases_of(calibration: Calibration, engine: Engine, mixture: Mixture) -> list[PhaseTrial]:
    """Search one mixture."""
    judge, trials = Judge(calibration, engine.index), []
    families = [nearest_lookalikes(engine.index, row) for row in mixture.rows]
    half = second_half(engine.index.entries.formulas[mixture.rows[0]])
    for removed in (False, True):
        left_out = families[-1] if removed else np.empty(0, np.int64)
        there = families[:-1] if removed else families
        answer = engine.query([mixture.pattern], without=[left_out])[0]
        if not answer.hits or not len(answer.lines):
            continue
        verdict = judge.verdict(answer)
        levels: tuple[Level, ...] = ()
        if in_doubt(answer, verdict):
            others = np.setdiff1d(np.arange(len(engine.index)), left_out) if removed else None
            finder = Finder(engine, _scout(engine), answer, others)
            every = finder.levels(verdict.kind == "match")
            levels = tuple(Level(features(finder, found), _right(found.state.rows, there)) for found in every)
        trials.append(PhaseTrial(mixture.kind, len(there), levels, half))
    return trials


@lru_cache(maxsize=1)
def _scout(engine: Engine) -> Scout:
    return Scout(engine)


def fitted(trials: Sequence[PhaseTrial], model_id: str) -> PhaseCurves:
    """Fit the curves to all trials, with thresholds of trials judged by curves that were not fitted to them."""
    kinds = (True, False)
    others = {
        (half, alone): _fit([trial for trial in trials if trial.second_half != half], alone)
        for half in kinds
        for alone in kinds
    }
    alone, together, further = [], [], []  # least probabilities of absent structures, and of samples of one phase
    for trial in trials:
        first, *rest = [
            float(others[trial.second_half, len(level.right) == 1].probabilities(level.features).min())
            for level in trial.levels
        ] or [0.0]
        if not trial.held:
            alone.append(first)
            together.append(max(rest, default=0.0))
        elif trial.kind == "pure":
            further.append(max(rest, default=0.0))
    least = max(float(np.quantile(further, 1 - FALSE_FURTHER)), float(np.quantile(together, 1 - FALSE_ABSENT)), EVEN)
    return PhaseCurves(
        model_id=model_id,
        trials=len(trials),
        alone=_fit(trials, alone=True),
        together=_fit(trials, alone=False),
        least_alone=max(EVEN, float(np.quantile(alone, 1 - FALSE_ABSENT))),
        least_together=least,
    )


def _fit(trials: Sequence[PhaseTrial], alone: bool) -> Curve:
    """Fit one curve, for a user of whose candidate phases every second is right (Prentice and Pyke, 1979)."""
    levels = [level for trial in trials for level in trial.levels if (len(level.right) == 1) == alone]
    every = np.concatenate([np.zeros(0, bool), *(level.right for level in levels)])
    if every.all() or not every.any():
        raise UserError(f"{len(trials)} patterns are too few to fit the probability of a phase; ask for more queries")
    numbers, right = (np.concatenate([getattr(level, name) for level in levels]) for name in ("features", "right"))
    low, high = fit_bounds(numbers)
    found = Logistic.fit(np.clip(numbers, low, high), right, SIGNS)
    share = float(right.mean())
    return Curve(low, high, replace(found, intercept=found.intercept + float(np.log((1 - share) / share))))


def _right(rows: Sequence[int], families: Sequence[NDArray[np.int64]]) -> NDArray[np.bool_]:
    """Return (P,) whether entries look like one of the phases that are there."""
    return np.array([any(row in family for family in families) for row in rows])
