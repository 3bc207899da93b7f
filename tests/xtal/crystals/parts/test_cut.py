from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_crystals import rotations

from xtal.crystals import Crystal, CrystalTable
from xtal.crystals.parts import Parts, cut, graph_of, orbits, part_key

TABLE = CrystalTable.load(Path(__file__).parents[3] / "data" / "hmof_like_small.npz")
MOFS = [TABLE[row] for row in range(len(TABLE))]


def in_a_box(numbers, cart, box=(15.0, 15.0, 15.0)) -> Crystal:
    lattice = np.diag(box)
    return Crystal(lattice, np.asarray(cart) @ np.linalg.inv(lattice), numbers)


def names(parts: Parts) -> Counter:
    return Counter(piece.part.key for piece in parts.pieces)


def formulas(parts: Parts) -> Counter:
    return Counter(key.partition("-")[0] for key in names(parts).elements())


def test_an_oxide_between_metals_is_a_node_and_water_on_one_metal_is_not():
    crystal = in_a_box(
        [30, 8, 30, 8, 1, 1], [[0, 0, 0], [1.9, 0, 0], [3.8, 0, 0], [-2.0, 0, 0], [-2.6, 0.8, 0], [-2.6, -0.8, 0]]
    )
    parts = cut(crystal)
    assert formulas(parts) == {"OZn2": 1, "H2O": 1}
    water = next(piece.part for piece in parts.pieces if 1 in piece.part.numbers)
    assert water.donors[water.numbers == 8].all()
    assert not water.donors[water.numbers == 1].any()


def test_a_carboxylate_stays_with_its_linker():
    cart = [[-0.2, 0, 0], [1.6, 1.1, 0], [1.6, -1.1, 0], [2.2, 0, 0], [3.7, 0, 0]]
    parts = cut(in_a_box([30, 8, 8, 6, 6], cart))
    assert formulas(parts) == {"Zn": 1, "C2O2": 1}
    linker = max(parts.pieces, key=lambda piece: len(piece.atoms)).part
    assert np.array_equal(linker.donors, linker.numbers == 8)


def test_a_rod_falls_apart_into_metals_and_anions():
    rod = Crystal(np.diag([3.8, 12.0, 12.0]), [[0, 0, 0], [0.5, 0, 0]], [30, 8])
    parts = cut(rod)
    assert formulas(parts) == {"Zn": 1, "O": 1}
    assert not any(piece.endless for piece in parts.pieces)
    assert [piece.part.donors.any() for piece in parts.pieces if piece.part.numbers[0] == 8] == [True]


def test_an_endless_molecule_is_said_to_be_one():
    chain = Crystal(np.diag([2.6, 12.0, 12.0]), [[0, 0, 0], [0.5, 0, 0]], [6, 6])
    (piece,) = cut(chain).pieces
    assert piece.endless
    assert len(piece.part.bonds) == 1


@pytest.mark.parametrize("crystal", MOFS, ids=lambda c: c.name)
def test_every_atom_is_in_one_piece_where_the_crystal_has_it(crystal):
    parts = cut(crystal)
    atoms = np.concatenate([piece.atoms for piece in parts.pieces])
    assert np.sort(atoms).tolist() == list(range(len(crystal)))
    for index, piece in enumerate(parts.pieces):
        place = (crystal.frac_coords[piece.atoms] + piece.cell) @ crystal.lattice
        assert place - place.mean(axis=0) == pytest.approx(piece.part.position, abs=1e-9)
        assert (parts.owner[piece.atoms] == index).all()
        assert np.array_equal(crystal.numbers[piece.atoms], piece.part.numbers)


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(MOFS), st.lists(st.floats(0, 1), min_size=3, max_size=3), rotations(), st.integers(0, 999))
def test_parts_do_not_depend_on_the_description(crystal, origin, rotation, seed):
    order = np.random.default_rng(seed).permutation(len(crystal))
    frac = (crystal.frac_coords + np.array(origin))[order]
    other = Crystal(crystal.lattice @ rotation, frac, crystal.numbers[order])
    assert names(cut(other)) == names(cut(crystal))


def test_translations_of_a_supercell_join_pieces_into_orbits():
    crystal = MOFS[0]
    lattice = crystal.lattice * [[2], [1], [1]]
    frac = np.concatenate([crystal.frac_coords, crystal.frac_coords + np.array([1, 0, 0])]) / [2, 1, 1]
    parts = cut(Crystal(lattice, frac, np.tile(crystal.numbers, 2)))
    rotation, translation = np.tile(np.eye(3, dtype=int), (2, 1, 1)), np.array([[0, 0, 0], [0.5, 0, 0]])
    found = orbits(parts, rotation, translation)
    assert np.bincount(found).tolist() == [2] * (len(parts.pieces) // 2)
    assert orbits(parts, rotation[:1], translation[:1]).tolist() == list(range(len(parts.pieces)))


def test_keys_know_rings_and_donors():
    """Bicyclopentyl and decalin: ten carbons whose neighbourhoods are alike at every distance."""
    ring = [(k, (k + 1) % 10) for k in range(10)]
    decalin, pentyl = (
        [*ring, (0, 5)],
        [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (5, 6), (6, 7), (7, 8), (8, 9), (9, 5), (0, 5)],
    )
    none = np.zeros(10, dtype=bool)
    assert part_key([6] * 10, decalin, none) != part_key([6] * 10, pentyl, none)
    one = none.copy()
    one[3] = True
    with_donor = part_key([6] * 10, decalin, one)
    assert with_donor != part_key([6] * 10, decalin, none)
    assert graph_of(with_donor) == graph_of(part_key([6] * 10, decalin, none))
    assert with_donor.startswith("C10-")
