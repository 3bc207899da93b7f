"""Several phases fitted together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtal.patterns import q_from_two_theta
from xtal.patterns.sample import Sample
from xtal.physics import LineTable, Sticks, powder_lines
from xtal.physics.artefacts import Scan
from xtal.physics.fit import Beside, refine
from xtal.physics.joint import ZERO, fit_jointly, non_negative
from xtal.physics.simulate import simulate_mixture
from xtal.physics.target import Target
from xtal.sources import open_source

SCAN = Scan(10.0, 70.0, 0.02, 1.5418)
NAMES = ("zinc_oxide_zincite", "titanium_oxide_rutile", "sodium_chloride_halite")


@pytest.fixture(scope="module")
def crystals():
    source = open_source("lab")
    found = {record.id: source.read(record) for record in source.records() if record.id in NAMES}
    return [found[name] for name in NAMES]


@pytest.fixture(scope="module")
def sticks(crystals):
    last = float(q_from_two_theta(SCAN.last, SCAN.wavelength)) * 1.02
    table = LineTable.stack([powder_lines(crystal, last) for crystal in crystals])
    return Sticks.of(table, np.arange(3), SCAN.wavelength, last)


@pytest.fixture(scope="module")
def target(crystals):
    """70 % of zincite and 30 % of rutile by intensity; there is no halite."""
    pattern = simulate_mixture(crystals[:2], (0.7, 0.3), 0.5, np.random.default_rng(3), SCAN)
    sample = Sample.of(pattern)
    return Target.of(pattern, sample.lines, sample.under)


def test_areas_strains_and_one_zero_shift_come_back(target, sticks):
    fit = fit_jointly(target, sticks.take(np.array([0, 1])), np.zeros((2, 9)))
    assert fit.scale[0] / fit.scale.sum() == pytest.approx(0.7, abs=0.05)
    assert fit.parameters[0, ZERO] == fit.parameters[1, ZERO]
    assert (fit.without > 2 * fit.chi_square).all()


def test_a_phase_that_is_not_there_gets_nothing_and_its_loss_is_none(target, sticks):
    fit = fit_jointly(target, sticks, np.zeros((3, 9)))
    assert fit.scale[2] < 0.02 * fit.scale.sum()
    assert fit.without[2] == pytest.approx(fit.chi_square, rel=0.05)


def test_a_candidate_is_compared_beside_what_is_known(target, sticks):
    """Alone zincite fits better; beside zincite, rutile does."""
    known = fit_jointly(target, sticks.take(np.array([0])), np.zeros((1, 9)))
    beside = Beside(sticks.take(np.array([0])), known.parameters)
    alone = refine(target, sticks, 0.0, 3)
    together = refine(target, sticks, 0.0, 3, beside=beside)
    assert alone.chi_square.argmin() == 0
    assert together.chi_square.argmin() == 1
    assert together.chi_square[1] < known.chi_square
    again = refine(target, sticks, 0.0, 3)  # the weights that both share stay as they were
    np.testing.assert_array_equal(again.chi_square, alone.chi_square)


@given(st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_scales_are_the_best_that_are_not_negative(count, seed):
    """The gradient of the misfit vanishes for each scale that is positive, and presses down each that is 0."""
    rng = np.random.default_rng(seed)
    curves, data = rng.normal(size=(count, 40)), rng.normal(size=40)
    scale = non_negative(curves, data)
    gradient = curves @ (scale @ curves - data)
    assert (scale >= 0).all()
    assert np.abs(gradient[scale > 0]).max(initial=0) < 1e-5
    assert (gradient[scale == 0] > -1e-5).all()
