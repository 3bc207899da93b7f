from pathlib import Path
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xtal.patterns import Pattern, q_from_two_theta, two_theta_from_q
from xtal.patterns.background import background, subtract_background
from xtal.patterns.linefinder import find_lines, line_points
from xtal.patterns.lorentz import lorentz_polarisation
from xtal.physics.profile import pseudo_voigt
from xtal.readers import read_pattern

CU = 1.5418
ANGLES = np.linspace(3, 30, 1351)
SCHEELITE = Path(__file__).parents[2] / "data" / "patterns" / "scheelite.xy"


def curve(angles, centres, heights, fwhm, eta=0.5):
    shape = pseudo_voigt(angles[:, None] - np.asarray(centres), fwhm, eta) / pseudo_voigt(0.0, fwhm, eta)
    return shape @ np.asarray(heights, dtype=float)


def under(angles, decay, hump):
    return decay * np.exp(-(angles - angles[0]) / 6) + hump * np.exp(-0.5 * ((angles - 17) / 3) ** 2)


def spaced(rng, fwhm, count=18):
    """Centres at least 2.5 widths apart, heights from 1 down to 0.02."""
    places = rng.permutation(np.linspace(4, 29, int(25 / max(2.5 * fwhm, 0.4))))[:count]
    return np.sort(places + rng.uniform(-0.1, 0.1, len(places)) * fwhm), np.exp(
        rng.uniform(np.log(0.02), 0, len(places))
    )


def measured(seed, counts, fwhm, background_share=0.15, angles=ANGLES):
    rng = np.random.default_rng(seed)
    centres, heights = spaced(rng, fwhm)
    ideal = curve(angles, centres, heights, fwhm, rng.uniform()) + under(angles, background_share, background_share / 2)
    return centres, heights, Pattern(angles, rng.poisson(ideal / ideal.max() * counts), CU)


@pytest.mark.parametrize("counts", [300, 3000, 30000])
@pytest.mark.parametrize("fwhm", [0.08, 0.2, 0.4])
def test_strong_lines_are_found_and_few_others(counts, fwhm):
    strong = found = false = 0
    for seed in range(12):
        centres, heights, pattern = measured(seed, counts, fwhm)
        places = two_theta_from_q(find_lines(pattern).q, CU)
        distance = np.abs(places[:, None] - centres)
        wanted = heights > (0.25 if counts == 300 else 0.06)
        strong += wanted.sum()
        found += (distance[:, wanted].min(axis=0) < fwhm / 2).sum()
        false += (distance.min(axis=1) > fwhm).sum()
    assert found >= 0.98 * strong
    assert false <= 12 * 1.2


@pytest.mark.parametrize("level", [1, 10, 1000, 100000])
def test_noise_without_lines_gives_next_to_none(level):
    found = [
        len(find_lines(Pattern(ANGLES, np.random.default_rng(seed).poisson(level, len(ANGLES)), CU)))
        for seed in range(20)
    ]
    assert np.mean(found) < 2


def test_places_are_finer_than_the_step():
    centres = np.array([5.0073, 9.0151, 14.0046, 21.0119, 28.0007])
    pattern = Pattern(ANGLES, curve(ANGLES, centres, [1000, 800, 600, 900, 700], 0.15) + 50, CU)
    lines = find_lines(pattern)
    np.testing.assert_allclose(two_theta_from_q(lines.q, CU), centres, atol=0.001)
    noisy = find_lines(Pattern(ANGLES, np.random.default_rng(1).poisson(30 * pattern.intensity), CU)).strongest(5)
    np.testing.assert_allclose(two_theta_from_q(noisy.q, CU), centres, atol=0.003)


@pytest.mark.parametrize(("first", "last", "step"), [(5, 30, 0.005), (5, 90, 0.01), (5, 90, 0.02), (5, 90, 0.05)])
def test_widths_in_q_at_any_step(first, last, step):
    angles = np.arange(first, last, step)
    centres = np.linspace(first + 2, last - 2, 8)
    lines = find_lines(Pattern(angles, curve(angles, centres, np.full(8, 1000.0), 0.25) + 10, CU))
    expected = q_from_two_theta(centres + 0.125, CU) - q_from_two_theta(centres - 0.125, CU)
    np.testing.assert_allclose(lines.q, q_from_two_theta(centres, CU), atol=1e-3)
    np.testing.assert_allclose(lines.width, expected, rtol=0.12)
    assert lines.q_range == pytest.approx((q_from_two_theta(first, CU), q_from_two_theta(angles[-1], CU)))


@pytest.mark.parametrize("wavelength", [0.4127, 0.7107, 1.5418, 2.29])
def test_intensities_do_not_depend_on_the_wavelength(wavelength):
    """Lines of equal m|F|² measured at any wavelength fall off as 1/q²."""
    q = np.array([0.8, 1.4, 2.0, 2.6, 3.4, 4.2, 5.0])
    centres = two_theta_from_q(q, wavelength)
    fwhm = 0.2 * wavelength / CU
    angles = np.arange(centres[0] - 3 * wavelength, min(centres[-1] + 3 * wavelength, 175), fwhm / 10)
    lines = find_lines(
        Pattern(angles, 1e4 * curve(angles, centres, lorentz_polarisation(centres), fwhm) + 100, wavelength)
    )
    np.testing.assert_allclose(lines.q, q, atol=2e-3)
    np.testing.assert_allclose(lines.intensity, (q[0] / q) ** 2, rtol=0.08)


def test_intensity_is_area_not_height():
    narrow, wide = curve(ANGLES, [10.0], [1000], 0.12), curve(ANGLES, [10.8], [1000], 0.24)
    lines = find_lines(Pattern(ANGLES, narrow + wide + 20, CU))
    assert len(lines) == 2
    assert lines.intensity[0] / lines.intensity[1] == pytest.approx(0.5, abs=0.08)


def test_intensities_where_the_step_changes():
    angles = np.concatenate([np.arange(3, 15, 0.02), np.arange(15, 30, 0.04)])
    even = find_lines(Pattern(ANGLES, curve(ANGLES, [10.0, 20.0], [1000, 1000], 0.25) + 20, CU))
    uneven = find_lines(Pattern(angles, curve(angles, [10.0, 20.0], [1000, 1000], 0.25) + 20, CU))
    np.testing.assert_allclose(uneven.q, even.q, atol=1e-3)
    np.testing.assert_allclose(uneven.intensity, even.intensity, rtol=0.12)


@pytest.mark.parametrize("outside", [2.9, 2.99, 30.01, 30.1])
def test_a_line_outside_the_scan_leaves_none_at_its_edge(outside):
    ideal = curve(ANGLES, [outside, 10.0, 20.0], [9000, 5000, 4000], 0.3) + 50
    for seed in range(5):
        places = two_theta_from_q(find_lines(Pattern(ANGLES, np.random.default_rng(seed).poisson(ideal), CU)).q, CU)
        assert ((places > 3.2) & (places < 29.8)).all()


@pytest.mark.parametrize("ratio", [1.0, 0.5, 0.2])
def test_overlapping_lines_share_their_intensity(ratio):
    rng = np.random.default_rng(0)
    pattern = Pattern(ANGLES, rng.poisson(curve(ANGLES, [15.0, 15.36], [5000, 5000 * ratio], 0.2) + 20), CU)
    lines = find_lines(pattern).strongest(2)
    np.testing.assert_allclose(two_theta_from_q(lines.q, CU), [15.0, 15.36], atol=0.02)
    assert lines.intensity[1] == pytest.approx(ratio, abs=0.08)


@pytest.mark.parametrize("scale", [1e-6, 0.01, 37.0, 1e9])
def test_the_unit_of_intensity_does_not_matter(scale):
    _, _, pattern = measured(3, 3000, 0.2)
    lines, scaled = find_lines(pattern), find_lines(Pattern(ANGLES, pattern.intensity * scale, CU))
    assert len(lines) > 10
    np.testing.assert_allclose(scaled.q, lines.q)
    np.testing.assert_allclose(scaled.intensity, lines.intensity)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 50.0])
def test_uncertainties_of_the_file_set_the_noise(scale):
    _, _, pattern = measured(3, 3000, 0.2)
    sigma = np.sqrt(np.maximum(pattern.intensity, 1)) * scale
    with_sigma = find_lines(Pattern(ANGLES, pattern.intensity, CU, sigma=sigma))
    without = find_lines(pattern)
    assert abs(len(with_sigma) - len(without)) <= 2
    strong = without.strongest(10)
    assert np.abs(strong.q[:, None] - with_sigma.q).min(axis=1).max() < 1e-9


def test_points_of_large_uncertainty_make_no_lines():
    rng = np.random.default_rng(5)
    sigma = np.where(ANGLES > 20, 100.0, 5.0)
    clean = curve(ANGLES, [8.0, 12.0, 16.0], [900, 600, 700], 0.2) + 500
    pattern = Pattern(ANGLES, np.clip(rng.normal(clean, sigma), 0, None), CU, sigma=sigma)
    places = two_theta_from_q(find_lines(pattern).q, CU)
    assert (places > 20).sum() <= 1
    assert np.abs(places[:, None] - [8.0, 12.0, 16.0]).min(axis=0).max() < 0.05
    assert (two_theta_from_q(find_lines(Pattern(ANGLES, pattern.intensity, CU)).q, CU) > 20).sum() > 3


def test_background_follows_decay_and_hump_but_not_the_lines():
    for seed in range(6):
        rng = np.random.default_rng(seed)
        centres, heights = spaced(rng, 0.2)
        true = under(ANGLES, 0.15, 0.1)
        pattern = Pattern(ANGLES, rng.poisson(5000 * (true + curve(ANGLES, centres, heights, 0.2))), CU)
        error = background(pattern) / 5000 - true
        assert np.sqrt(np.mean(error**2)) < 0.015
        np.testing.assert_allclose(subtract_background(pattern), pattern.intensity - background(pattern))


def test_steep_background_at_the_first_angles_is_no_line():
    for seed in range(10):
        rng = np.random.default_rng(seed)
        ideal = 3000 * np.exp(-(ANGLES - 3) / 0.8) + 100 + curve(ANGLES, [10.0, 20.0], [2000, 1000], 0.2)
        places = two_theta_from_q(find_lines(Pattern(ANGLES, rng.poisson(ideal), CU)).q, CU)
        assert (places < 8).sum() <= 1
        assert np.abs(places[:, None] - [10, 20]).min(axis=0).max() < 0.03


def test_background_subtracted_and_noise_free_patterns():
    noisy = measured(4, 3000, 0.2, background_share=0.0)[2]
    assert 10 <= len(find_lines(noisy)) <= 25
    exact = Pattern(ANGLES, curve(ANGLES, [10.0, 20.0], [1000, 500], 0.2, eta=0.0), CU)
    np.testing.assert_allclose(two_theta_from_q(find_lines(exact).q, CU), [10, 20], atol=0.002)


@pytest.mark.parametrize("fwhm", [0.08, 0.2, 0.4])
@pytest.mark.parametrize("counts", [300, 30000])
def test_line_points_is_about_the_width(fwhm, counts):
    for seed in range(6):
        pattern = measured(seed, counts, fwhm)[2]
        assert 0.75 * fwhm <= 0.02 * line_points(pattern, subtract_background(pattern)) <= 2.3 * fwhm


def test_line_points_of_a_broad_hump_is_capped():
    pattern = Pattern(ANGLES, curve(ANGLES, [16.0], [1000], 6.0), CU)
    assert line_points(pattern, pattern.intensity) * 0.02 < 0.9


def test_limit_keeps_the_strongest():
    _, _, pattern = measured(2, 30000, 0.1)
    lines, few = find_lines(pattern), find_lines(pattern, limit=5)
    assert len(few) == 5
    np.testing.assert_array_equal(np.sort(few.intensity), np.sort(lines.intensity)[-5:])
    assert (np.diff(few.q) > 0).all()


def test_many_points_do_not_make_many_false_lines():
    angles = np.linspace(0.5, 50, 99001)
    centres = np.arange(2, 50, 0.37)
    rng = np.random.default_rng(0)
    lines = find_lines(
        Pattern(angles, rng.poisson(20 + curve(angles, centres, np.full(len(centres), 2000), 0.01)), 0.41)
    )
    assert len(centres) <= len(lines) <= len(centres) + 8


def test_measured_scheelite():
    """CaWO4, I4_1/a, a = 5.2429, c = 11.3737 Å; 1/d² = (h² + k²)/a² + l²/c²."""
    lines = find_lines(read_pattern(SCHEELITE, CU)).strongest(4)
    indices = np.array([[1, 1, 2], [1, 0, 3], [0, 0, 4], [2, 0, 0]])
    g = np.sqrt((indices[:, 0] ** 2 + indices[:, 1] ** 2) / 5.2429**2 + indices[:, 2] ** 2 / 11.3737**2)
    np.testing.assert_allclose(lines.q / (2 * np.pi), g, rtol=2e-3)
    assert lines.intensity.argmax() == 0
    assert np.degrees(2 * np.arcsin(CU / (4 * np.pi) * lines.width)).max() < 0.3


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    st.lists(st.integers(0, 10**6) | st.floats(0, 1e300), min_size=10, max_size=120),
    st.floats(1e-4, 1.4),
    st.floats(0.02, 9.0),
)
def test_any_pattern_gives_lines_inside_it(values, step, wavelength):
    if max(values) == min(values):
        values[0] += 1
    pattern = Pattern(1 + step * np.arange(len(values)), values, wavelength)
    lines = find_lines(pattern)
    low, high = pattern.q_range
    assert ((lines.q >= low) & (lines.q <= high)).all()
    assert np.isfinite(lines.intensity).all()
    assert (lines.intensity > 0).all()
    assert (lines.width > 0).all()


def test_speed():
    """A million calls in training: 1.2 ms on one core when written; ten times that would be a mistake."""
    pattern = measured(0, 3000, 0.2)[2]
    find_lines(pattern)
    times = []
    for _ in range(7):
        start = perf_counter()
        find_lines(pattern)
        times.append(perf_counter() - start)
    assert min(times) < 0.012
