"""What phases leave of the lines that were found."""

import numpy as np
import pytest

from search.phases.lines import assigned, left_over
from xtal.patterns import Lines, q_from_two_theta
from xtal.patterns.lorentz import lorentz_polarisation_ratio
from xtal.physics import Sticks

WAVELENGTH = 1.5418
FOUND = np.array([20.0, 25.0, 30.0, 40.0])
MEASURED = np.array([10.0, 5.0, 8.0, 2.0])


def lines():
    q = q_from_two_theta(FOUND, WAVELENGTH)
    first, last = q_from_two_theta(np.array([10.0, 50.0]), WAVELENGTH)
    return Lines(q, MEASURED * lorentz_polarisation_ratio(q, WAVELENGTH), np.full(4, 0.1), (float(first), float(last)))


AREA = lines().intensity / lorentz_polarisation_ratio(lines().q, WAVELENGTH)  # relative


def met(angles, areas):
    q = q_from_two_theta(np.array([angles]), WAVELENGTH)
    sticks = Sticks(q, np.array([areas]), np.zeros((1, len(angles), 6)))
    return assigned(lines(), sticks, np.zeros((1, 9)), np.ones(1), WAVELENGTH, 0.1, 0.0)


def test_calculated_lines_go_to_the_nearest_found_one():
    near, astray = met([20.03, 19.98, 35.0, 60.0], [1.0, 2.0, 4.0, 8.0])
    assert near[0] == pytest.approx([3, 0, 0, 0])
    assert astray == pytest.approx([4])  # the last one lies outside of the scan


def test_what_is_explained_is_left_out_and_what_is_not_stays():
    near, _ = met([20.0, 30.0], [AREA[0], 0.5 * AREA[2]])
    rest = left_over(lines(), near, WAVELENGTH)
    assert rest.q == pytest.approx(lines().q[[1, 2, 3]])
    area = rest.intensity / lorentz_polarisation_ratio(rest.q, WAVELENGTH)
    assert area / area[0] == pytest.approx([1, 0.8, 0.4])
    assert rest.q_range == lines().q_range


def test_more_than_there_is_leaves_nothing():
    near, _ = met(FOUND.tolist(), (3 * AREA).tolist())
    assert len(left_over(lines(), near, WAVELENGTH)) == 0
