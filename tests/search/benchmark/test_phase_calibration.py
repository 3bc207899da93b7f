"""Curves for the phases of mixtures, fitted to made-up trials whose truth is in one of their features."""

import numpy as np
import pytest

from search.benchmark.calibrate_phases import Level, PhaseTrial, fitted
from search.benchmark.mixture_rates import wilson
from search.benchmark.mixtures import added, pure, simulated
from search.engine import Engine
from search.phases.calibration import PhaseCurves
from search.phases.evidence import FEATURES
from xtal.errors import UserError
from xtal.patterns.background import background

OWN = FEATURES.index("ln of one plus the lines that are mostly its own")


def level(rng, right) -> Level:
    """Right phases have more lines of their own."""
    numbers = rng.normal(size=(len(right), len(FEATURES)))
    numbers[:, OWN] += 3 * np.array(right)
    return Level(numbers, np.array(right))


@pytest.fixture(scope="module")
def trials():
    rng = np.random.default_rng(0)
    made = []
    for number in range(120):
        half = bool(number % 2)
        made += [
            PhaseTrial("two", 2, (level(rng, [True]), level(rng, [True, True])), half),
            PhaseTrial("pure", 1, (level(rng, [True]), level(rng, [True, False])), half),
            PhaseTrial("pure", 0, (level(rng, [False]), level(rng, [False, False])), half),
        ]
    return made


def test_what_tells_right_from_wrong_counts_and_false_phases_stay_below_the_threshold(trials):
    curves = fitted(trials, "model")
    assert max(curves.together.logistic.weights) == curves.together.logistic.weights[OWN] > 1
    false = [curves.sure(curves.probabilities(t.levels[1].features)) for t in trials if t.kind == "pure" and t.held]
    found = [curves.sure(curves.probabilities(t.levels[1].features)) for t in trials if t.held == 2]
    assert np.mean(false) <= 0.04
    assert np.mean(found) > np.mean(false) + 0.2


def test_curves_come_back_from_their_file(trials, tmp_path):
    curves = fitted(trials, "model")
    curves.save(tmp_path / "phases.json")
    assert PhaseCurves.load(tmp_path / "phases.json") == curves
    text = (tmp_path / "phases.json").read_text().replace('"format": 1', '"format": 0')
    (tmp_path / "phases.json").write_text(text)
    with pytest.raises(UserError, match="another version of this program"):
        PhaseCurves.load(tmp_path / "phases.json")


def test_too_few_trials_are_refused(trials):
    with pytest.raises(UserError, match="too few to fit the probability of a phase"):
        fitted([trial for trial in trials if trial.held][:2], "model")


def test_intervals_are_wilsons():
    assert wilson(0, 10) == pytest.approx((0, 27.75), abs=0.01)
    assert wilson(5, 10) == pytest.approx((23.66, 76.34), abs=0.01)


def test_mixtures_are_drawn_from_both_indexes_and_the_same_each_time(home):
    engine = Engine.open("coremof2019-asr+lab", home)
    first, again = (list(simulated(engine, 1, 5, fractions=(0.7,))) for _ in range(2))
    assert [m.kind for m in first] == ["framework + lab", "two frameworks"]
    frameworks = len(engine) - 120
    assert [row < frameworks for m in first for row in m.rows] == [True, False, True, True]
    assert all((a.pattern.intensity == b.pattern.intensity).all() for a, b in zip(first, again, strict=True))
    assert [len(m.rows) for m in pure(engine, 3, 5)] == [1, 1, 1]
    with pytest.raises(UserError, match="mixtures need lab phases, and index 'coremof2019-asr' holds 0"):
        next(simulated(Engine.open("coremof2019-asr", home), 1, 5))


def test_a_sum_has_the_shares_that_were_asked_for(patterns):
    both = added(patterns[0], patterns[1], (0.75, 0.25))
    net = [p.intensity - background(p) for p in (patterns[0], both)]
    assert net[1].sum() == pytest.approx(net[0].sum() / 0.75, rel=0.1)
