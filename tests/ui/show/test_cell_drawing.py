import time
from itertools import product

import gemmi
import numpy as np
import pytest
from bonded_crystals import diamond, random_crystal, rock_salt
from hypothesis import given, settings
from hypothesis import strategies as st

from ui.show.cell_drawing import draw_cell, polyhedra
from xtal.crystals import Crystal
from xtal.crystals.bonds import BOND_SLACK
from xtal.crystals.linkers import METALS


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


def test_a_linker_that_reaches_into_the_cell_is_whole():
    """An oxalate-like molecule across the face x = 0 between two metals."""
    chain = {"Zn": [0.25, 0.75], "O": [0.07, 0.93], "C": [0.0]}
    frac = [[x, 0.5, 0.5] for places in chain.values() for x in places]
    crystal = Crystal(np.diag([16.0, 9.0, 9.0]), frac, [30, 30, 8, 8, 6])
    drawing = draw_cell(crystal)
    carbon = crystal.numbers[drawing.atom] == 6
    for place in drawing.position[carbon]:  # every carbon drawn has both its oxygens
        near = np.linalg.norm(drawing.position - place, axis=1) < 1.3
        assert (crystal.numbers[drawing.atom[near & drawing.inside]] == 8).sum() == 2
    outside = drawing.position[drawing.inside][:, 0]
    assert outside.min() == pytest.approx(-1.12)
    assert outside.max() == pytest.approx(17.12)


def test_metals_have_polyhedra_of_what_is_bound_to_them():
    crystal = rock_salt()
    drawing = draw_cell(crystal)
    found = polyhedra(crystal, drawing)
    metals = METALS[crystal.numbers[drawing.atom]] & drawing.inside
    assert len(found) == metals.sum()
    for site, faces in found:
        assert faces.shape == (8, 3, 3)  # an octahedron
        away = np.linalg.norm(faces - drawing.position[site], axis=2)
        assert away == pytest.approx(away[0, 0])
        turn = np.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0])
        assert ((faces.mean(axis=1) - drawing.position[site]) * turn).sum(axis=1).min() > 0  # outwards


def test_two_thousand_atoms_take_less_than_a_second():
    blocks = np.array(list(product(range(7), range(6), range(6))))
    base = diamond()
    frac = (base.frac_coords + blocks[:, None]).reshape(-1, 3) / [7, 6, 6]
    crystal = Crystal(base.lattice * [[7], [6], [6]], frac, [6] * len(frac))
    assert len(crystal) == 2016
    start = time.process_time()
    drawing = draw_cell(crystal)
    assert time.process_time() - start < 1
    assert (np.bincount(drawing.bonds.ravel())[: drawing.inside.sum()] == 4).all()
