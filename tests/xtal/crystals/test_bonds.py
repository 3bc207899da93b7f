from itertools import product

import gemmi
import numpy as np
import pytest
from bonded_crystals import random_crystal, rock_salt
from hypothesis import given, settings
from hypothesis import strategies as st

from xtal.crystals import Crystal, find_bonds
from xtal.crystals.bonds import BOND_SLACK, SHORTEST_BOND


def brute_force(crystal: Crystal) -> set[tuple[int, int, int, int, int]]:
    """Every bond by the rule as it is stated, one pair of sites after the other."""
    radius = [gemmi.Element(int(z)).covalent_r for z in crystal.numbers]
    aloof = [gemmi.Element(int(z)).is_metal or z == 1 for z in crystal.numbers]
    found = set()
    for i, j in product(range(len(crystal)), repeat=2):
        if aloof[i] and aloof[j]:
            continue
        for shift in product(range(-3, 4), repeat=3):
            step = (crystal.frac_coords[j] + shift - crystal.frac_coords[i]) @ crystal.lattice
            reach = radius[i] + radius[j]
            if SHORTEST_BOND * reach < np.linalg.norm(step) < reach + BOND_SLACK:
                found.add((i, j, *shift))
    return found


def as_set(crystal: Crystal) -> set[tuple[int, ...]]:
    bonds = find_bonds(crystal)
    return {tuple(row) for row in np.column_stack([bonds.first, bonds.second, bonds.shift]).tolist()}


def test_each_sodium_has_six_chlorides():
    bonds = find_bonds(rock_salt())
    assert np.bincount(bonds.first).tolist() == [6] * 8
    assert bonds.length == pytest.approx(2.82)


def test_diamond_in_its_primitive_cell_bonds_to_its_own_images():
    primitive = Crystal(
        3.567 * np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]), [[0, 0, 0], [0.25] * 3], [6, 6]
    )
    bonds = find_bonds(primitive)
    assert np.bincount(bonds.first).tolist() == [4, 4]
    assert bonds.length == pytest.approx(3.567 * np.sqrt(3) / 4)


def test_metals_and_hydrogens_keep_apart():
    cell = np.eye(3) * 12
    copper = Crystal(cell, [[0, 0, 0], [2.5 / 12, 0, 0]], [29, 29])
    hydrogen = Crystal(cell, [[0, 0, 0], [0.74 / 12, 0, 0]], [1, 1])
    hydride = Crystal(cell, [[0, 0, 0], [1.6 / 12, 0, 0]], [29, 1])
    assert [len(find_bonds(c)) for c in (copper, hydrogen, hydride)] == [0, 0, 0]


def test_two_halves_of_a_disordered_atom_are_not_joined():
    crystal = Crystal(np.eye(3) * 12, [[0.1, 0.1, 0.1], [0.15, 0.1, 0.1], [0.2, 0.1, 0.1]], [6, 6, 6], [0.5, 0.5, 1])
    pairs = {(i, j) for i, j, *_ in as_set(crystal)}
    assert pairs == {(0, 2), (2, 0)}


@settings(max_examples=8)
@given(st.integers(0, 2**32 - 1))
def test_bonds_agree_with_a_plain_double_loop(seed):
    crystal = random_crystal(seed, 9)
    assert as_set(crystal) == brute_force(crystal)


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.tuples(*[st.floats(-2, 2)] * 3))
def test_bonds_do_not_depend_on_the_origin(seed, origin):
    crystal = random_crystal(seed)
    moved = Crystal(crystal.lattice, crystal.frac_coords + origin, crystal.numbers)
    lengths = np.sort(find_bonds(crystal).length)
    # a pair at the very edge of the rule may fall to either side by rounding
    assert np.abs(np.sort(find_bonds(moved).length) - lengths).max(initial=0) < 1e-9
