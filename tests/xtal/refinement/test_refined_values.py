"""Numbers with uncertainties, and volumes of cells."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtal.refinement.refined import Profile, Value, with_uncertainty


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (20.74651, 0.0012, "20.7465(12)"),
        (5.63981, 0.00021, "5.6398(2)"),
        (89.95, 0.0071, "89.950(7)"),
        (8825.3, 15.2, "8825(15)"),
        (8825.3, 151.0, "8825(151)"),
        (0.12, None, "0.1200"),
        (0.12, 0.0, "0.1200"),
        (-0.0532, 0.0011, "-0.0532(11)"),
        (1.5, float("inf"), "1.5000"),
    ],
)
def test_uncertainties_follow_the_rule_of_nineteen(value, error, text):
    assert str(Value(value, error)) == text


@given(st.floats(-1e3, 1e3), st.floats(1e-6, 1e2))
def test_what_is_written_is_within_the_uncertainty(value, error):
    text = with_uncertainty(value, error)
    written, digits = text.rstrip(")").split("(")
    places = len(written.partition(".")[2])
    assert abs(float(written) - value) <= error / 2 + 1e-9
    assert int(digits) * 10.0**-places == pytest.approx(error, rel=0.3)


def test_a_profile_knows_its_r_factor():
    profile = Profile(np.arange(1.0, 4), np.full(3, 10.0), np.array([9.0, 10, 11]), np.zeros(3), np.ones(3))
    assert profile.r_p == pytest.approx(2 / 30)
    assert replace(profile, calculated=profile.observed).r_p == 0
