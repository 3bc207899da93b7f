import numpy as np
import pytest
from ui_fakes import SALT, candidate

from ui.show.fitted import candidate_overlay
from xtal.physics import Scan, measure, reflections


def test_the_profile_of_the_right_crystal_lies_on_its_pattern():
    pattern = measure(reflections(SALT, 5.0), 0.0, np.random.default_rng(1), Scan(20, 80, 0.02))
    right = candidate_overlay(pattern, candidate(zero_shift=0.0))
    wrong = candidate_overlay(pattern, candidate(zero_shift=2.0))
    assert np.abs(right.difference).sum() < 0.6 * np.abs(wrong.difference).sum()
    np.testing.assert_allclose(right.calculated + right.difference, right.measured)
    assert right.ticks[:2] == pytest.approx([27.37, 31.70], abs=0.05)
    assert wrong.ticks[:2] == pytest.approx([29.37, 33.70], abs=0.05)
