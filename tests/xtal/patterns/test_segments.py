"""Gaps in a scan are no data: nothing is found in them, and nothing is missing there."""

import numpy as np
import pytest

from xtal.patterns import Pattern, two_theta_from_q
from xtal.patterns.background import background
from xtal.patterns.linefinder import find_lines
from xtal.patterns.segments import gaps, in_gap, segments
from xtal.physics.profile import render_each
from xtal.physics.target import Target

ANGLES = np.linspace(3, 30, 1351)
PLACES = np.array([5.0, 8.0, 11.0, 14.0, 19.0, 25.0])


def pattern(*left_out: tuple[float, float]) -> Pattern:
    """Six lines on a slope, measured outside of some regions."""
    curve = 300 - 5 * ANGLES + render_each(ANGLES, PLACES, np.full(6, 400.0), 0.2, 0.5)
    counts = np.random.default_rng(0).poisson(curve).astype(float)
    kept = np.ones(len(ANGLES), dtype=bool)
    for first, last in left_out:
        kept &= (first > ANGLES) | (last < ANGLES)
    return Pattern(ANGLES[kept], counts[kept], 1.5418)


def test_a_scan_without_gaps_is_one_segment():
    assert segments(ANGLES) == [slice(0, 1351)]
    assert gaps(pattern()).shape == (0, 2)
    assert not in_gap(ANGLES, gaps(pattern())).any()


def test_steps_that_change_are_no_gaps():
    """Instruments take wider steps at higher angles; a point that is missing is none either."""
    variable = np.concatenate([np.arange(3, 10, 0.02), np.arange(10, 20, 0.04), np.arange(20, 30, 0.1)])
    assert len(segments(variable)) == 1
    assert len(segments(np.delete(ANGLES, [500, 700, 701]))) == 1


def test_gaps_are_found_with_their_ends():
    found = gaps(pattern((7.0, 9.0), (20.0, 22.0)))
    np.testing.assert_allclose(found, [[7, 9], [20, 22]], atol=0.05)
    np.testing.assert_array_equal(in_gap(np.array([6.0, 8.0, 15.0, 21.0]), found), [False, True, False, True])


@pytest.mark.parametrize("gap", [(7.0, 9.0), (7.95, 9.0), (12.0, 13.0)])
def test_lines_beside_a_gap_are_found_and_none_in_it(gap):
    """A line that is cut through on its flank is no line of its own at the end of the gap."""
    places = two_theta_from_q(find_lines(pattern(gap)).q, 1.5418)
    whole = PLACES[(gap[0] - 0.2 > PLACES) | (gap[1] + 0.2 < PLACES)]
    assert all(np.abs(places - place).min() < 0.03 for place in whole)
    assert not in_gap(places, np.array([gap])).any()
    assert len(places) <= len(whole) + 1


def test_the_background_goes_on_beyond_a_gap():
    cut = pattern((7.5, 8.5))
    expected = 300 - 5 * cut.two_theta
    away = np.abs(cut.two_theta[:, None] - PLACES).min(axis=1) > 0.6
    np.testing.assert_allclose(background(cut)[away], expected[away], rtol=0.06)


def test_what_is_compared_with_knows_nothing_of_a_gap():
    cut = pattern((7.0, 9.0))
    target = Target.of(cut, find_lines(cut), background(cut))
    inside = (target.two_theta > 7.1) & (target.two_theta < 8.9)
    assert inside.any()
    assert not target.measured[inside].any()
    assert (target.net[inside] == 0).all()
    assert target.measured[~in_gap(target.two_theta, np.array([[6.9, 9.1]]))].all()
    blurred = target.blurred(0.3)
    assert blurred.measured.mean() < target.measured.mean()
    assert (blurred.net[~blurred.measured] == 0).all()
