import numpy as np
import pytest
from generate_helpers import small_mofs

from generate.known.centring import ROOM, centrings, in_lattice
from xtal.crystals import cell_lattice

LATTICE = np.diag([13.0, 14.0, 15.0])


def test_each_variant_holds_the_atoms_more_often():
    found = list(centrings(LATTICE, 50))
    volumes = [abs(np.linalg.det(lattice)) for lattice in found]
    assert np.divide(volumes[0], volumes) == pytest.approx([1, 2, 3, 4])
    for fold, lattice in enumerate(found, 1):
        steps = LATTICE @ np.linalg.inv(lattice)  # the old lattice is part of the new one
        assert steps == pytest.approx(np.round(steps), abs=1e-9)
        diagonal = LATTICE.sum(axis=0) / fold @ np.linalg.inv(lattice)
        assert diagonal == pytest.approx(np.round(diagonal), abs=1e-9)


def test_oblique_cells_have_four_diagonals():
    oblique = cell_lattice((13, 14, 15, 75, 80, 85))
    assert len(list(centrings(oblique, 50))) == 1 + 3 * 4


def test_atoms_keep_their_room():
    assert len(list(centrings(LATTICE, int(np.prod([13, 14, 15]) / ROOM / 2.5)))) == 2
    assert len(list(centrings(LATTICE, 1000))) == 1


def test_atoms_stay_where_they_are():
    crystal = small_mofs()[0]
    lattice = list(centrings(crystal.lattice, len(crystal)))[1]
    moved = in_lattice(crystal, lattice)
    apart = (moved.frac_coords @ lattice - crystal.frac_coords @ crystal.lattice) @ np.linalg.inv(lattice)
    assert apart == pytest.approx(np.round(apart), abs=1e-9)
    assert np.array_equal(moved.numbers, crystal.numbers)
