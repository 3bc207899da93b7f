import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtal.errors import UserError
from xtal.patterns import Lines, Pattern, q_from_two_theta, two_theta_from_q

ANGLES = np.arange(10.0, 20.0)


def pattern(**changes):
    return Pattern(**{"two_theta": ANGLES, "intensity": ANGLES % 3, "wavelength": 1.5406, **changes})


@given(st.floats(0.5, 179), st.floats(0.05, 5))
def test_angles_and_momentum_transfer_are_inverse(two_theta, wavelength):
    q = q_from_two_theta(two_theta, wavelength)
    assert two_theta_from_q(q, wavelength) == pytest.approx(two_theta, rel=1e-6)
    assert 2 * (2 * np.pi / q) * np.sin(np.radians(two_theta / 2)) == pytest.approx(wavelength)  # Bragg


def test_a_q_that_no_angle_reaches_is_nan():
    reached = two_theta_from_q([1.0, 4 * np.pi / 1.54, 8.2], 1.54)
    assert np.isnan(reached).tolist() == [False, False, True]
    assert reached[1] == pytest.approx(180)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"two_theta": ANGLES[:9], "intensity": ANGLES[:9]}, r"at least 10 points .* got \(9,\)"),
        ({"intensity": ANGLES[:9]}, r"as many intensities, got \(10,\) and \(9,\)"),
        ({"two_theta": np.ones((10, 2)), "intensity": np.ones((10, 2))}, r"got \(10, 2\)"),
        ({"intensity": np.append(ANGLES[:9], np.nan)}, "must be finite numbers; the pattern holds NaN or infinity"),
        ({"two_theta": np.append(ANGLES[:9], np.inf)}, "must be finite numbers"),
        ({"two_theta": ANGLES[::-1]}, "2θ must rise strictly within 0 to 180 degrees"),
        ({"two_theta": np.append(ANGLES[:9], 18.0)}, "2θ must rise strictly"),
        ({"two_theta": ANGLES - 10}, "2θ must rise strictly within 0"),
        ({"two_theta": ANGLES + 161}, "2θ must rise strictly within 0 to 180"),
        ({"intensity": ANGLES - 12}, "intensities must not be negative, got -2"),
        ({"intensity": np.full(10, 7.0)}, "the pattern is constant .7 everywhere.: it holds no diffraction"),
        ({"wavelength": 0.001}, "wavelength must lie in 0.01 to 10.0 Å, got 0.001"),
        ({"wavelength": 15.4}, "wavelength must lie in 0.01 to 10.0 Å, got 15.4"),
        ({"wavelength": np.nan}, "wavelength must lie in"),
        ({"sigma": np.ones(9)}, "sigma must be finite, not negative, and as long as 2θ"),
        ({"sigma": np.full(10, -1.0)}, "sigma must be finite, not negative"),
        ({"sigma": np.full(10, np.nan)}, "sigma must be finite"),
    ],
)
def test_what_is_no_pattern_is_refused(changes, words):
    with pytest.raises(UserError, match=words):
        pattern(**changes)


def test_the_arrays_are_read_only_copies():
    angles = ANGLES.copy()
    made = pattern(two_theta=angles, sigma=np.ones(10))
    angles[0] = 5
    assert made.two_theta[0] == 10
    for array in (made.two_theta, made.intensity, made.sigma):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_q_range_is_that_of_the_first_and_last_point():
    made = pattern()
    assert len(made) == 10
    assert made.q_range == (made.q[0], made.q[-1])
    assert (np.diff(made.q) > 0).all()
    assert made.q[0] == pytest.approx(4 * np.pi * np.sin(np.radians(5)) / 1.5406)


intensities = st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=30)


def ladder(values):
    """Lines at 0.1, 0.2, ... whose further columns tell which line they belong to."""
    q = 0.1 * np.arange(1, len(values) + 1)
    return Lines(q, values, 0.01 * q, (0.0, 9.0), np.outer(q, np.ones(6)) / 4)


@given(intensities)
def test_the_strongest_line_is_one(values):
    lines = ladder(values)
    assert lines.intensity.max() == 1
    np.testing.assert_allclose(lines.intensity * max(values), values)


@given(intensities, st.integers(1, 40))
def test_the_strongest_lines_keep_their_order_and_columns(values, count):
    lines = ladder(values)
    kept = lines.strongest(count)
    assert len(kept) == min(count, len(values))
    assert (np.diff(kept.q) > 0).all()
    np.testing.assert_allclose(np.sort(kept.intensity), np.sort(lines.intensity)[-len(kept) :])
    np.testing.assert_allclose(kept.width, 0.01 * kept.q)
    np.testing.assert_allclose(kept.direction, np.outer(kept.q, np.ones(6)) / 4)
    assert kept.q_range == (0.0, 9.0)


def test_no_lines_are_fine_and_unordered_ones_are_not():
    assert len(Lines([], [])) == 0
    for q, values in (([1, 0.5], [1, 1]), ([1, 2], [1]), ([[1]], [[1]])):
        with pytest.raises(ValueError, match="equally long and q ascending"):
            Lines(q, values)
