"""The fit of calculated to measured profiles, on real entries."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from physics_helpers import bare_target

from xtal.patterns import Pattern, q_from_two_theta, two_theta_from_q
from xtal.patterns.background import background
from xtal.patterns.linefinder import find_lines
from xtal.patterns.lorentz import lorentz_polarisation_ratio
from xtal.physics import Scan, Sticks, reflections
from xtal.physics.artefacts import Artefacts, apply
from xtal.physics.fit import (
    ANISOTROPIC_STRAIN,
    ISOTROPIC_STRAIN,
    PARAMETERS,
    Fit,
    line_positions,
    prior_precision,
    profiles,
    refine,
)
from xtal.physics.profile import pseudo_voigt
from xtal.physics.sticks import MOST_LINES
from xtal.physics.target import Target

ENTRY, STRANGER = "AGUWUV_clean", "AGESIP_clean"  # P-1 and P2₁/c; a triclinic one has a place of its own for every line
WAVELENGTH = 1.5418
SCAN = Scan(4.0, 32.0, 0.02, WAVELENGTH)
Q_MAX = float(q_from_two_theta(33.0, WAVELENGTH))
STRAIN = np.array([[0.004, 0.001, 0.0], [0.001, -0.003, -0.002], [0.0, -0.002, 0.002]])


def measured(engine, **changes) -> Target:
    """A clean pattern of one entry, with chosen artefacts, ready to be fitted."""
    chosen = {
        "strain": np.zeros((3, 3)), "texture": 1.0, "line_error": 0.0, "guest_error": 0.0, "fwhm": 0.15, "eta": 0.5,
        "zero_shift": 0.0, "background": 0.05, "hump": 0.0, "counts": 1e5, **changes,
    }  # fmt: skip
    shell = reflections(engine.crystal(ENTRY), Q_MAX)
    pattern = apply(Artefacts(**chosen), shell, np.random.default_rng(0), SCAN)
    return Target.of(pattern, find_lines(pattern), background(pattern))


@pytest.fixture(scope="module")
def rows(engine) -> np.ndarray:
    return np.array([engine.index.row_of(ENTRY), engine.index.row_of(STRANGER)])


@pytest.fixture(scope="module")
def sticks(engine, rows) -> Sticks:
    return Sticks.of(engine.index.lines, rows, WAVELENGTH, Q_MAX)


@pytest.fixture(scope="module")
def inner(engine, rows) -> Sticks:
    """Lines that no strain moves over the end of the range."""
    return Sticks.of(engine.index.lines, rows, WAVELENGTH, 1.8)


@pytest.fixture(scope="module")
def target(engine) -> Target:
    return measured(engine)


def fitted(target: Target, sticks: Sticks) -> Fit:
    """Wide lines first, as the search does it, but until nothing moves."""
    fit = None
    for blur, steps in ((0.35, 2), (0.15, 2), (0.0, 4)):
        fit = refine(target, sticks, blur, steps, fit)
    return fit


FINE = np.linspace(4, 32, 5601)
EMPTY = bare_target(FINE, 0.0, 0.2, WAVELENGTH)


def draw(sticks, parameters, derivatives=False, blur=0.0):
    return profiles(EMPTY, sticks, parameters, 0.2, blur, derivatives).astype(float)


@pytest.mark.parametrize("blur", [0.0, 0.2])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_derivatives_are_those_of_the_profile(inner, seed, blur):
    spread = np.array([0.004] * 6 + [0.05, 0.2, 0.15])
    at = np.random.default_rng(seed).normal(0, spread, (len(inner), PARAMETERS)).clip(-2 * spread, 2 * spread)
    exact = draw(inner, at, derivatives=True, blur=blur)
    np.testing.assert_allclose(exact[:, :1], draw(inner, at, blur=blur), atol=1e-5 * exact[:, 0].max())
    for number, width in enumerate([4e-4] * 6 + [0.01, 0.05, 0.05]):
        step = np.zeros(PARAMETERS)
        step[number] = width
        difference = (draw(inner, at + step, blur=blur) - draw(inner, at - step, blur=blur))[:, 0]
        derivative = exact[:, 1 + number]
        misfit = np.linalg.norm(difference / (2 * width) - derivative, axis=1)
        assert (misfit <= 0.02 * np.linalg.norm(derivative, axis=1)).all(), number


def test_the_profile_is_the_sum_of_pseudo_voigts(inner):
    parameters = np.zeros((2, PARAMETERS))
    parameters[:, 6:] = 0.03, np.log(0.9), 0.2
    places = two_theta_from_q(inner.q, WAVELENGTH) + 0.03
    lines = pseudo_voigt(FINE[:, None] - places[:, None, :], 0.9 * 0.2, 0.7) * inner.area[:, None, :]
    expected = lines.sum(axis=2)
    np.testing.assert_allclose(draw(inner, parameters)[:, 0], expected, atol=5e-3 * expected.max())


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1))
def test_derivatives_of_the_positions(inner, seed):
    rng = np.random.default_rng(seed)
    at = rng.normal(0, 0.003, (2, PARAMETERS))
    move = rng.normal(0, 1e-6, PARAMETERS)
    place, slope = line_positions(inner, at, WAVELENGTH)
    moved = line_positions(inner, at + move, WAVELENGTH)[0]
    np.testing.assert_allclose(moved - place, slope @ move[:7], rtol=0.02, atol=1e-7)


def test_known_strain_zero_shift_and_width_are_recovered(engine, sticks):
    target = measured(engine, strain=STRAIN, zero_shift=-0.05)
    fit = fitted(target, sticks)
    voigt = STRAIN[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    np.testing.assert_allclose(fit.parameters[0, :6], voigt, atol=7e-4)
    assert fit.parameters[0, 6] == pytest.approx(-0.05, abs=0.01)
    assert target.fwhm * np.exp(fit.parameters[0, 7]) == pytest.approx(0.15, rel=0.1)
    assert fit.parameters[0, 8] == pytest.approx(0, abs=0.15)
    assert fit.explained[0] > 0.9


@pytest.mark.parametrize("fwhm", [0.1, 0.3])
def test_the_width_is_recovered_wherever_it_starts(engine, sticks, fwhm):
    target = measured(engine, fwhm=fwhm)
    assert target.fwhm * np.exp(fitted(target, sticks).parameters[0, 7]) == pytest.approx(fwhm, rel=0.1)


def test_the_truth_explains_the_pattern_and_a_stranger_does_not(target, sticks):
    fit = fitted(target, sticks)
    assert fit.explained[0] > 0.9
    assert fit.explained[1] < 0.5
    assert fit.chi_square[0] < 0.1 * fit.chi_square[1]
    assert np.abs(fit.parameters[0, :6]).max() < 5e-4


def test_the_scale_is_the_area_of_all_lines(target, sticks):
    doubled = replace(target, net=2 * target.net, under=2 * target.under, variance=4 * target.variance)
    once, twice = fitted(target, sticks).scale[0], fitted(doubled, sticks).scale[0]
    assert twice == pytest.approx(2 * once, rel=1e-3)
    assert once == pytest.approx(target.net.sum() * target.step, rel=0.15)  # wide tails count as background


def test_steps_lower_the_misfit(engine, sticks):
    target = measured(engine, strain=STRAIN / 2, zero_shift=0.03)
    start = refine(target, sticks, 0.15, 0)
    assert not start.parameters.any()
    chi = [start.chi_square[0]]
    fit = start
    for _ in range(3):
        fit = refine(target, sticks, 0.15, 1, fit)
        chi.append(fit.chi_square[0])
    assert chi[1] < 0.7 * chi[0]
    assert chi[3] <= chi[1] * 1.001


def test_candidates_do_not_see_each_other(target, sticks):
    together = refine(target, sticks, 0.1, 2)
    for row in range(len(sticks)):
        alone = refine(target, sticks.take(np.array([row])), 0.1, 2)
        np.testing.assert_allclose(alone.parameters[0], together.parameters[row], atol=1e-5)
        assert alone.chi_square[0] == pytest.approx(together.chi_square[row], rel=1e-4)


def test_a_slope_that_the_background_left_costs_nothing(target, sticks):
    """The spline that is projected out takes it up."""
    tilted = replace(target, net=target.net + np.linspace(0, 0.02 * target.net.max(), len(target.net)))
    before, after = (refine(t, sticks, 0.0, 2).explained[0] for t in (target, tilted))
    assert after == pytest.approx(before, abs=0.01)


def test_the_prior_is_a_proper_one():
    precision = prior_precision(WAVELENGTH)
    np.testing.assert_allclose(precision, precision.T)
    assert (np.linalg.eigvalsh(precision) > 0).all()
    covariance = np.linalg.inv(precision)
    isotropic = np.array([1, 1, 1, 0, 0, 0, 0, 0, 0]) / 3
    spread = np.sqrt(isotropic @ covariance @ isotropic)
    assert spread == pytest.approx(np.sqrt(ISOTROPIC_STRAIN**2 + ANISOTROPIC_STRAIN**2 / 3))
    shear = np.array([1, -1, 0, 0, 0, 0, 0, 0, 0]) / np.sqrt(2)
    assert np.sqrt(shear @ covariance @ shear) == pytest.approx(ANISOTROPIC_STRAIN)


def test_without_evidence_the_parameters_return_to_what_is_likely(target, sticks):
    """The data say next to nothing, so that the prior alone decides."""
    mute = replace(target, variance=1e12 * target.variance)
    odd = np.tile([0.003, -0.002, 0.001, 0.001, -0.001, 0.002, 0.05, 0.2, 0.1], (len(sticks), 1))
    start = replace(Fit.start(len(sticks)), parameters=odd)
    moved = refine(mute, sticks, 0.0, 1, start).parameters
    np.testing.assert_allclose(moved, 0, atol=1e-4)


def test_the_prior_on_strain_does_not_depend_on_orientation():
    """The spread of d ln q along any direction is the same: no axis of the laboratory is special."""
    g = np.random.default_rng(0).normal(size=(200, 3))
    x, y, z = (g / np.linalg.norm(g, axis=1, keepdims=True)).T
    direction = np.stack([x * x, y * y, z * z, 2 * y * z, 2 * x * z, 2 * x * y], axis=1)
    covariance = np.linalg.inv(prior_precision(WAVELENGTH))[:6, :6]
    spread = np.einsum("ri,ij,rj->r", direction, covariance, direction)
    np.testing.assert_allclose(spread, spread[0], rtol=1e-9)


def test_sticks_are_the_strongest_lines_as_measured(engine):
    table = engine.index.lines.take(np.arange(len(engine)))
    chosen = np.argsort(np.diff(table.offsets))[[0, 40, -1]]
    sticks = Sticks.of(table, chosen, WAVELENGTH, 2.0)
    np.testing.assert_allclose(sticks.area.sum(axis=1), 1)
    assert sticks.q.shape == sticks.area.shape == sticks.direction.shape[:2]
    assert sticks.q.shape[1] <= MOST_LINES
    for row, q, area in zip(chosen, sticks.q, sticks.area, strict=True):
        lines = table[int(row)]
        inside = lines.q <= 2.0
        strongest = np.sort(lines.intensity[inside])[::-1][:MOST_LINES]
        seen = area[area > 0] * lorentz_polarisation_ratio(q[area > 0], WAVELENGTH)
        np.testing.assert_allclose(np.sort(seen)[::-1] / seen.max(), strongest / strongest.max(), rtol=1e-5)


def test_sticks_beyond_what_the_wavelength_reaches_have_no_area(engine, rows):
    sticks = Sticks.of(engine.index.lines, rows, 8.0, np.inf)
    assert np.isfinite(sticks.area).all()
    assert sticks.q.max() < 4 * np.pi / 8.0
    assert np.isfinite(line_positions(sticks, np.zeros((2, PARAMETERS)), 8.0)[0]).all()


def test_a_flat_target_gives_finite_numbers(sticks):
    flat = Pattern(SCAN.two_theta, np.append(np.full(len(SCAN.two_theta) - 1, 100.0), 101.0), WAVELENGTH)
    fit = refine(Target.of(flat, find_lines(flat), background(flat)), sticks, 0.0, 2)
    for values in vars(fit).values():
        assert np.isfinite(values).all()
    assert ((fit.explained >= 0) & (fit.explained <= 1)).all()
