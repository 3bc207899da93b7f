import time
from itertools import product

import gemmi
import numpy as np
import pytest
from bonded_crystals import diamond, random_crystal, rock_salt
from hypothesis import given, settings
from hypothesis import strategies as st

from ui.show.cell_drawing import draw_cell
from xtal.crystals import Crystal
from xtal.crystals.bonds import BOND_SLACK


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


@settings(max_examples=20)
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
