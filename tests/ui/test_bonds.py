import time
from itertools import product

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ui.bonds import BOND_SLACK, SHORTEST_BOND, draw_cell, find_bonds
from xtal.crystal import Crystal

CUBE = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])


def rock_salt() -> Crystal:
    return Crystal(np.eye(3) * 5.64, np.concatenate([CUBE, CUBE + 0.5]), [11] * 4 + [17] * 4, name="NaCl")


def diamond() -> Crystal:
    return Crystal(np.eye(3) * 3.567, np.concatenate([CUBE, CUBE + 0.25]), [6] * 8)


def random_crystal(seed: int, count: int = 40) -> Crystal:
    rng = np.random.default_rng(seed)
    lattice = np.diag(rng.uniform(3, 14, 3)) + rng.uniform(-1.2, 1.2, (3, 3))
    return Crystal(lattice, rng.random((count, 3)), rng.choice([1, 6, 8, 30, 57], count))


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


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_bonds_agree_with_a_plain_double_loop(seed):
    crystal = random_crystal(seed, 9)
    assert as_set(crystal) == brute_force(crystal)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.tuples(*[st.floats(-2, 2)] * 3))
def test_bonds_do_not_depend_on_the_origin(seed, origin):
    crystal = random_crystal(seed)
    moved = Crystal(crystal.lattice, crystal.frac_coords + origin, crystal.numbers)
    lengths = np.sort(find_bonds(crystal).length)
    # a pair at the very edge of the rule may fall to either side by rounding
    assert np.abs(np.sort(find_bonds(moved).length) - lengths).max(initial=0) < 1e-9


def test_a_bond_through_a_face_is_drawn_at_both_faces():
    """Carbon and oxygen 1.2 Å apart, one on either side of the face x = 0."""
    crystal = Crystal(np.eye(3) * 10, [[0.06, 0.5, 0.5], [0.94, 0.5, 0.5]], [6, 8])
    drawing = draw_cell(crystal)
    ends = drawing.position[drawing.bonds]
    across = sorted(np.sort(ends[:, :, 0], axis=1).round(3).tolist())
    assert across == [[-0.6, 0.6], [9.4, 10.6]]
    assert sorted(drawing.position[~drawing.inside][:, 0].round(3)) == [-0.6, 10.6]
    assert np.linalg.norm(ends[:, 0] - ends[:, 1], axis=1) == pytest.approx(1.2)


def test_atoms_on_faces_edges_and_corners_are_repeated():
    crystal = Crystal(np.eye(3) * 10, [[0, 0, 0], [0.999, 0.5, 0], [0.5, 0.5, 0.002], [0.3, 0.4, 0.5]], [6, 7, 8, 9])
    drawing = draw_cell(crystal)
    assert np.bincount(drawing.atom[drawing.inside]).tolist() == [8, 4, 2, 1]
    assert drawing.position[drawing.inside].min() > -0.11
    assert drawing.position[drawing.inside].max() < 10.11


def test_rock_salt_is_drawn_as_in_a_textbook():
    drawing = draw_cell(rock_salt())
    assert drawing.inside.sum() == 27
    between_inner = drawing.inside[drawing.bonds].all(axis=1)
    assert between_inner.sum() == 54  # the edges of a 2 x 2 x 2 block of cubes
    assert (~between_inner).sum() == 54  # one stub out of each of the 9 sites on each of 6 faces


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_every_drawn_bond_obeys_the_rule_and_has_an_end_in_the_cell(seed):
    crystal = random_crystal(seed)
    drawing = draw_cell(crystal)
    radius = np.array([gemmi.Element(int(z)).covalent_r for z in crystal.numbers])[drawing.atom]
    first, second = drawing.bonds.T
    length = np.linalg.norm(drawing.position[first] - drawing.position[second], axis=1)
    assert (length < radius[first] + radius[second] + BOND_SLACK + 1e-9).all()
    assert drawing.inside[drawing.bonds].any(axis=1).all()
    assert len(np.unique(np.sort(drawing.bonds, axis=1), axis=0)) == len(drawing.bonds)
    assert len(np.unique(drawing.position.round(6), axis=0)) == len(drawing.position)


def test_every_atom_in_the_cell_shows_all_its_bonds():
    crystal = diamond()
    drawing = draw_cell(crystal)
    drawn = np.bincount(drawing.bonds.ravel(), minlength=len(drawing.atom))
    assert (drawn[drawing.inside] == 4).all()


def test_two_thousand_atoms_take_less_than_a_second():
    blocks = np.array(list(product(range(7), range(6), range(6))))
    base = diamond()
    frac = (base.frac_coords + blocks[:, None]).reshape(-1, 3) / [7, 6, 6]
    crystal = Crystal(base.lattice * [[7], [6], [6]], frac, [6] * len(frac))
    assert len(crystal) == 2016
    start = time.perf_counter()
    drawing = draw_cell(crystal)
    assert time.perf_counter() - start < 1
    assert (np.bincount(drawing.bonds.ravel())[: drawing.inside.sum()] == 4).all()
