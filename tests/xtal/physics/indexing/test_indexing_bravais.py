"""Lattices: conventional and primitive, symmetry found, half and double volumes."""

import numpy as np
import pytest

from xtal.crystals import cell_lattice, cell_parameters
from xtal.crystals.lattices import strain_onto
from xtal.physics.indexing import metric
from xtal.physics.indexing.bravais import conventional, neighbours, primitive, symmetric, usual

CUBE = np.eye(3) * 14.2


@pytest.mark.parametrize(("centring", "points"), [("P", 1), ("A", 2), ("B", 2), ("C", 2), ("I", 2), ("F", 4)])
def test_primitive_cell_has_its_share_of_the_volume(centring, points):
    lattice = primitive(cell_lattice((8.2, 11.9, 9.7, 90, 90, 90)), centring)
    assert np.linalg.det(lattice) == pytest.approx(8.2 * 11.9 * 9.7 / points)


def test_rhombohedral_cell_is_a_third_of_the_hexagonal_one():
    lattice = primitive(cell_lattice((15.0, 15.0, 10.0, 90, 90, 120)), "R")
    lengths = np.linalg.norm(lattice, axis=1)
    np.testing.assert_allclose(lengths, np.sqrt(15**2 / 3 + 10**2 / 9))


@pytest.mark.parametrize(("centring", "system"), [("P", "P"), ("I", "I"), ("F", "F")])
def test_a_slightly_strained_cube_is_seen_as_one(centring, system):
    lattice = primitive(CUBE, centring) @ (np.eye(3) + 1e-4 * np.array([[1, 2, 0], [2, -1, 1], [0, 1, 0]]))
    found = symmetric(lattice, 0.05)
    assert found is not None
    assert found[:2] == (metric.CUBIC, system)
    assert conventional(metric.CUBIC, found[2])[0, 0] == pytest.approx(14.2, rel=1e-3)


def test_neighbours_have_half_and_twice_the_volume_and_know_the_way_back():
    lattice = primitive(cell_lattice((7.1, 9.3, 11.2, 83.0, 97.0, 105.0)), "P")
    found = list(neighbours(lattice))
    ratio = np.array([np.linalg.det(near) for near in found]) / np.linalg.det(lattice)
    np.testing.assert_allclose(np.sort(ratio), [0.5] * 7 + [2.0] * 7)
    for near in found:
        assert any(strain_onto(back, lattice, 1e-6) is not None for back in neighbours(near))


@pytest.mark.parametrize("centring", "PACI")
def test_monoclinic_cells_are_given_with_an_obtuse_angle(centring):
    acute = cell_lattice((19.7, 16.8, 16.4, 90, 73.1, 90))
    given = usual(metric.MONOCLINIC, acute)
    assert cell_parameters(given)[1] == pytest.approx([90, 106.9, 90])
    assert np.linalg.det(given) == pytest.approx(np.linalg.det(acute))
    assert strain_onto(primitive(given, centring), primitive(acute, centring), 1e-6) is not None
    assert usual(metric.MONOCLINIC, given) is given


def test_triclinic_cells_are_given_reduced():
    skew = np.array([[1, 0, 0], [2, 1, 0], [1, 3, 1]]) @ cell_lattice((7.6, 9.1, 10.4, 81.0, 74.0, 68.0))
    lengths, _ = cell_parameters(usual(metric.TRICLINIC, skew))
    assert lengths == pytest.approx([7.6, 9.1, 10.4], abs=0.6)
