"""Measured patterns made ready to be fitted."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xtal.patterns import Lines, Pattern, q_from_two_theta
from xtal.patterns.background import background
from xtal.patterns.linefinder import find_lines
from xtal.physics import Scan, reflections
from xtal.physics.artefacts import Artefacts, apply
from xtal.physics.profile import render_each
from xtal.physics.target import ENOUGH_LINES, FARTHEST_REACH, LEAST_REACH, POINTS_PER_LINE, Target

CENTRES, AREAS = np.array([8.0, 11.0, 14.5, 19.0, 23.0]), np.array([30.0, 80.0, 20.0, 50.0, 40.0])


def pattern(two_theta, fwhm=0.2, background=20.0, seed=0, gain=100.0, wavelength=1.5418) -> Pattern:
    """Five lines on a flat background, counted; `gain` counts per unit."""
    curve = render_each(two_theta, CENTRES, AREAS, fwhm, 0.3) + background
    return Pattern(two_theta, np.random.default_rng(seed).poisson(gain * curve) / gain, wavelength)


def target_of(made: Pattern) -> Target:
    return Target.of(made, find_lines(made), background(made))


FINE, COARSE = np.arange(5, 27, 0.004), np.arange(5, 27, 0.05)
UNEVEN = np.cumsum(np.random.default_rng(3).uniform(0.004, 0.03, 1250)) + 5


@pytest.mark.parametrize("two_theta", [FINE, COARSE, UNEVEN], ids=["fine", "coarse", "uneven"])
def test_the_area_of_the_lines_survives(two_theta):
    target = target_of(pattern(two_theta))
    steps = np.diff(target.two_theta)
    np.testing.assert_allclose(steps, target.step, rtol=1e-6)
    for centre, area in zip(CENTRES, AREAS, strict=True):
        near = abs(target.two_theta - centre) < 0.8
        assert target.net[near].sum() * target.step == pytest.approx(area, rel=0.12)
    assert np.median(target.under) == pytest.approx(20, rel=0.03)
    assert target.fwhm == pytest.approx(0.2, rel=0.3)


def test_fine_steps_are_binned_and_coarse_ones_about_kept():
    fine, coarse = target_of(pattern(FINE)), target_of(pattern(COARSE))
    assert 0.05 <= coarse.step < 0.07
    assert 4 * 0.004 < fine.step <= fine.fwhm / POINTS_PER_LINE * 1.01
    assert len(fine.net) < len(FINE) / 4


@pytest.mark.parametrize("two_theta", [FINE, COARSE], ids=["fine", "coarse"])
def test_the_variance_is_that_of_the_scatter(two_theta):
    """Of what repeated scans scatter about their mean, summed over a degree, as a fit sums them."""
    targets = [target_of(pattern(two_theta, seed=seed)) for seed in range(40)]
    targets = [t for t in targets if len(t.net) == len(targets[0].net)]
    assert len(targets) >= 10
    size = round(1 / targets[0].step)
    count = len(targets[0].net) // size * size
    sums = np.array([(t.net + t.under)[:count].reshape(-1, size).sum(axis=1) for t in targets])
    expected = np.mean([t.variance[:count].reshape(-1, size).sum(axis=1) for t in targets], axis=0)
    assert np.median(sums.var(axis=0, ddof=1) / expected) == pytest.approx(1, abs=0.3)


@settings(max_examples=15)
@given(st.floats(0.01, 1000))
def test_units_do_not_matter(factor):
    made = pattern(COARSE)
    scaled = Pattern(made.two_theta, made.intensity * factor, made.wavelength)
    first, second = target_of(made), target_of(scaled)
    np.testing.assert_allclose(second.net, first.net * factor, rtol=1e-5, atol=1e-6 * factor * first.net.max())
    np.testing.assert_allclose(second.variance, first.variance * factor**2, rtol=1e-4)
    assert second.fwhm == pytest.approx(first.fwhm)


def test_a_long_scan_is_cut_where_enough_lines_were_found(engine):
    """More lines add cost, not evidence; a pattern of few lines is used as far as entries have theirs."""
    crystal = engine.crystal("AGUWUV_clean")  # triclinic, 400 lines up to 60°
    scan = Scan(4.0, 60.0, 0.02)
    sharp = Artefacts(np.zeros((3, 3)), 1.0, 0, 0, 0.05, 0.3, 0, 0.01, 0, 1e6)
    made = apply(sharp, reflections(crystal, 4.2), np.random.default_rng(0), scan)
    lines = find_lines(made)
    assert len(lines) > ENOUGH_LINES
    last = q_from_two_theta(Target.of(made, lines, background(made)).two_theta[-1], scan.wavelength)
    assert last == pytest.approx(max(LEAST_REACH, lines.q[ENOUGH_LINES]), abs=0.01)
    assert last < 0.8 * made.q_range[1]
    assert target_of(pattern(np.arange(5, 90, 0.03))).two_theta[-1] == pytest.approx(90, abs=0.05)
    farther = target_of(pattern(np.arange(5, 120, 0.03)))
    assert q_from_two_theta(farther.two_theta[-1], farther.wavelength) == pytest.approx(FARTHEST_REACH, abs=0.01)


def test_a_scan_that_starts_beyond_the_usual_reach_is_used():
    made = pattern(np.arange(5, 27, 0.02))
    beyond = Pattern(np.linspace(60, 82, len(made)), made.intensity, 1.5418)
    crowded = Lines(np.linspace(1.0, 2.0, 100), np.ones(100))
    assert Target.of(beyond, crowded, background(beyond)).two_theta[-1] == pytest.approx(82)
    low = Pattern(np.linspace(5, 60, len(made)), made.intensity, 1.5418)
    last = Target.of(low, crowded, background(low)).two_theta[-1]
    assert q_from_two_theta(last, 1.5418) == pytest.approx(LEAST_REACH, abs=0.01)  # and not 1.8, the 81st line


def test_stated_uncertainties_decide_over_counts():
    made = pattern(COARSE)
    sigma = np.where(made.two_theta < 16, 1.0, 4.0)
    weighted = target_of(replace(made, sigma=sigma))
    variance = [np.median(weighted.variance[part]) for part in (weighted.two_theta < 15, weighted.two_theta > 17)]
    assert variance[1] / variance[0] == pytest.approx(16, rel=0.1)
    unstated = target_of(replace(made, sigma=np.zeros(len(made))))
    np.testing.assert_array_equal(unstated.variance, target_of(made).variance)


@pytest.mark.parametrize("blur", [0.1, 0.3, 0.6])
def test_blurring_keeps_the_area_and_widens_the_lines(blur):
    target = target_of(pattern(FINE))
    wide = target.blurred(blur)
    assert wide.fwhm == pytest.approx(np.hypot(target.fwhm, blur))
    assert wide.net.sum() * wide.step == pytest.approx(target.net.sum() * target.step, rel=0.02)
    assert len(wide.net) <= len(target.net)
    assert wide.net.max() < target.net.max()
    np.testing.assert_allclose(np.diff(wide.two_theta), wide.step, rtol=1e-6)


def test_no_blur_changes_nothing():
    target = target_of(pattern(COARSE))
    assert target.blurred(0.0) is target


def test_a_pattern_of_ten_points():
    target = target_of(Pattern(np.linspace(10, 11, 10), np.arange(10.0), 1.5418))
    assert np.isfinite(target.net).all()
    assert np.isfinite(target.blurred(5.0).net).all()
