"""Measured patterns made ready to be fitted."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search.target import LEAST_REACH, POINTS_PER_LINE, Target
from xtal.linefinder import find_lines
from xtal.pattern import Pattern, q_from_two_theta
from xtal.profile import render_each

CENTRES, AREAS = np.array([8.0, 11.0, 14.5, 19.0, 23.0]), np.array([30.0, 80.0, 20.0, 50.0, 40.0])


def pattern(two_theta, fwhm=0.2, background=20.0, seed=0, gain=100.0, wavelength=1.5418) -> Pattern:
    """Five lines on a flat background, counted; `gain` counts per unit."""
    curve = render_each(two_theta, CENTRES, AREAS, fwhm, 0.3) + background
    return Pattern(two_theta, np.random.default_rng(seed).poisson(gain * curve) / gain, wavelength)


def target_of(made: Pattern) -> Target:
    return Target.of(made, find_lines(made))


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
    assert target.fwhm == pytest.approx(0.2, rel=0.25)


def test_fine_steps_are_binned_and_coarse_ones_kept():
    fine, coarse = target_of(pattern(FINE)), target_of(pattern(COARSE))
    assert coarse.step == pytest.approx(0.05, rel=1e-3)
    assert 4 * 0.004 < fine.step <= fine.fwhm / POINTS_PER_LINE
    assert len(fine.net) < len(FINE) / 4


@pytest.mark.parametrize("two_theta", [FINE, COARSE], ids=["fine", "coarse"])
def test_the_variance_is_that_of_the_scatter(two_theta):
    """Of what repeated scans scatter about their mean, bin by bin, away from the lines."""
    targets = [target_of(pattern(two_theta, seed=seed)) for seed in range(12)]
    size = min(len(t.net) for t in targets)
    targets = [t for t in targets if len(t.net) == size and np.allclose(t.two_theta, targets[0].two_theta)]
    assert len(targets) >= 3
    total = np.array([t.net + t.under for t in targets])
    scatter = total.var(axis=0, ddof=1).mean()
    assert np.mean([t.variance for t in targets]) == pytest.approx(scatter, rel=0.35)


@settings(max_examples=15)
@given(st.floats(0.01, 1000))
def test_units_do_not_matter(factor):
    made = pattern(COARSE)
    scaled = Pattern(made.two_theta, made.intensity * factor, made.wavelength)
    first, second = target_of(made), target_of(scaled)
    np.testing.assert_allclose(second.net, first.net * factor, rtol=1e-5, atol=1e-6 * factor * first.net.max())
    np.testing.assert_allclose(second.variance, first.variance * factor**2, rtol=1e-4)
    assert second.fwhm == pytest.approx(first.fwhm)


def test_only_the_range_that_the_entries_cover_is_kept():
    wide = np.arange(5, 120, 0.03)
    target = target_of(pattern(wide))
    assert target.two_theta[0] == 5
    assert q_from_two_theta(target.two_theta[-1], 1.5418) == pytest.approx(LEAST_REACH, rel=0.01)


def test_more_is_kept_of_a_pattern_with_few_lines_than_of_none_in_range():
    beyond = np.arange(60, 120, 0.05)
    made = pattern(np.arange(5, 65, 0.05))
    shifted = Pattern(beyond, made.intensity, 1.5418)
    assert target_of(shifted).two_theta[-1] == pytest.approx(beyond[-1])  # all of it lies above: all of it is used


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
