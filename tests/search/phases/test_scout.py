import numpy as np
import pytest

from search.phases.scout import highest


@pytest.mark.parametrize("count", [1, 7, 40, 99, 100, 300])
def test_the_highest_come_first_and_equal_ones_in_their_order(count):
    values = np.random.default_rng(count).integers(0, 12, 100).astype(float)
    values[::9] = -np.inf
    np.testing.assert_array_equal(highest(values, count), np.argsort(-values, kind="stable")[:count])
