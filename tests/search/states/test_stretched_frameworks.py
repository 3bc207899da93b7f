"""A framework whose cell has grown and whose pores are filled is found by the places of its lines."""

from dataclasses import replace

import numpy as np
import pytest

from models.logistic import Logistic
from search.benchmark.guests import MOST_BREATH, breathing, in_another_state, with_guests
from search.phases import PhaseJudge
from search.states import StateJudge, judge
from search.states.calibration import StateCurve
from search.states.evidence import FEATURES, SIGNS, features
from search.states.find import find_states
from search.verdict import Verdict
from search.verdict.curve import Curve
from xtal.errors import UserError
from xtal.physics.fit import Fit
from xtal.refinement.voids import is_porous

PLACES = FEATURES.index("how much more likely its cell makes the places of the found lines")
MISS = Verdict("miss", 0.1, ("fits badly",), 0.0)
BAD = Verdict("miss", 0.02, ("nothing",), 0.0)


@pytest.fixture(scope="module")
def porous(engine):
    """Rows of entries with pores and few atoms."""
    rows = [row for row in range(len(engine)) if len(engine.index.crystal(row)) < 150]
    return [row for row in rows if is_porous(engine.index.crystal(row))][:8]


@pytest.fixture(scope="module")
def asked(engine, porous):
    """Patterns of these entries in another state, answered."""
    made = [in_another_state(engine.index.crystal(row), np.random.default_rng(row)) for row in porous]
    kept = [(row, pattern) for row, pattern in zip(porous, made, strict=True) if pattern is not None]
    answers = engine.query([pattern for _, pattern in kept])
    return [(row, answer) for (row, _), answer in zip(kept, answers, strict=True) if len(answer.lines) > 12]


def curve(weight, intercept=0.0):
    """Return a curve that goes by the places of the lines alone."""
    weights = np.zeros(len(FEATURES))
    weights[PLACES] = weight
    wide = (1e9,) * len(FEATURES)
    return StateCurve("model", 1, Curve(tuple(-w for w in wide), wide, Logistic(intercept, tuple(weights))), 0.5)


def test_the_framework_is_among_the_stretched_and_suits_the_profile_best(engine, asked):
    assert len(asked) >= 6
    listed, best = [], []
    for row, answer in asked:
        found = find_states(engine, answer, seconds=np.inf)
        same = engine.index.entries.group[[one.row for one in found.stretched]] == engine.index.entries.group[row]
        listed.append(bool(same.any()))
        best.append(bool(same[np.argmin([one.scrutiny.residue for one in found.stretched])]))
    assert np.mean(listed) >= 0.7
    assert np.mean(best) >= 0.6


def test_a_pattern_of_few_lines_tells_nothing(engine, asked):
    _, answer = asked[0]
    pattern = answer.pattern
    dull = replace(pattern, intensity=np.full(len(pattern), 100.0) + np.arange(len(pattern)) % 2)
    assert find_states(engine, replace(answer, pattern=dull), seconds=np.inf) is None


def test_features_are_finite_and_of_one_sign_each(engine, asked):
    _, answer = asked[0]
    found = find_states(engine, answer, seconds=np.inf)
    numbers = features(found, engine.index)
    assert numbers.shape == (len(found.stretched), len(FEATURES)) == (len(found.stretched), len(SIGNS))
    assert np.isfinite(numbers).all()
    assert found.stretched[0].near.met(found.places).shape[0] == len(found.places.q)


def test_a_named_framework_is_described_as_it_was_stretched(engine, asked, monkeypatch):
    monkeypatch.setattr(judge, "shipped_curve", lambda _: curve(0.0, 5.0))
    row, answer = asked[0]
    allowed = judge.Filter(None, str(engine.index.entries.formulas[row]), frozenset())
    verdict = StateJudge(engine).examined(answer, MISS, allowed)
    assert verdict.kind == "other_state"
    assert verdict.headline.startswith("This framework, other guests or pore state: more than 99 % likely")
    (phase,) = verdict.phases
    assert phase.hit.formula == engine.index.entries.formulas[row]
    assert any("stretched within its symmetry" in reason for reason in verdict.reasons)
    drawn = engine.stacked(answer.pattern, [phase.hit])
    assert len(drawn.ticks) > 3
    found = find_states(engine, answer, allowed.rows(engine.index.entries), np.inf)
    one = next(one for one in found.stretched if one.row == phase.hit.row)
    places = 2 * np.degrees(np.arcsin(answer.pattern.wavelength / 2 * np.sqrt(one.near.q[:5])))
    shift = np.degrees(one.near.zero)
    off = np.abs(places[:, None] + shift - drawn.ticks).min(axis=1)
    assert (
        np.median(off) < 0.05
    )  # degrees: the entry's lines, strained as the hit has it, stand where the cell puts them


def test_a_match_is_not_looked_at(engine, asked, monkeypatch):
    monkeypatch.setattr(judge, "shipped_curve", lambda _: curve(0.0, 5.0))
    monkeypatch.setattr(judge, "find_states", lambda *_: pytest.fail("looked for a state after a match"))
    match = Verdict("match", 0.99, ("fits",), 0.9)
    assert StateJudge(engine).examined(asked[0][1], match) is match


@pytest.mark.parametrize("given", [None, curve(0.0, -5.0)])
def test_without_a_curve_or_likelihood_a_miss_stays_one(engine, asked, monkeypatch, given):
    monkeypatch.setattr(judge, "shipped_curve", lambda _: given)
    assert StateJudge(engine).examined(asked[0][1], MISS) is MISS


def test_a_search_by_phases_ends_with_other_states(engine, asked, monkeypatch):
    monkeypatch.setattr(judge, "shipped_curve", lambda _: curve(0.0, 5.0))
    _, answer = asked[0]
    assert PhaseJudge(engine).examined(answer, BAD).kind == "other_state"
    unfitted = replace(answer, hits=tuple(replace(hit, chi_square=None) for hit in answer.hits))
    assert PhaseJudge(engine).examined(unfitted, BAD) is BAD


def test_breathing_keeps_the_metric_symmetry(engine, porous):
    for row in porous:
        crystal = engine.index.crystal(row)
        strain = breathing(crystal, np.random.default_rng(row))
        np.testing.assert_allclose(strain, strain.T, atol=1e-12)
        assert np.abs(np.linalg.eigvalsh(strain)).max() <= MOST_BREATH + 1e-9
        lengths = np.linalg.norm(crystal.lattice, axis=1)
        after = np.linalg.norm(crystal.lattice @ (np.eye(3) + strain), axis=1)
        same = np.abs(lengths[:, None] - lengths) < 1e-4
        alike = crystal.lattice @ crystal.lattice.T
        for i, j in zip(*np.nonzero(np.triu(same, 1)), strict=True):
            if np.isclose(np.abs(alike[i, 3 - i - j]), np.abs(alike[j, 3 - i - j]), atol=1e-3):
                assert after[i] == pytest.approx(after[j], rel=5e-3)


def test_guests_leave_the_framework_as_it_is(engine, porous):
    crystal = engine.index.crystal(porous[0])
    filled = with_guests(crystal, np.random.default_rng(1))
    size = len(crystal)
    np.testing.assert_array_equal(filled.numbers[:size], crystal.numbers)
    np.testing.assert_allclose(filled.frac_coords[:size], crystal.frac_coords)
    assert len(filled) > size
    assert 0 < filled.occupancies[size:].max() <= 1


def test_a_curve_is_kept_in_a_file(tmp_path):
    path = tmp_path / "states.json"
    curve(0.3).save(path)
    assert StateCurve.load(path) == curve(0.3)
    path.write_text(path.read_text().replace('"format": 1', '"format": 7'))
    with pytest.raises(UserError, match="another version"):
        StateCurve.load(path)


def test_the_fit_of_a_hit_has_one_row(engine, asked):
    found = find_states(engine, asked[0][1], seconds=np.inf)
    assert all(isinstance(one.fit, Fit) and one.fit.parameters.shape == (1, 9) for one in found.stretched)
