"""What a laboratory does to a pattern."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_crystals import crystals

from xtal.crystals import Crystal, read_cif
from xtal.patterns import Pattern, q_from_two_theta, two_theta_from_q
from xtal.patterns.lorentz import lorentz_polarisation
from xtal.physics import PAPER_SCAN, SEVERITIES, Reflections, Scan, measure, reflections
from xtal.physics.artefacts import Artefacts, apply, texture_weights

GORQAF = Path(__file__).parents[2] / "data" / "cifs" / "GORQAF_clean.cif"
MO = Scan(2.0, 20.0, 0.01, 0.7107)
# no artefact at all, and counts so many that noise does not matter
IDEAL = Artefacts(np.zeros((3, 3)), 1.0, 0.0, 0.0, 0.15, 0.3, 0.0, 0.0, 0.0, 1e7)


@pytest.fixture(scope="module")
def crystal() -> Crystal:
    return read_cif(GORQAF.read_text(), "GORQAF_clean")


@pytest.fixture(scope="module")
def ideal(crystal) -> Reflections:
    return reflections(crystal, 2.3)


def generator() -> np.random.Generator:
    return np.random.default_rng(7)


def relative(pattern: Pattern) -> np.ndarray:
    return pattern.intensity / pattern.intensity.max()


def test_the_scan_of_the_paper():
    assert len(PAPER_SCAN.two_theta) == 1351
    assert (PAPER_SCAN.two_theta[0], PAPER_SCAN.two_theta[-1]) == (3.0, 30.0)
    np.testing.assert_allclose(np.diff(PAPER_SCAN.two_theta), 0.02)


@pytest.mark.parametrize("severity", SEVERITIES)
def test_the_same_seed_gives_the_same_pattern(ideal, severity):
    first, second, other = (measure(ideal, severity, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first.intensity, second.intensity)
    assert (first.intensity != other.intensity).any()


@given(st.integers(0, 2**32 - 1))
def test_severity_zero_keeps_only_profile_and_counts(seed):
    drawn = Artefacts.draw(0.0, np.random.default_rng(seed))
    assert not drawn.strain.any()
    assert (drawn.texture, drawn.line_error, drawn.guest_error) == (1, 0, 0)
    assert (drawn.zero_shift, drawn.background, drawn.hump) == (0, 0, 0)
    assert 0.08 <= drawn.fwhm <= 0.40
    assert 0 <= drawn.eta <= 1
    assert 10**2.5 <= drawn.counts <= 10**4.5


@pytest.mark.parametrize("severity", SEVERITIES[1:])
def test_draws_spread_as_documented(severity):
    rng = np.random.default_rng(0)
    draws = [Artefacts.draw(severity, rng) for _ in range(2000)]
    strain = np.array([d.strain for d in draws])
    np.testing.assert_array_equal(strain, strain.transpose(0, 2, 1))
    np.testing.assert_allclose(strain.std(axis=0), 0.0035 * severity, rtol=0.08)
    np.testing.assert_allclose(np.std([np.log(d.texture) for d in draws]), 0.25 * severity, rtol=0.08)
    np.testing.assert_allclose(np.std([d.zero_shift for d in draws]), 0.05 * severity, rtol=0.08)
    np.testing.assert_allclose(np.mean([d.background for d in draws]), 0.075 * severity, rtol=0.08)
    np.testing.assert_allclose(np.mean([d.hump for d in draws]), 0.05 * severity, rtol=0.08)
    assert {(d.line_error, d.guest_error) for d in draws} == {(0.15 * severity, 0.375 * severity)}


@settings(max_examples=20)
@given(crystals(), st.integers(0, 1000))
def test_a_strained_sample_has_the_lines_of_the_strained_crystal(crystal, seed):
    upper = np.triu(np.random.default_rng(seed).normal(0, 0.002, (3, 3)))
    strain = upper + np.triu(upper, 1).T
    scan = Scan(5.0, 60.0, 0.05)
    q_max = float(q_from_two_theta(70.0, scan.wavelength))
    strained = replace(crystal, lattice=crystal.lattice @ (np.eye(3) + strain))
    seen = apply(replace(IDEAL, strain=strain), reflections(crystal, q_max), generator(), scan)
    expected = apply(IDEAL, reflections(strained, q_max), generator(), scan)
    unstrained = apply(IDEAL, reflections(crystal, q_max), generator(), scan)
    misfit = [np.abs(relative(pattern) - relative(expected)).sum() for pattern in (seen, unstrained)]
    assert misfit[0] < max(0.1 * misfit[1], 0.05 * relative(expected).sum())
    assert np.corrcoef(seen.intensity, expected.intensity)[0, 1] > 0.995


def test_the_zero_shift_moves_every_line_by_the_same_angle(ideal):
    shift = 5 * PAPER_SCAN.step
    still, moved = (apply(replace(IDEAL, zero_shift=s), ideal, generator()) for s in (0.0, shift))
    np.testing.assert_allclose(relative(moved)[5:], relative(still)[:-5], atol=2e-3)


@pytest.mark.parametrize("wavelength", [1.5418, 0.7107])
def test_lines_carry_the_lorentz_polarisation_factor(wavelength):
    """Two reflections of equal |F|², far apart in angle."""
    g = np.array([[0.15, 0, 0], [0.9, 0, 0]])
    scan = Scan(2.0, 100.0, 0.02, wavelength)
    pattern = apply(IDEAL, Reflections(g, np.ones(2), (0.1, 6.0)), generator(), scan)
    centres = two_theta_from_q(2 * np.pi * g[:, 0], wavelength)
    areas = [pattern.intensity[abs(pattern.two_theta - centre) < 1].sum() for centre in centres]
    expected = lorentz_polarisation(centres)
    assert areas[1] / areas[0] == pytest.approx(expected[1] / expected[0], rel=0.02)


def directions(count: int) -> np.ndarray:
    g = np.random.default_rng(0).normal(size=(count, 3))
    return g / np.linalg.norm(g, axis=1, keepdims=True)


@pytest.mark.parametrize("ratio", [0.6, 0.8, 1.25, 1.6])
def test_texture_moves_intensity_about_and_makes_none(ratio):
    """The March-Dollase function is a distribution of directions: its mean over the sphere is 1."""
    weights = texture_weights(directions(40_000), ratio, generator())
    assert weights.mean() == pytest.approx(1, abs=0.02)
    assert weights.std() > 0.1


def test_texture_is_strongest_about_one_of_the_shortest_vectors():
    g = np.array([[0, 0, 0.1], *(directions(500) * 0.5)])
    g = g[np.argsort(np.linalg.norm(g, axis=1))]
    shortest = {tuple(np.round(row, 6)) for row in g[:12]}
    plates, needles = texture_weights(g, 0.7, generator()), texture_weights(g, 1.4, generator())
    assert tuple(np.round(g[plates.argmax()], 6)) in shortest
    assert plates.max() == pytest.approx(0.7**-3)
    assert needles[plates.argmax()] == pytest.approx(needles.min()) == pytest.approx(1.4**-3)
    np.testing.assert_allclose(texture_weights(g, 1.0, generator()), 1)


def test_reflections_of_one_line_share_its_error(monkeypatch):
    """Otherwise a line of many reflections would err less than one of few."""
    g = np.array([[0.1, 0, 0], [0, 0.1, 0], [0, 0, 0.1], [0.2, 0, 0], [0, 0.2, 0]])
    alike = Reflections(g, np.array([1.0, 2.0, 3.0, 4.0, 5.0]), (0.2, 2.0))
    seen = {}
    monkeypatch.setattr(
        "xtal.physics.artefacts.render", lambda grid, _c, area, *_: seen.update(area=area) or np.ones(len(grid))
    )
    with np.errstate(all="ignore"):
        apply(replace(IDEAL, line_error=0.3, guest_error=0.3), alike, generator())
        error = seen["area"].copy()
        apply(IDEAL, alike, generator())
    factor = error / seen["area"]
    assert factor[0] == pytest.approx(factor[1]) == pytest.approx(factor[2])
    assert factor[3] == pytest.approx(factor[4])
    assert abs(np.log(factor[0] / factor[3])) > 1e-3


@pytest.mark.parametrize("severity", SEVERITIES)
def test_counts_are_whole_numbers_with_counting_noise(ideal, severity):
    pattern = measure(ideal, severity, generator())
    np.testing.assert_array_equal(pattern.intensity, np.rint(pattern.intensity))
    assert pattern.intensity.max() > 100


def test_noise_is_that_of_the_counts(ideal):
    few = replace(IDEAL, counts=1000.0, background=0.2)
    scans = np.array([apply(few, ideal, np.random.default_rng(7)).intensity])
    truth = apply(replace(few, counts=1e9), ideal, np.random.default_rng(7)).intensity / 1e6
    chi = (scans - truth) / np.sqrt(np.maximum(truth, 1e-9))
    assert np.std(chi[:, truth > 5]) == pytest.approx(1, abs=0.15)


def test_background_decays_and_the_hump_does_not(ideal):
    flat, decaying, humped = (
        apply(replace(IDEAL, background=b, hump=h), ideal, generator()) for b, h in ((0, 0), (0.5, 0), (0, 0.5))
    )
    under = [np.percentile(relative(p).reshape(-1, 193), 5, axis=1) for p in (flat, decaying, humped)]  # 7 parts
    assert under[0].max() < 0.02
    assert (np.diff(under[1]) < 0).all()
    assert under[1][0] > 0.2
    assert under[2].argmax() > 0
    assert under[2].max() > 0.2


def test_molybdenum_sees_the_same_lines_at_smaller_angles(crystal):
    q_max = float(q_from_two_theta(21.0, MO.wavelength))
    pattern = apply(IDEAL, reflections(crystal, q_max, wavelength=MO.wavelength), generator(), MO)
    assert pattern.wavelength == 0.7107
    copper = apply(IDEAL, reflections(crystal, 2.3), generator())
    q = [p.q[p.intensity.argmax()] for p in (pattern, copper)]
    assert q[0] == pytest.approx(q[1], abs=0.01)
    assert pattern.two_theta[pattern.intensity.argmax()] < 0.5 * copper.two_theta[copper.intensity.argmax()]


def test_reflections_that_no_angle_reaches_are_left_out(crystal):
    soft = Scan(5.0, 170.0, 0.1, 5.0)  # q up to 2.5
    assert apply(IDEAL, reflections(crystal, 3.0), generator(), soft).intensity.max() > 1e6


@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("q_max", [3.0, 1.0])
def test_a_scan_that_ends_before_the_first_line_still_is_a_pattern(severity, q_max):
    """Iron-like: one photon at least; the reflections may hold lines beyond the scan or none at all."""
    tiny = Crystal(np.eye(3) * 2.5, [[0, 0, 0]], [26])
    pattern = measure(reflections(tiny, q_max), severity, generator(), Scan(3.0, 20.0, 0.02))
    assert pattern.intensity.sum() >= 1
