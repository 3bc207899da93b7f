import numpy as np
import pytest
from generate_helpers import disturbed, small_mofs

from generate.benchmark.matching import LOOSE, STRICT, TOLERANCES, VOLUME_TRUE, Tolerance, match, match_all, rmse
from xtal.crystals import Crystal, to_structure

MOFS = small_mofs()


@pytest.mark.parametrize("noise", [0.1, 0.4])
@pytest.mark.parametrize("crystal", MOFS, ids=lambda c: c.name)
def test_the_measure_is_the_displacement_over_the_size_of_an_atom(crystal, noise):
    """Also with another origin and order of atoms; the common translation, 1 / N of the square, is taken off."""
    moved = disturbed(crystal, noise, 0.0, 1)
    expected = noise / (crystal.volume / len(crystal)) ** (1 / 3)
    assert rmse(moved, crystal) == pytest.approx(expected, rel=0.25)


@pytest.mark.parametrize("tolerance", TOLERANCES, ids=lambda t: t.name)
def test_numbers_are_those_of_pymatgen(tolerance):
    from pymatgen.core.structure_matcher import StructureMatcher

    matcher = StructureMatcher(
        ltol=tolerance.length, stol=tolerance.site, angle_tol=tolerance.angle, scale=tolerance.scale
    )
    for seed, crystal in enumerate(MOFS[:3]):
        moved = disturbed(crystal, 0.8, 0.02, seed)
        theirs = matcher.get_rms_dist(to_structure(moved), to_structure(crystal))
        assert rmse(moved, crystal, tolerance) == pytest.approx(theirs[0], abs=1e-6)


def test_another_choice_of_axes_is_the_same_crystal():
    crystal = MOFS[2]
    change = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]])
    skewed = Crystal(change @ crystal.lattice, crystal.frac_coords @ np.linalg.inv(change), crystal.numbers)
    assert rmse(skewed, crystal) == pytest.approx(0, abs=1e-6)


def test_strangers_do_not_match():
    rng = np.random.default_rng(0)
    for crystal in MOFS:
        random = Crystal(crystal.lattice, rng.uniform(size=(len(crystal), 3)), crystal.numbers)
        assert rmse(random, crystal) is None
    assert rmse(MOFS[0], MOFS[1]) is None  # another composition


def test_only_the_volume_true_tolerance_minds_the_volume():
    crystal = MOFS[0]
    swollen = Crystal(crystal.lattice * 1.25, crystal.frac_coords, crystal.numbers)
    strict, loose, volume_true = match((swollen, crystal), (STRICT, LOOSE, VOLUME_TRUE))
    assert strict.rmse == pytest.approx(0, abs=1e-6)
    assert loose.found
    assert not volume_true.found
    assert not volume_true.late


def test_a_wrong_angle_matches_only_loosely():
    crystal = MOFS[1]
    angle = np.radians(8)
    shear = np.array([[1, 0, 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    sheared = Crystal(crystal.lattice @ shear, crystal.frac_coords, crystal.numbers)
    assert rmse(sheared, crystal, STRICT) is None
    assert rmse(sheared, crystal, LOOSE) is not None


def test_a_pair_that_takes_too_long_is_late_and_no_match():
    (late,) = match((MOFS[0], MOFS[0]), (STRICT,), seconds=1e-4)
    assert late.late
    assert not late.found


def test_all_pairs_in_processes_give_what_one_gives_alone():
    only = Tolerance("tight", 0.1, 5.0, 0.2)
    pairs = [(disturbed(c, noise, 0.01, 3), c) for c in MOFS[:2] for noise in (0.05, 1.0)]
    together = match_all(pairs, (only,), workers=1)
    assert [[m.rmse for m in row] for row in together] == [[m.rmse for m in match(pair, (only,))] for pair in pairs]
    assert [row[0].found for row in together] == [True, False, True, False]


def test_no_pairs_no_matches():
    assert match_all([]) == []
