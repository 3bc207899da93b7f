"""Miller indices of peaks, against textbooks and against the metric of the cell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_crystals import crystals

from search.paper.indices import SAME_ANGLE, indexed_peaks, label
from xtal.crystals import Crystal
from xtal.crystals.conventional import conventional

CU = 1.5406


def rock_salt() -> Crystal:
    """The primitive cell of NaCl."""
    lattice = 5.6402 / 2 * (np.ones((3, 3)) - np.eye(3))
    return Crystal(lattice, np.array([[0.0, 0, 0], [0.5, 0.5, 0.5]]), np.array([11, 17], np.uint8))


def test_the_primitive_cell_of_rock_salt_is_indexed_as_the_textbook_has_it():
    found = indexed_peaks(conventional(rock_salt()), CU, (20.0, 70.0))
    names = ["".join(map(str, hkl)) for hkl in found.hkl.tolist()]
    assert names == ["111", "200", "220", "311", "222", "400"]
    np.testing.assert_allclose(found.two_theta, [27.37, 31.70, 45.45, 53.87, 56.48, 66.23], atol=0.03)
    assert names[int(np.argmax(found.area))] == "200"


def test_a_zero_shift_moves_every_peak():
    structure = conventional(rock_salt())
    still, moved = (indexed_peaks(structure, CU, (20.0, 70.0), shift) for shift in (0.0, 0.2))
    np.testing.assert_allclose(moved.two_theta, still.two_theta + 0.2, atol=1e-9)


def test_a_scan_without_a_peak_has_none():
    assert len(indexed_peaks(conventional(rock_salt()), CU, (5.0, 20.0)).two_theta) == 0


@settings(max_examples=25, deadline=None)
@given(crystals(), st.sampled_from([0.7107, 1.5406]))
def test_every_peak_lies_where_the_cell_puts_its_indices(crystal, wavelength):
    structure = conventional(crystal)
    found = indexed_peaks(structure, wavelength, (4.0, 25.0))
    d = 1 / np.linalg.norm(found.hkl @ np.linalg.inv(structure.lattice).T, axis=1)
    angles = 2 * np.degrees(np.arcsin(wavelength / (2 * d)))
    # reflections nearer than this share a peak, which lies at their mean
    runs = SAME_ANGLE * (1 + (np.abs(angles[:, None] - angles) < 1.0).sum(axis=1))
    assert (np.abs(found.two_theta - angles) <= runs).all()


@pytest.mark.parametrize(
    ("hkl", "text"), [((3, 1, 1), "$311$"), ((1, -1, 0), "$1\\bar{1}0$"), ((10, 2, -12), "$10\\ 2\\ \\bar{12}$")]
)
def test_negative_indices_have_a_bar_and_long_ones_room(hkl, text):
    assert label(np.array(hkl)) == text
