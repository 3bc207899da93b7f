import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from xtal.crystals import Crystal
from xtal.crystals.crystal import format_formula, reduced
from xtal.errors import UserError

CUBE = np.eye(3) * 5.0


def zinc_oxide(**changes):
    given_ = {"lattice": CUBE, "frac_coords": [[0, 0, 0], [0.5, 0.5, 0.5]], "numbers": [30, 8], **changes}
    return Crystal(**given_)


@given(arrays(np.float64, st.tuples(st.integers(1, 6), st.just(3)), elements=st.floats(-1e6, 1e6)))
def test_coordinates_are_wrapped_into_the_cell(frac):
    wrapped = Crystal(CUBE, frac, np.ones(len(frac), int)).frac_coords
    assert ((wrapped >= 0) & (wrapped < 1)).all()
    moved = wrapped - frac
    np.testing.assert_allclose(moved, np.rint(moved), atol=1e-9)


def test_a_coordinate_just_below_zero_is_zero():
    assert zinc_oxide(frac_coords=[[-1e-17, 0, 0], [1, -1, 7]]).frac_coords.tolist() == [[0, 0, 0], [0, 0, 0]]


def test_the_arrays_are_copies_that_nobody_can_write_to():
    frac = np.array([[0.0, 0, 0], [1.5, 0.5, 0.5]])
    crystal = zinc_oxide(frac_coords=frac)
    assert frac[1, 0] == 1.5
    frac[0] = 0.9
    assert crystal.frac_coords[0, 0] == 0
    for array in (crystal.lattice, crystal.frac_coords, crystal.numbers, crystal.occupancies):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_occupancies_are_full_when_not_given():
    crystal = zinc_oxide()
    assert crystal.occupancies.tolist() == [1, 1]
    assert len(crystal) == 2
    assert crystal.volume == pytest.approx(125)
    assert zinc_oxide(lattice=CUBE[[1, 0, 2]]).volume == pytest.approx(125)  # left-handed


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lattice": np.zeros((3, 3))}, "lattice must be three independent vectors in Å, got"),
        ({"lattice": np.eye(2)}, "lattice must be three independent vectors"),
        ({"lattice": np.full((3, 3), np.nan)}, "lattice must be three independent vectors"),
        ({"lattice": np.ones((3, 3)) * 5}, "lattice must be three independent vectors"),
        ({"numbers": []}, r"N >= 1 atoms .* got 0, \(2, 3\), \(0,\)"),
        ({"frac_coords": [[0, 0, 0]]}, r"got 2, \(1, 3\), \(2,\)"),
        ({"frac_coords": [[0, 0], [1, 1]]}, r"got 2, \(2, 2\)"),
        ({"occupancies": [1.0]}, r"got 2, \(2, 3\), \(1,\)"),
        ({"frac_coords": [[0, 0, 0], [0, np.nan, 0]]}, "fractional coordinates must be finite"),
        ({"frac_coords": [[0, 0, 0], [0, np.inf, 0]]}, "fractional coordinates must be finite"),
        ({"numbers": [0, 8]}, r"atomic numbers must lie in 1\.\.98, got 0\.\.8"),
        ({"numbers": [8, 99]}, r"atomic numbers must lie in 1\.\.98, got 8\.\.99"),
        ({"numbers": [8, 260]}, r"atomic numbers must lie in 1\.\.98, got 8\.\.260"),  # not 4 in 8 bits
        ({"occupancies": [1.0, 0.0]}, r"occupancies must lie in \(0, 1\]"),
        ({"occupancies": [1.0, 1.1]}, r"occupancies must lie in \(0, 1\]"),
        ({"occupancies": [1.0, np.nan]}, r"occupancies must lie in \(0, 1\]"),
    ],
)
def test_what_is_no_crystal_is_refused(changes, words):
    with pytest.raises(UserError, match=words):
        zinc_oxide(**changes)


@pytest.mark.parametrize(
    ("counts", "formula", "smallest"),
    [
        ({6: 24, 1: 12, 8: 13 * 2, 30: 8}, "C24H12O26Zn8", "C12H6O13Zn4"),
        ({11: 4, 17: 4}, "Cl4Na4", "ClNa"),
        ({1: 4, 8: 2}, "H4O2", "H2O"),
        ({30: 1}, "Zn", "Zn"),
    ],
)
def test_formulas_stand_in_hill_order(counts, formula, smallest):
    numbers = np.repeat(list(counts), list(counts.values()))
    crystal = Crystal(CUBE, np.random.default_rng(0).uniform(size=(len(numbers), 3)), numbers)
    assert (crystal.formula, crystal.reduced_formula) == (formula, smallest)


def test_partial_occupancies_enter_the_formula_and_stop_its_reduction():
    crystal = Crystal(CUBE, np.zeros((3, 3)), [26, 12, 8], [0.25, 0.75, 1.0])
    assert crystal.composition == {"Fe": 0.25, "Mg": 0.75, "O": 1}
    assert crystal.formula == crystal.reduced_formula == "Fe0.25Mg0.75O"


@given(st.dictionaries(st.sampled_from(["C", "H", "N", "O", "Zn"]), st.integers(1, 40), min_size=1))
def test_reduction_keeps_the_ratios_and_is_final(counts):
    small = reduced(counts)
    ratios = {counts[s] / small[s] for s in counts}
    assert len(ratios) == 1
    assert reduced(small) == small
    assert all(n == round(n) for n in small.values())


def test_counts_of_one_are_not_written():
    assert format_formula({"C": 2, "H": 1.0, "O": 0.125}) == "C2HO0.125"
