"""The order that physics gives a shortlist."""

import numpy as np
import pytest

from search.ranking.rerank import STAGES, rerank
from xtal.patterns.background import background
from xtal.patterns.linefinder import find_lines
from xtal.physics.target import Target


@pytest.fixture(scope="module")
def targets(patterns):
    return [Target.of(p, find_lines(p), background(p)) for p in patterns]


@pytest.fixture(scope="module")
def shortlist(engine):
    """All entries in an order that says nothing."""
    return np.random.default_rng(1).permutation(len(engine))


def test_the_right_entry_rises_from_anywhere_within_the_first_stage(engine, targets, wanted, shortlist):
    group = engine.index.entries.group
    found = 0
    for target, row in zip(targets, wanted, strict=True):
        rows = np.concatenate([shortlist[shortlist != row][: STAGES[0].candidates - 1], [row]])  # last of the stage
        best = rows[rerank(target, engine.index.lines, rows).order[0]]
        found += group[best] == group[row]
    assert found >= 0.8 * len(targets)


def test_the_order_is_a_permutation_with_its_fits(engine, targets, shortlist):
    ranking = rerank(targets[0], engine.index.lines, shortlist)
    assert sorted(ranking.order) == list(range(len(shortlist)))
    assert len(ranking.fit.chi_square) == len(ranking.fit.explained) == len(ranking.fit.parameters) == len(shortlist)
    first, last = STAGES[0].candidates, STAGES[-1].candidates
    np.testing.assert_array_equal(ranking.order[first:], np.arange(first, len(shortlist)))  # not compared: as they came
    assert np.isinf(ranking.fit.chi_square[first:]).all()
    assert np.isfinite(ranking.fit.chi_square[:first]).all()
    assert (np.diff(ranking.fit.chi_square[:last]) >= 0).all()
    assert (np.diff(ranking.fit.chi_square[STAGES[1].candidates : first]) >= 0).all()


def test_each_fit_belongs_to_its_entry(engine, targets, shortlist):
    """Ranked again in another order, every entry that reached the last stage has the same fit."""
    rows = shortlist[:10]
    ranking = rerank(targets[0], engine.index.lines, rows)
    turned = rerank(targets[0], engine.index.lines, rows[::-1])
    assert rows[ranking.order[0]] == rows[::-1][turned.order[0]]
    for values in ("chi_square", "explained"):
        once = dict(zip(rows[ranking.order], getattr(ranking.fit, values), strict=True))
        again = dict(zip(rows[::-1][turned.order], getattr(turned.fit, values), strict=True))
        assert once == pytest.approx(again, rel=2e-3, abs=2e-3)


@pytest.mark.parametrize("count", [1, 2, 11, 13, 25])
def test_short_shortlists(engine, targets, shortlist, count):
    ranking = rerank(targets[1], engine.index.lines, shortlist[:count])
    assert sorted(ranking.order) == list(range(count))
    assert np.isfinite(ranking.fit.chi_square).all()


def test_stages_narrow_down():
    candidates = [stage.candidates for stage in STAGES]
    assert candidates == sorted(candidates, reverse=True)
    assert STAGES[-1].blur == 0
