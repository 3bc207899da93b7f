"""The curve of other pore states, fitted to made-up trials whose truth is in one of their features."""

import numpy as np
import pytest

from indexer.crew import Crew
from search.benchmark import states
from search.benchmark.states import StateTrial, calibrate_states, rates_text
from search.states.calibration import StateCurve
from search.states.evidence import FEATURES, SIGNS
from xtal.errors import UserError

TELLS = FEATURES.index("agreement of found and calculated intensities beyond the low angles")


def made(count, tells=True):
    """Return trials: of the framework one candidate is right; of absent ones none is."""
    rng = np.random.default_rng(0)
    trials = []
    for number in range(count):
        for absent in (False, True):
            right = np.zeros(5, dtype=bool)
            right[number % 5] = not absent
            numbers = rng.normal(size=(5, len(FEATURES)))
            numbers[:, TELLS] += 5 * right * tells
            sample = "ordinary" if number % 3 == 0 else "another state"
            trials.append(StateTrial(sample, absent, False, not absent, numbers, right, bool(number % 2)))
        trials.append(StateTrial("ordinary", False, True, False, np.empty((0, len(FEATURES))), np.empty(0, bool), True))
    return trials


@pytest.fixture
def calibrated(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(states, "state_trials", lambda *_: iter(made(120)))
    path = tmp_path / "states.json"
    curve, rates = calibrate_states(Crew(engine), 120, 0, path, lambda *_: None)
    return path, curve, rates


def test_what_tells_right_from_wrong_counts_and_absent_ones_stay_below_the_threshold(calibrated):
    path, curve, rates = calibrated
    assert StateCurve.load(path) == curve
    assert curve.curve.logistic.weights[TELLS] > 0
    assert all(sign * weight >= 0 for sign, weight in zip(SIGNS, curve.curve.logistic.weights, strict=True))
    absent = [one for one in rates if one.absent]
    assert sum(one.named for one in absent) <= states.FALSE * sum(one.count for one in absent) + 1
    there = next(one for one in rates if one.sample == "another state" and not one.absent)
    assert there.right >= 0.9 * there.count
    assert there.right <= there.named <= there.count
    assert next(one for one in rates if one.sample == "ordinary" and not one.absent).matched == 120


def test_rates_are_told_in_a_table(calibrated):
    _, curve, rates = calibrated
    head, names, *rows = rates_text(curve.least, rates).splitlines()
    assert f"{curve.least:.2f}" in head
    assert names.split()[0] == "sample"
    assert len(rows) == len(rates) == 4


def test_patterns_of_one_kind_alone_fit_no_curve(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(states, "state_trials", lambda *_: (one for one in made(40) if one.absent))
    with pytest.raises(UserError, match="too few patterns"):
        calibrate_states(Crew(engine), 40, 0, tmp_path / "states.json", lambda *_: None)


def test_every_pattern_is_asked_with_the_framework_and_without(engine, monkeypatch):
    monkeypatch.setattr(states, "held_out", lambda index: np.arange(len(index)))
    monkeypatch.setattr(states, "Judge", Refuses)
    trials = list(states.state_trials(Crew(engine), 2, 1, lambda *_: None))
    assert [trial.absent for trial in trials] == [False, True] * (len(trials) // 2)
    assert {trial.sample for trial in trials} == {"another state", "ordinary"}
    assert all(trial.features.shape == (len(trial.right), len(FEATURES)) for trial in trials)
    assert not any(trial.right.any() for trial in trials if trial.absent)
    assert any(trial.right.any() for trial in trials)


class Refuses:
    """A judge to whom nothing is a match."""

    calibration = None

    def __init__(self, *_):
        pass

    @classmethod
    def open(cls, _engine):
        return cls()

    @staticmethod
    def verdict(_answer):
        return type("Miss", (), {"kind": "miss"})()
