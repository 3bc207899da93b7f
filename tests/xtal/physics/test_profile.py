import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xtal.errors import UserError
from xtal.physics.profile import BLOCK, REACH, caglioti, pseudo_voigt, render, render_each

GRID = np.linspace(3, 30, 2701)  # step 0.01
STEP = GRID[1] - GRID[0]
places = st.lists(st.tuples(st.floats(8, 25), st.floats(0.1, 10)), min_size=1, max_size=12)


@given(st.floats(0.02, 1.0), st.floats(0, 1))
def test_a_line_has_unit_area_and_its_width(fwhm, eta):
    assert pseudo_voigt(0.0, fwhm, eta) == pytest.approx(2 * pseudo_voigt(fwhm / 2, fwhm, eta))
    offset = np.arange(-400 * fwhm, 400 * fwhm, fwhm / 20)
    assert pseudo_voigt(offset, fwhm, eta).sum() * fwhm / 20 == pytest.approx(1, abs=2e-3)


@given(places, st.floats(0.08, 0.4))
def test_a_gaussian_profile_keeps_the_area_of_its_lines(lines, fwhm):
    centres, areas = np.array(lines).T
    assert render(GRID, centres, areas, fwhm, 0.0).sum() * STEP == pytest.approx(areas.sum(), rel=1e-9)


@given(places, st.floats(0.08, 0.3), st.floats(0, 1))
def test_a_profile_loses_no_more_than_the_tails(lines, fwhm, eta):
    centres, areas = np.array(lines).T
    kept = render(GRID, centres, areas, fwhm, eta).sum() * STEP / areas.sum()
    beyond = eta * 2 / np.pi * np.arctan(1 / REACH)  # of a Lorentzian, outside REACH half widths
    assert 1 - beyond * 1.1 - 1e-3 < kept < 1 + 1e-9


@settings(max_examples=40)
@given(places, st.floats(0.08, 0.4), st.floats(0, 1), st.sampled_from([2701, 5401]))
def test_both_renderers_draw_the_same(lines, fwhm, eta, points):
    grid = np.linspace(3, 30, points)
    centres, areas = np.array(lines).T
    exact = render_each(grid, centres, areas, fwhm, eta)
    widening = ((grid[1] - grid[0]) / fwhm) ** 2  # from splitting a line between two grid points
    tails = 0.0012 * eta * 2 / np.pi / fwhm * areas.sum()  # of Lorentzians, which the quick renderer cuts
    np.testing.assert_allclose(render(grid, centres, areas, fwhm, eta), exact, atol=widening * exact.max() + tails)


def test_on_grid_points_both_renderers_agree_to_rounding():
    centres, areas = GRID[[900, 1000, 1005]], np.array([1.0, 2.0, 0.5])
    exact = render_each(GRID, centres, areas, 0.1, 0.0)
    np.testing.assert_allclose(render(GRID, centres, areas, 0.1, 0.0), exact, atol=1e-12 * exact.max())


def test_a_curve_drawn_block_by_block_is_the_sum_of_its_lines():
    rng = np.random.default_rng(5)
    centres, areas = rng.uniform(3, 30, BLOCK // 4), rng.uniform(1, 9, BLOCK // 4)
    whole = pseudo_voigt(GRID[:, None] - centres, 0.1, 0.3) @ areas
    np.testing.assert_allclose(render_each(GRID, centres, areas, 0.1, 0.3), whole, rtol=1e-14)


def test_nothing_of_a_gaussian_is_left_far_away():
    assert pseudo_voigt([1e3, -1e6], 0.1, 0.0).max() < 1e-290


def test_lines_outside_the_grid_are_ignored():
    inside = render(GRID, np.array([10.0]), np.array([1.0]), 0.1)
    more = render(GRID, np.array([2.0, 10.0, 31.0]), np.array([5.0, 1.0, 5.0]), 0.1)
    np.testing.assert_allclose(more, inside, atol=1e-12)
    assert not render(GRID, np.empty(0), np.empty(0), 0.1).any()


def test_lines_at_both_ends_of_the_grid_are_drawn_in_half():
    curve = render(GRID, GRID[[0, -1]], np.ones(2), 0.1, 0.0)
    assert curve.argmax() in (0, len(GRID) - 1)
    assert curve[0] == pytest.approx(curve[-1])
    assert np.trapezoid(curve, GRID) == pytest.approx(1)


def test_an_uneven_grid_is_refused_by_the_quick_renderer_alone():
    uneven = np.sort(np.random.default_rng(0).uniform(3, 30, 3000))
    with pytest.raises(UserError, match="needs an even grid; use render_each for any other"):
        render(uneven, np.array([10.0]), np.array([1.0]), 0.1)
    curve = render_each(uneven, np.array([10.0]), np.array([1.0]), 0.1)
    np.testing.assert_allclose(curve, pseudo_voigt(uneven - 10, 0.1, 0.5))


def test_every_line_has_its_own_width_also_beyond_one_block():
    centres = np.linspace(5, 25, 600)
    widths = np.linspace(0.05, 0.5, 600)
    areas = np.linspace(1, 2, 600)
    point = np.array([14.3])
    expected = sum(a * pseudo_voigt(point - c, w, 0.3) for c, w, a in zip(centres, widths, areas, strict=True))
    np.testing.assert_allclose(render_each(point, centres, areas, widths, 0.3), expected)


def test_caglioti():
    tangent = np.tan(np.radians(30))
    assert caglioti(60, 0.04, -0.02, 0.03) == pytest.approx(np.sqrt(0.04 * tangent**2 - 0.02 * tangent + 0.03))
    assert caglioti(60, 0, 0, -1) > 0  # a refinement may overshoot; a width stays one
