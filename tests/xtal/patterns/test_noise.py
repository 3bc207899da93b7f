"""How far points scatter, whatever a program did to them since they were measured."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtal.patterns import Pattern
from xtal.patterns.noise import counting_variance, is_smooth
from xtal.patterns.treatments import averaged, cut_off, interpolated, smoothed, splined
from xtal.physics.profile import render_each

ANGLES = np.linspace(3, 30, 1351)
WIDTH = 0.24  # degrees: 12 points
POINTS = 12.0


def ideal(seed: int = 0, lines: int = 15) -> np.ndarray:
    """A curve without noise: lines of height 1 to 3000 on a background of 200."""
    rng = np.random.default_rng(seed)
    centres, heights = np.sort(rng.uniform(4, 29, lines)), 10 ** rng.uniform(1, 3.5, lines)
    return 200 + render_each(ANGLES, centres, heights * WIDTH, WIDTH, 0.5)


def counted(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).poisson(ideal(seed)).astype(float)


def measured(seed: int = 0) -> Pattern:
    return Pattern(ANGLES, counted(seed), 1.5418)


@pytest.mark.parametrize("scale", [0.01, 1.0, 40.0])
@pytest.mark.parametrize("seed", range(4))
def test_counts_in_any_unit_have_the_variance_of_counts(scale, seed):
    variance = counting_variance(counted(seed) * scale, ideal(seed) * scale, None, 7, POINTS)
    assert 0.75 < np.median(variance / (ideal(seed) * scale**2)) < 1.7  # more where lines leave no block free


@pytest.mark.parametrize(
    ("treat", "times"),
    [
        (lambda p: interpolated(p, 2), 2),
        (lambda p: interpolated(p, 4), 4),
        (lambda p: splined(p, 4), 4),
        (averaged, 1),
        (smoothed, 1),
    ],
    ids=["interpolated x2", "interpolated x4", "splined x4", "averaged", "smoothed"],
)
def test_what_was_made_smooth_counts_no_more_than_it_did(treat, times):
    """As if independent, a point of `times` as many is worth so much less; within a factor of three."""
    done = treat(measured())
    level = np.interp(done.two_theta, ANGLES, ideal())
    variance = counting_variance(done.intensity, level, None, 7, POINTS * times)
    assert 1 / 3 < np.median(variance / (times * level)) < 3


def test_sigma_of_zero_is_unknown_and_not_exact():
    counts, sigma = counted(), np.sqrt(ideal())
    partly = sigma.copy()
    partly[::5] = 0
    whole, gaps = (counting_variance(counts, ideal(), s, 7, POINTS) for s in (sigma, partly))
    assert (gaps > 0).all()
    np.testing.assert_allclose(gaps[::5], whole[::5], rtol=0.5)


def test_noise_that_was_cut_off_is_taken_for_noise():
    """Of what lies around zero, one half is left."""
    done = cut_off(measured())
    empty = done.intensity == 0
    assert empty.mean() > 0.2
    variance = counting_variance(done.intensity, np.zeros(len(ANGLES)), None, 7, POINTS)
    assert 200 / 3 < np.median(variance[empty]) < 200 * 3


@given(seed=st.integers(0, 50), width=st.floats(0.08, 0.4), scale=st.floats(1e-3, 1e6))
def test_a_curve_that_was_computed_is_known(seed, width, scale):
    rng = np.random.default_rng(seed)
    curve = render_each(ANGLES, rng.uniform(4, 29, 30), rng.uniform(0.01, 1, 30), width, rng.uniform())
    assert is_smooth(scale * curve, width / 0.02)
    assert is_smooth(np.round(1e4 * curve / curve.max()), width / 0.02)


@given(seed=st.integers(0, 50), counts=st.floats(300, 1e6), times=st.sampled_from([1, 2, 4, 7]))
def test_noise_is_no_computed_curve_even_when_interpolated(seed, counts, times):
    curve = ideal(seed)
    noisy = np.random.default_rng(seed).poisson(curve / curve.max() * counts).astype(float)
    pattern = Pattern(ANGLES, noisy, 1.5418)
    done = pattern if times == 1 else splined(pattern, times)
    assert not is_smooth(done.intensity, POINTS * times)
