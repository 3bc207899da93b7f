"""Fit the probability of a phase to mixtures, to samples of one phase, and to both with phases taken out of the index.

Formulas are halved as for the verdict on single phases: thresholds come from probabilities by curves fitted to the
other half.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.files import WEIGHTS
from search.benchmark.mixtures import Mixture, pure, simulated
from search.benchmark.trials import Progress, second_half
from search.engine import Engine
from search.phases.calibration import SHIPPED, PhaseCurve
from search.phases.evidence import SIGNS, features
from search.phases.find import Finder
from search.phases.scout import Scout
from search.verdict import Judge
from search.verdict.calibration import Logistic, fit_bounds
from search.verdict.lookalikes import nearest_lookalikes

FALSE_FURTHER, FALSE_ALONE = 0.02, 0.03  # of samples of one phase; of patterns of absent structures
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
        levels: the sets.
        second_half: of the formulas, by the first phase's.
    """

    kind: str
    held: int
    levels: tuple[Level, ...]
    second_half: bool


def calibrate_phases(
    engine: Engine, pairs: int, samples: int, seed: int, path: Path | None, progress: Progress
) -> PhaseCurve:
    """Fit the curve to `pairs` of phases at three fractions, of two kinds, and to `samples` of one phase; write it."""
    mixtures = chain(simulated(engine, pairs, seed), pure(engine, samples, seed))
    trials = list(phase_trials(engine, mixtures, progress))
    curve = fitted(trials, engine.embedder.model_id)
    curve.save(path or WEIGHTS / engine.embedder.name / SHIPPED)
    return curve


def phase_trials(engine: Engine, mixtures: Iterable[Mixture], progress: Progress) -> Iterator[PhaseTrial]:
    """Search every mixture by phases, with all of them in the index and without the last one."""
    judge, scout = Judge.open(engine), Scout(engine)
    everything = np.arange(len(engine.index))
    for mixture in mixtures:
        families = [nearest_lookalikes(engine.index, row) for row in mixture.rows]
        for removed in (False, True):
            left_out = families[-1] if removed else np.empty(0, np.int64)
            there = families[:-1] if removed else families
            answer = engine.query([mixture.pattern], without=[left_out])[0]
            if not answer.hits or not len(answer.lines):
                continue
            sure = judge.verdict(answer).kind == "match"
            finder = Finder(engine, scout, answer, np.setdiff1d(everything, left_out) if removed else None)
            levels = tuple(
                Level(features(finder, found), _right(found.state.rows, there)) for found in finder.levels(sure)
            )
            half = second_half(engine.index.entries.formulas[mixture.rows[0]])
            yield PhaseTrial(mixture.kind, len(there), levels, half)
        progress("searching", 1, None)


def fitted(trials: Sequence[PhaseTrial], model_id: str) -> PhaseCurve:
    """Fit the curve to all trials, with thresholds of trials judged by curves that were not fitted to them."""
    others = {half: _fit([trial for trial in trials if trial.second_half != half]) for half in (False, True)}
    judged = [_probabilities(trial, *others[trial.second_half]) for trial in trials]
    further = [
        max((p.min() for p in found[1:]), default=0.0)
        for trial, found in zip(trials, judged, strict=True)
        if trial.kind == "pure" and trial.held
    ]
    alone = [found[0][0] for trial, found in zip(trials, judged, strict=True) if not trial.held]
    low, high, curve = _fit(trials)
    return PhaseCurve(
        model_id=model_id,
        trials=len(trials),
        low=low,
        high=high,
        curve=curve,
        further=max(EVEN, float(np.quantile(further, 1 - FALSE_FURTHER))),
        alone=max(EVEN, float(np.quantile(alone, 1 - FALSE_ALONE))),
    )


def _fit(trials: Sequence[PhaseTrial]) -> tuple[tuple[float, ...], tuple[float, ...], Logistic]:
    """Return the bounds of the features and the curve."""
    numbers = np.concatenate([level.features for trial in trials for level in trial.levels])
    right = np.concatenate([level.right for trial in trials for level in trial.levels])
    low, high = fit_bounds(numbers)
    return low, high, Logistic.fit(np.clip(numbers, low, high), right, SIGNS)


def _probabilities(
    trial: PhaseTrial, low: Sequence[float], high: Sequence[float], curve: Logistic
) -> list[NDArray[np.float64]]:
    """Return the probabilities (P,) of the phases of each set."""
    return [curve.probability(np.clip(level.features, low, high)) for level in trial.levels]


def _right(rows: Sequence[int], families: Sequence[NDArray[np.int64]]) -> NDArray[np.bool_]:
    """Return (P,) whether entries look like one of the phases that are there."""
    return np.array([any(row in family for family in families) for row in rows])
