"""Kα2 and lines that grow wider with the angle: in simulated patterns, in the fit, and found again by it."""

from dataclasses import replace

import numpy as np
import pytest

from search.ranking.rerank import suited
from xtal.patterns import two_theta_from_q
from xtal.patterns.sample import Sample
from xtal.patterns.wavelengths import ANODES, K_ALPHA_2, spectrum
from xtal.physics import LineTable, Scan, Sticks, crystal_lines, reflections
from xtal.physics.artefacts import Artefacts, apply
from xtal.physics.fit import Fit, profiles, refine
from xtal.physics.profile import render_each
from xtal.physics.target import Target, widening

WAVELENGTH = 1.5418
WIDE = Scan(10.0, 90.0, 0.02, WAVELENGTH, K_ALPHA_2)
SHARP = {"fwhm": 0.1, "eta": 0.5, "counts": 1e5}


@pytest.fixture(scope="module")
def crystal(engine):
    """The smallest cell of the index: few lines at high angles."""
    return engine.index.crystal(int(np.argmin(engine.index.entries.n_atoms)))


def pattern(crystal, scan: Scan, growth: float = 0.0):
    """A sharp pattern; with growth its lines are drawn one by one."""
    artefacts = replace(Artefacts.draw(0.0, np.random.default_rng(0)), **SHARP)
    found = reflections(crystal, 6.5, wavelength=scan.wavelength)
    made = apply(artefacts, found, np.random.default_rng(1), scan)
    if not growth:
        return made
    lines = crystal_lines(crystal)
    sticks = Sticks.of(LineTable.stack([lines]), np.array([0]), WAVELENGTH, 6.2).doubled(WAVELENGTH, scan.second)
    angles = two_theta_from_q(sticks.q[0], WAVELENGTH)
    curve = render_each(made.two_theta, angles, sticks.area[0], 0.1 * widening(angles, growth), 0.5)
    counts = np.random.default_rng(2).poisson(1e4 * curve / curve.max() + 20)
    return replace(made, intensity=counts.astype(float))


def target_of(made) -> tuple[Target, Sample]:
    sample = Sample.of(made)
    return Target.of(made, sample.lines, sample.under), sample


def test_the_spectrum_is_that_of_the_anode():
    copper = ANODES["Cu"]
    assert spectrum(copper.ka1) == pytest.approx((1.0, copper.ka2 / copper.ka1))
    assert spectrum(1.5418) == pytest.approx((copper.ka1 / 1.5418, copper.ka2 / 1.5418))
    assert spectrum(0.4127) == (1.0, 1.0)


def test_a_line_has_its_partner_where_bragg_puts_it(crystal):
    """At high angles both stand apart, two to one."""
    made = pattern(crystal, WIDE)
    lone = pattern(crystal, replace(WIDE, second=0.0))
    assert np.abs(made.intensity - lone.intensity).max() > 0.03 * lone.intensity.max()
    sticks = Sticks.of(LineTable.stack([crystal_lines(crystal)]), np.array([0]), WAVELENGTH, 6.0)
    both = sticks.doubled(WAVELENGTH, K_ALPHA_2)
    assert both.area.sum() == pytest.approx(sticks.area.sum())
    count = sticks.q.shape[1]
    copper = ANODES["Cu"]
    np.testing.assert_allclose(both.q[:, count:] / both.q[:, :count], copper.ka2 / copper.ka1)
    assert sticks.doubled(WAVELENGTH, 0.0) is sticks


@pytest.mark.parametrize("second", [0.0, K_ALPHA_2])
@pytest.mark.parametrize("growth", [0.0, 8.0])
def test_what_draws_the_lines_is_found(crystal, second, growth):
    made = pattern(crystal, replace(WIDE, second=second), growth)
    target, _ = target_of(made)
    sticks = Sticks.of(LineTable.stack([crystal_lines(crystal)]), np.array([0]), WAVELENGTH, 6.2)
    fit = refine(target, sticks, 0.3, 2)
    chosen, share = suited(target, sticks, fit)
    assert share == second
    assert abs(chosen.growth - growth) <= 2
    plain = refine(target, sticks, 0.0, 6, fit).explained[0]
    better = refine(chosen, sticks, 0.0, 6, fit, second=share).explained[0]
    assert better > 0.8
    if second or growth:
        assert better > plain + 0.02


def test_a_stretched_axis_keeps_the_area_and_the_places(crystal):
    """The same lines, drawn on the stretched axis and one by one."""
    made = pattern(crystal, WIDE, 8.0)
    target = target_of(made)[0].grown(8.0)
    assert np.ptp(np.diff(target.stretched)) < 1e-9
    assert np.diff(target.two_theta)[-1] > 1.5 * np.diff(target.two_theta)[0]
    sticks = Sticks.of(LineTable.stack([crystal_lines(crystal)]), np.array([0]), WAVELENGTH, 6.0)
    drawn = profiles(target, sticks, np.zeros((1, 9)), 0.1, 0.0, False)[0, 0] * target.density(target.two_theta)
    angles = two_theta_from_q(sticks.q[0], WAVELENGTH)
    exact = render_each(target.two_theta, angles, sticks.area[0], 0.1 * widening(angles, 8.0), 0.5)
    assert np.abs(drawn - exact).sum() < 0.12 * exact.sum()
    assert target.grown(8.0) is target


def test_nothing_is_chosen_where_nothing_can_be_told():
    """A short scan with broad lines: neither the doublet nor a growth shows."""
    angles = np.linspace(3, 30, 1351)
    curve = render_each(angles, np.array([6.0, 10.0, 17.0]), np.ones(3), 0.5, 0.5)
    counts = np.random.default_rng(0).poisson(1e4 * curve / curve.max() + 50).astype(float)
    made = pattern_from(angles, counts)
    target, _ = target_of(made)
    sticks = Sticks(np.full((1, 1), 1.0), np.ones((1, 1)), np.zeros((1, 1, 6)))
    chosen, share = suited(target, sticks, Fit.start(1))
    assert (chosen.growth, share) == (0.0, 0.0)


def pattern_from(angles, counts):
    from xtal.patterns import Pattern

    return Pattern(angles, counts, WAVELENGTH)
