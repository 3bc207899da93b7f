"""Patterns of frameworks in another pore state, of ordinary samples, and of both with the framework out of the index.

Formulas are halved as for the verdict on single phases: the curve is fitted to one half and its threshold and rates
come from the other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from indexer.crew import Crew
from models.files import WEIGHTS
from models.logistic import Logistic
from search.benchmark.gallery import held_out
from search.benchmark.guests import in_another_state
from search.benchmark.trials import Progress, second_half
from search.engine import Engine
from search.states.calibration import SHIPPED, StateCurve
from search.states.evidence import SIGNS, features
from search.states.find import find_states
from search.verdict import Judge
from search.verdict.calibration import Calibration, fit_bounds
from search.verdict.curve import Curve
from search.verdict.lookalikes import nearest_lookalikes
from xtal.errors import UserError
from xtal.patterns import Pattern
from xtal.physics.simulate import WIDE_SCAN, simulate

MOST_ATOMS = 600
ORDINARY = (1.0, 2.0)  # severities of samples that are as the index has them
FALSE = 0.025  # of the patterns of absent frameworks that may be named, of either kind
EVEN = 0.5
Sample = Literal["another state", "ordinary"]
SAMPLES: tuple[Sample, ...] = ("another state", "ordinary")


@dataclass(frozen=True, eq=False)
class StateTrial:
    """One search whose truth is known.

    Attributes:
        sample: what the pattern is of.
        absent: whether the framework, and what looks like it, was taken out of the index.
        matched: whether the verdict was a match at once, so that no other state is looked for.
        listed: whether the framework was among the candidates that were stretched.
        features: (S, F) of these.
        right: (S,) whether they are the framework.
        second_half: of the formulas.
    """

    sample: Sample
    absent: bool
    matched: bool
    listed: bool
    features: NDArray[np.float64]
    right: NDArray[np.bool_]
    second_half: bool


@dataclass(frozen=True)
class StateRates:
    """How often a framework is named in another state.

    Attributes:
        sample, absent: as in `StateTrial`.
        count: patterns.
        matched: of which were a match at once.
        named: whose best candidate was named.
        right: rightly.
    """

    sample: Sample
    absent: bool
    count: int
    matched: int
    named: int
    right: int


def calibrate_states(
    crew: Crew[Engine], queries: int, seed: int, path: Path | None, progress: Progress
) -> tuple[StateCurve, list[StateRates]]:
    """Fit the curve to `queries` frameworks in another state and as many ordinary samples, and write it.

    The rates are those of each half of the formulas by the curve of the other, at the threshold of both.
    """
    engine = crew.base
    trials = list(state_trials(crew, queries, seed, progress))
    halves = {half: _fit([trial for trial in trials if trial.second_half != half]) for half in (True, False)}
    best = [_best(halves[trial.second_half], trial) for trial in trials]  # by the curve of the other half
    curve = StateCurve(engine.embedder.model_id, len(trials), _fit(trials), _threshold(trials, best))
    curve.save(path or WEIGHTS / engine.embedder.name / SHIPPED)
    return curve, list(_rates(trials, best, curve.least))


def state_rates(
    crew: Crew[Engine], curve: StateCurve, queries: int, seed: int, progress: Progress = lambda *_: None
) -> list[StateRates]:
    """Return how often a curve names a framework, of patterns that it was not fitted to if the seed is another one."""
    trials = list(state_trials(crew, queries, seed, progress))
    return list(_rates(trials, [_best(curve.curve, trial) for trial in trials], curve.least))


def state_trials(crew: Crew[Engine], queries: int, seed: int, progress: Progress) -> Iterator[StateTrial]:
    """Search every pattern with the framework in the index and without it and all that looks like it."""
    calibration = Judge.open(crew.base).calibration
    progress("searching", 0, queries)
    for trials in crew.map(partial(states_of, calibration), _patterns(crew.base, queries, seed)):
        yield from trials
        progress("searching", 1, None)


def states_of(calibration: Calibration, engine: Engine, asked: tuple[int, Sample, Pattern]) -> list[StateTrial]:
    """Search one pattern."""
    row, sample, pattern = asked
    judge, family = Judge(calibration, engine.index), nearest_lookalikes(engine.index, row)
    half = second_half(engine.index.entries.formulas[row])
    nothing = StateTrial(sample, False, False, False, np.empty((0, len(SIGNS))), np.empty(0, bool), half)
    return [_searched(engine, judge, replace(nothing, absent=absent), pattern, family) for absent in (False, True)]


def _searched(
    engine: Engine, judge: Judge, trial: StateTrial, pattern: Pattern, family: NDArray[np.int64]
) -> StateTrial:
    """Complete a trial: search for the pattern, without the `family` of its framework where that is absent."""
    left_out = family if trial.absent else np.empty(0, np.int64)
    answer = engine.query([pattern], without=[left_out])[0]
    if not answer.hits or not len(answer.lines):
        return trial
    if judge.verdict(answer).kind == "match":
        return replace(trial, matched=True)
    found = find_states(engine, answer, np.setdiff1d(np.arange(len(engine.index)), left_out), np.inf)
    if found is None or not found.stretched:
        return trial
    right = np.isin(np.array([one.row for one in found.stretched]), family)
    return replace(trial, listed=bool(right.any()), features=features(found, engine.index), right=right)


def _patterns(engine: Engine, queries: int, seed: int) -> Iterator[tuple[int, Sample, Pattern]]:
    """Yield entries with patterns of them: `queries` of other states, half as many ordinary ones."""
    done = 0
    for row in np.random.default_rng(seed).permutation(held_out(engine.index)).tolist():
        crystal = engine.index.crystal(row)
        if len(crystal) > MOST_ATOMS:
            continue
        rng = np.random.default_rng([seed, row])
        pattern = in_another_state(crystal, rng)
        if pattern is None:
            continue
        yield row, "another state", pattern
        if done % 2:
            yield row, "ordinary", simulate(crystal, ORDINARY[done % 4 // 2], rng, WIDE_SCAN)
        done += 1
        if done == queries:
            return


def _fit(trials: Sequence[StateTrial]) -> Curve:
    """Fit a curve to all candidates, as often right as frameworks that are there and not there make them."""
    numbers = np.concatenate([trial.features for trial in trials])
    right = np.concatenate([trial.right for trial in trials])
    if right.all() or not right.any():
        raise UserError("too few patterns to fit the probability of another pore state; ask for more queries")
    low, high = fit_bounds(numbers)
    return Curve(low, high, Logistic.fit(np.clip(numbers, low, high), right, SIGNS))


def _threshold(trials: Sequence[StateTrial], best: Sequence[tuple[float, bool]]) -> float:
    """Return the probability that `FALSE` of the absent ones reach, of either kind of pattern, one half at least."""
    least = EVEN
    for sample in SAMPLES:
        pairs = [pair for pair in zip(trials, best, strict=True) if pair[0].absent and pair[0].sample == sample]
        chances = [0.0 if trial.matched else chance for trial, (chance, _) in pairs]
        least = max(least, float(np.quantile(chances, 1 - FALSE))) if chances else least
    return least


def _best(curve: Curve, trial: StateTrial) -> tuple[float, bool]:
    """Return the highest probability of a candidate of a trial, and whether that one is right."""
    if not len(trial.right):
        return 0.0, False
    chances = curve.probabilities(trial.features)
    top = int(np.argmax(chances))
    return float(chances[top]), bool(trial.right[top])


def _rates(trials: Sequence[StateTrial], best: Sequence[tuple[float, bool]], least: float) -> Iterator[StateRates]:
    """Yield the rates of each kind of pattern."""
    for sample in SAMPLES:
        for absent in (False, True):
            own = [
                pair for pair in zip(trials, best, strict=True) if (pair[0].sample, pair[0].absent) == (sample, absent)
            ]
            named = [right for _, (chance, right) in own if chance >= least]
            matched = sum(trial.matched for trial, _ in own)
            yield StateRates(sample, absent, len(own), matched, len(named), sum(named))


def rates_text(least: float, rates: Sequence[StateRates]) -> str:
    """Return rates for people."""
    head = "sample         in the index  patterns  match at once  named  rightly  wrongly"
    rows = [
        f"{one.sample:13s}  {'no' if one.absent else 'yes':>12s}  {one.count:8d}  {one.matched:13d}  {one.named:5d}  "
        f"{one.right:7d}  {(one.named - one.right) / max(one.count, 1):7.1%}"
        for one in rates
    ]
    return "\n".join([f"named from a probability of {least:.2f} on", head, *rows])
