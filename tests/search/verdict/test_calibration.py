"""From evidence to probability, and what a calibration is worth."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from search_helpers import INDEX

from indexer.crew import Crew
from models.cpcp.files import model_id
from models.files import WEIGHTS
from search.benchmark import calibrate
from search.benchmark.trials import Removed, Trials, second_half
from search.verdict.calibration import (
    BARELY,
    LEAST_ACCOUNTED,
    MATCH_SHARE,
    RESIDUE,
    SHARES,
    Calibration,
    Curves,
    Logistic,
    Threshold,
    calibration_path,
    find_calibration,
    shipped_path,
)
from search.verdict.evidence import FEATURES, SIGNS
from xtal.errors import UserError

COUNT = len(FEATURES)


def made_up(seed, size=3000, shift=2.0):
    """Searches whose every feature tells right from wrong a little."""
    rng = np.random.default_rng(seed)
    removed = np.repeat(list(Removed), size // 3)
    right = (removed == Removed.NOTHING) & (rng.uniform(size=len(removed)) < 0.9)
    features = rng.normal(size=(len(removed), COUNT)) + shift / np.sqrt(COUNT) * right[:, None]
    features[:, RESIDUE] -= 9  # all account for something
    severity = np.where(np.arange(len(removed)) % 2, 0.5, 1.0)
    processed = severity > 0.75
    processed[::4] = False
    return Trials(severity, processed, removed, features, right, right.copy(), rng.uniform(size=len(removed)) < 0.5)


@pytest.fixture
def some():
    curve = Logistic(-1.0, (1.0,) * COUNT)
    curves = Curves((-2.0,) * COUNT, (2.0,) * COUNT, curve, curve)
    thresholds = tuple(Threshold(share, 1 - share) for share in SHARES)
    return Calibration("profile", "a" * 64, INDEX, 120, 80, curves, thresholds)


def test_the_fit_finds_the_curve_that_made_the_data():
    rng = np.random.default_rng(0)
    truth = Logistic(-0.7, (1.5, -0.8, 0.0))
    features = rng.normal(size=(40_000, 3)) * [1, 2, 5] + [0, 1, -3]
    right = rng.uniform(size=len(features)) < truth.probability(features)
    found = Logistic.fit(features, right)
    np.testing.assert_allclose([found.intercept, *found.weights], [truth.intercept, *truth.weights], atol=0.07)


def test_separable_and_constant_features_give_finite_weights():
    features = np.column_stack([np.r_[np.zeros(50), np.ones(50)], np.full(100, 3.0)])
    found = Logistic.fit(features, np.arange(100) >= 50)
    p = found.probability(features)
    assert np.isfinite([found.intercept, *found.weights]).all()
    assert p[:50].max() < 0.1
    assert p[50:].min() > 0.9


def test_no_weight_has_a_sign_that_it_may_not_have():
    """A feature that repeats another one with some noise added takes the other sign when it is let."""
    rng = np.random.default_rng(1)
    good = rng.normal(size=5000)
    features = np.column_stack([good + rng.normal(size=5000), good + 2 * rng.normal(size=5000), rng.normal(size=5000)])
    right = rng.uniform(size=5000) < Logistic(0.0, (2.0, -0.5, 1.0)).probability(features)
    free = Logistic.fit(features, right)
    held = Logistic.fit(features, right, (1, 1, 0))
    assert free.weights[1] < -0.3
    assert held.weights[1] == 0
    assert held == Logistic.fit(features, right, (1, 1, 1))
    assert held.weights[0] > 0.5
    assert held.weights[2] == pytest.approx(1.0, abs=0.2)
    without = Logistic.fit(features[:, [0, 2]], right)
    np.testing.assert_allclose([held.weights[0], held.weights[2]], without.weights, atol=1e-6)


def test_missing_evidence_has_no_probability_and_far_evidence_counts_as_the_bound(some):
    inside = np.full((1, COUNT), 2.0)
    rows = np.concatenate([inside, inside + 100, np.full((1, COUNT), np.nan)])
    rows[:2, RESIDUE] = -2.0  # it accounts for something
    for p in some.curves.probabilities(rows):
        assert p[0] == p[1] > 0.9
        assert p[2] == 0


def test_a_calibration_is_read_back_as_it_was_written(some, tmp_path):
    some.save(tmp_path / "verdict.json")
    assert Calibration.load(tmp_path / "verdict.json") == some
    assert some.threshold(0.05) == 0.95
    assert some.threshold() == some.decisive == 1 - MATCH_SHARE
    low = tuple(replace(t, probability=t.probability - 0.6) for t in some.thresholds)
    assert replace(some, thresholds=low).decisive == 0.5


@pytest.mark.parametrize("text", ["", "[]", '{"format": 1}', "\xff"])
def test_a_damaged_file_says_what_to_do(text, tmp_path):
    path = tmp_path / "verdict.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match=r"verdict.json is damaged .*; make one: python -m search calibrate NAME"):
        Calibration.load(path)


def test_a_file_of_another_version_is_refused(some, tmp_path):
    path = tmp_path / "verdict.json"
    some.save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"features": ["luck"]}))
    with pytest.raises(UserError, match=f"another version of this program; make one: .* calibrate {INDEX}"):
        Calibration.load(path)


def test_the_index_has_its_own_calibration_or_the_embedders(some, tmp_path, monkeypatch):
    embedder = SimpleNamespace(name="profile", model_id="a" * 64)
    with pytest.raises(UserError, match=r"no calibration for index 'x' and embedder profile; make one: .* calibrate x"):
        find_calibration("x", embedder, tmp_path)
    monkeypatch.setattr("search.verdict.calibration.WEIGHTS", tmp_path)
    shipped_path(embedder).parent.mkdir()
    some.save(shipped_path(embedder))
    assert find_calibration("x", embedder, tmp_path) == some
    own = replace(some, index="x")
    calibration_path("x", embedder, tmp_path).parent.mkdir(parents=True)
    own.save(calibration_path("x", embedder, tmp_path))
    assert find_calibration("x", embedder, tmp_path) == own
    other = SimpleNamespace(name="profile", model_id="b" * 64)
    with pytest.raises(UserError, match="no calibration"):
        find_calibration("x", other, tmp_path)


def test_the_shipped_calibration_belongs_to_the_shipped_model():
    folder = WEIGHTS / "cpcp-reciprocal"
    shipped = Calibration.load(folder / "verdict.json")
    assert shipped.model_id == model_id(folder)
    levels = [shipped.threshold(share) for share in SHARES]
    assert levels == sorted(levels, reverse=True)
    assert 0.1 < levels[-1] < levels[0] < 1
    for curve in (shipped.curves.alike, shipped.curves.exact):
        assert all(np.sign(weight) in (0, sign) for weight, sign in zip(curve.weights, SIGNS, strict=True) if sign)
    weights = dict(zip(FEATURES, shipped.curves.alike.weights, strict=True))
    assert weights["similarity"] > 0
    assert weights["errors of lines that it takes"] < 0


@given(hnp.arrays(float, COUNT, elements=st.floats(-20, 20)), st.floats(float(np.log(1 - LEAST_ACCOUNTED)) + 1e-6, 1.0))
def test_what_accounts_for_next_to_nothing_is_never_a_match(numbers, residue):
    """Whatever else speaks for it: a pattern without signal costs no structure anything."""
    shipped = Calibration.load(WEIGHTS / "cpcp-reciprocal" / "verdict.json")
    numbers[RESIDUE] = residue
    alike, exact = shipped.curves.probabilities(numbers[None])
    assert max(alike[0], exact[0]) <= BARELY < shipped.decisive


@given(hnp.arrays(float, COUNT, elements=st.floats(-5, 5)), st.integers(0, COUNT - 1), st.floats(0, 5))
def test_better_evidence_makes_no_structure_less_likely(numbers, place, better):
    shipped = Calibration.load(WEIGHTS / "cpcp-reciprocal" / "verdict.json")
    more = numbers.copy()
    more[place] += SIGNS[place] * better
    before, after = shipped.curves.probabilities(np.array([numbers, more]))[0]
    assert after >= before - 1e-12


def test_the_calibration_error_is_the_distance_from_the_diagonal():
    rng = np.random.default_rng(1)
    p = rng.uniform(size=50_000)
    honest = calibrate.Reliability.of(p, rng.uniform(size=len(p)) < p)
    assert honest.error < 0.02
    assert sum(b.queries for b in honest.bins) == len(p)
    boastful = calibrate.Reliability.of(np.full(1000, 0.95), np.arange(1000) < 600)
    assert boastful.error == pytest.approx(0.35)
    assert boastful.bins == (calibrate.Bin(pytest.approx(0.95), 0.6, 1000),)


def test_each_half_is_judged_by_the_other():
    trials = made_up(3)
    wrong = replace(trials, alike=np.where(trials.second_half, ~trials.alike, trials.alike))
    judged = calibrate.cross_fitted(wrong)
    held = trials.removed == Removed.NOTHING
    for half, sign in ((trials.second_half, 1), (~trials.second_half, -1)):
        chosen = half & (trials.removed != Removed.GROUP)
        above = judged.alike[chosen & held].mean() - judged.alike[chosen & ~held].mean()
        assert sign * above > 0.05  # the half whose truth was turned round misleads the other one


def test_what_is_reported_is_what_happened(engine, tmp_path):
    trials = made_up(4, shift=4.0)
    judged = calibrate.cross_fitted(trials)
    fitted = calibrate.fit(judged, engine)
    report = calibrate.report(fitted, tmp_path, judged)
    every, *levels = report.rates
    assert [(r.severity, r.processed) for r in report.rates] == [(None, False), (0.5, False), (1.0, False), (1.0, True)]
    assert every.queries == sum(r.queries for r in levels) == 1000
    assert every.false == pytest.approx(SHARES, abs=2e-3)
    assert every.accepted[0] < every.accepted[-1]
    assert every.accepted[-1] > 0.8
    assert every.right == every.alike == pytest.approx(0.9, abs=0.03)
    assert report.reliability.error == every.error < 0.05
    assert every.exact_error < 0.05
    assert (fitted.index, fitted.entries, fitted.queries) == (INDEX, 120, 1000)


def test_formulas_are_halved_evenly_and_for_good():
    halves = [second_half(f"C{i}H4") for i in range(400)]
    assert 150 < sum(halves) < 250
    assert [second_half(f) for f in ("C8H4O5Zn", "C6H2CuO4")] == [second_half(f) for f in ("C8H4O5Zn", "C6H2CuO4")]


def test_too_few_entries_are_refused(engine):
    with pytest.raises(UserError, match=rf"needs at least {calibrate.FEWEST} entries .*got 12 .index '{INDEX}' has 12"):
        calibrate.calibrate(Crew(engine))
