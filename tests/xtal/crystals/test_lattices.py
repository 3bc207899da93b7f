import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_crystals import crystals, rotations, unimodular

from xtal.crystals.lattices import mappings, strain_onto


def symmetric(seed: int, size: float) -> np.ndarray:
    matrix = np.random.default_rng(seed).uniform(-size, size, (3, 3))
    return (matrix + matrix.T) / 2


@given(crystals(), rotations(), unimodular(), st.integers(0, 1000))
def test_a_strained_lattice_is_recognised_in_any_setting_and_frame(crystal, rotation, change, seed):
    lattice = crystal.lattice
    target = change @ lattice @ (np.eye(3) + symmetric(seed, 0.01)) @ rotation
    found = strain_onto(lattice, target, 0.02)
    if found is None:  # a sheared cell may need larger numbers than -1, 0 and 1
        assert np.abs(np.linalg.inv(change)).max() > 1
        return
    strain, turn = found
    np.testing.assert_allclose(strain, strain.T, atol=1e-12)
    np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-9)
    whole = lattice @ (np.eye(3) + strain) @ turn @ np.linalg.inv(target)
    np.testing.assert_allclose(whole, np.round(whole), atol=1e-6)
    assert abs(np.linalg.det(np.round(whole))) == pytest.approx(1)


def test_the_same_setting_needs_no_turn():
    lattice = 10 * np.eye(3)
    strain = np.diag([0.01, 0.0, -0.01])
    found, turn = strain_onto(lattice, lattice @ (np.eye(3) + strain), 0.02)
    np.testing.assert_allclose(found, strain, atol=1e-12)
    np.testing.assert_allclose(turn, np.eye(3), atol=1e-12)


def test_other_lattices_are_no_strain_of_it():
    assert strain_onto(10 * np.eye(3), 11 * np.eye(3), 0.04) is None
    assert strain_onto(10 * np.eye(3), np.diag([10.0, 10.0, 20.0]), 0.04) is None


@pytest.mark.parametrize(("edges", "count"), [((10, 10, 10), 48), ((10, 10, 12), 16), ((9, 10, 12), 8)])
def test_a_lattice_is_mapped_onto_itself_by_its_point_group(edges, count):
    metric = np.diag(np.square(edges)).astype(float)
    found = mappings(metric, metric, 0.01)
    assert len(found) == count
    np.testing.assert_allclose(found @ metric @ found.swapaxes(1, 2), np.tile(metric, (count, 1, 1)))
