"""Areas of overlapping lines and their evidence."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import nnls

from xtal.physics.indexing.areas import line_evidence, non_negative


def test_areas_are_those_of_non_negative_least_squares():
    rng = np.random.default_rng(1)
    design = np.exp(-0.5 * (np.arange(80)[:, None] - np.linspace(5, 75, 14)) ** 2 / 9)
    data = design @ np.clip(rng.normal(size=14), 0, None) + 0.05 * rng.normal(size=80)
    area = np.zeros(14)
    bounds = np.tile([0, 14], (14, 1))
    for _ in range(20):
        non_negative(design.T @ design, design.T @ data, bounds, area, 1e9)
    np.testing.assert_allclose(area, nnls(design, data)[0], atol=2e-3)


@pytest.mark.parametrize("right", [-30.0, 0.5, 40.0, 400.0])
def test_evidence_of_one_line_is_the_integral_over_its_area(right):
    gram, mean = 100.0, 0.8
    area = max(0.0, right / gram)

    def density(a: float) -> float:
        return np.exp(-0.5 * gram * (a * a - area * area) + right * (a - area)) * np.exp(-a / mean) / mean

    expected = np.log(quad(density, 0, area + 3, points=[area])[0])
    found = line_evidence(np.array([[gram]]), np.array([right]), np.array([area]), np.array([mean]))
    assert found == pytest.approx(expected, abs=0.05)


def test_a_line_whose_tail_alone_is_seen_grows_no_larger_than_it_may():
    area = np.zeros(1)
    non_negative(np.array([[1e-9]]), np.array([1.0]), np.array([[0, 1]]), area, 50.0)
    assert area[0] == 50.0
