from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_crystals import rotations

from xtal.crystals import Crystal, CrystalTable, take_apart
from xtal.crystals.linkers import METALS, Framework, lone_linker

TABLE = CrystalTable.load(Path(__file__).parents[2] / "data" / "hmof_like_small.npz")
MOFS = [TABLE[row] for row in range(len(TABLE))]
PILLARED = MOFS[3]  # Zn paddlewheels, acetylenedicarboxylates and a pillar
CARBOXYLATE = (6, 8, 8)


def molecule_between_metals() -> Crystal:
    """Zn-OOC-C≡C-COO-Zn along x in a long cell."""
    x = np.array([-0.2, 1.6, 1.6, 2.2, 3.7, 4.9, 6.4, 7.0, 7.0, 8.8])
    y = np.array([0, 1.1, -1.1, 0, 0, 0, 0, 1.1, -1.1, 0])
    cart = np.stack([x, y, np.zeros(10)], axis=1)
    lattice = np.diag([15.0, 12.0, 12.0])
    return Crystal(lattice, cart @ np.linalg.inv(lattice), [30, 8, 8, 6, 6, 6, 6, 8, 8, 30])


def kinds(framework: Framework) -> Counter:
    return Counter((linker.kind, linker.grips) for linker in framework.linkers)


def test_a_dicarboxylate_has_two_ends_and_a_core():
    crystal = molecule_between_metals()
    (linker,) = take_apart(crystal).linkers
    assert linker.grips == (CARBOXYLATE, CARBOXYLATE)
    assert linker.numbers[linker.core].tolist() == [6, 6]
    assert np.sort(linker.node[:, 0]) == pytest.approx([-0.2, 8.8])


def test_a_linker_is_in_one_piece_across_faces():
    crystal = molecule_between_metals()
    moved = replace(crystal, frac_coords=crystal.frac_coords + np.array([0.7, 0.5, 0.99]))
    (linker,) = take_apart(moved).linkers
    assert np.ptp(linker.position, axis=0) == pytest.approx([5.4, 2.2, 0], abs=1e-9)
    place = (moved.frac_coords[linker.atoms] + linker.cell) @ moved.lattice
    assert place == pytest.approx(linker.position)
    assert np.linalg.norm(linker.node[0] - linker.node[1]) == pytest.approx(9.0)


def test_without_metals_or_carbon_there_are_no_linkers():
    salt = Crystal(5.64 * np.eye(3), [[0, 0, 0], [0.5, 0.5, 0.5]], [11, 17])
    organic = replace(PILLARED, numbers=np.where(METALS[PILLARED.numbers], 8, PILLARED.numbers))
    assert take_apart(salt).linkers == ()
    assert take_apart(organic).linkers == ()


def test_an_endless_chain_of_carbon_is_no_linker():
    """C≡C chains that leave the cell, with a metal on one atom."""
    lattice = np.diag([2.6, 12.0, 12.0])
    chain = Crystal(lattice, [[0, 0, 0], [0.5, 0, 0], [0, 2.0 / 12, 0]], [6, 6, 30])
    framework = take_apart(chain)
    assert framework.linkers == ()
    assert all(body.endless or len(body.atoms) == 1 for body in framework.bodies)


@pytest.mark.parametrize("crystal", MOFS, ids=lambda c: c.name)
def test_every_atom_is_in_one_body(crystal):
    framework = take_apart(crystal)
    atoms = np.concatenate([body.atoms for body in framework.bodies])
    assert np.sort(atoms).tolist() == list(range(len(crystal)))
    assert framework.linkers
    for linker in framework.linkers:
        assert not METALS[linker.numbers].any()
        assert linker.end.max() + 1 == len(linker.node) == len(linker.grips)


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(MOFS), st.lists(st.floats(0, 1), min_size=3, max_size=3), rotations(), st.integers(0, 999))
def test_linkers_do_not_depend_on_the_description(crystal, origin, rotation, seed):
    order = np.random.default_rng(seed).permutation(len(crystal))
    frac = (crystal.frac_coords + np.array(origin))[order]
    other = Crystal(crystal.lattice @ rotation, frac, crystal.numbers[order])
    assert kinds(take_apart(other)) == kinds(take_apart(crystal))


def test_a_supercell_holds_each_linker_twice():
    lattice = PILLARED.lattice * [[2], [1], [1]]
    frac = np.concatenate([PILLARED.frac_coords, PILLARED.frac_coords + np.array([1, 0, 0])]) / [2, 1, 1]
    twice = Crystal(lattice, frac, np.tile(PILLARED.numbers, 2))
    once = kinds(take_apart(PILLARED))
    assert kinds(take_apart(twice)) == Counter({kind: 2 * count for kind, count in once.items()})


def test_isomers_are_of_different_kinds():
    """Fluorine in two places of one ring: the same atoms, bonded otherwise."""
    pillar = max(take_apart(PILLARED).linkers, key=lambda linker: len(linker.atoms))
    hydrogens = pillar.atoms[pillar.numbers == 1]
    found = set()
    for hydrogen in hydrogens:
        numbers = PILLARED.numbers.copy()
        numbers[hydrogen] = 9
        found |= {k.kind for k in take_apart(replace(PILLARED, numbers=numbers)).linkers if 9 in k.numbers}
    assert 1 < len(found) <= len(hydrogens)


@pytest.mark.parametrize("crystal", MOFS, ids=lambda c: c.name)
def test_a_linker_by_itself_is_described_as_in_its_crystal(crystal):
    """Its nodes, which are not known then, come out near those that it had."""
    for linker in take_apart(crystal).linkers:
        once = linker.bonds[linker.bonds[:, 0] < linker.bonds[:, 1]]
        alone = lone_linker(linker.numbers, linker.position, once, linker.bound)
        assert (alone.kind, alone.grips, alone.donors) == (linker.kind, linker.grips, linker.donors)
        order = [int(np.argmin(np.linalg.norm(alone.node - place, axis=1))) for place in linker.node]
        assert sorted(order) == list(range(len(linker.node)))
        assert np.linalg.norm(alone.node[order] - linker.node, axis=1).max() < 0.6


def test_what_is_all_grips_or_binds_nothing_is_no_linker():
    formate = np.array([6, 8, 8], np.uint8), np.eye(3), np.array([[0, 1], [0, 2]])
    assert lone_linker(*formate, np.array([False, True, True])) is None
    assert lone_linker(*formate, np.zeros(3, dtype=bool)) is None


def test_what_binds_by_two_single_atoms_is_a_linker_however_short():
    """Cyanogen between two metals, along x; cyanide, whose two atoms are bonded to each other, is none."""
    x = np.array([0, 2.05, 3.2, 4.58, 5.73, 7.78])
    crystal = Crystal(np.diag([15.0, 12.0, 12.0]), np.stack([x / 15, 0 * x, 0 * x], axis=1), [30, 7, 6, 6, 7, 30])
    (linker,) = take_apart(crystal).linkers
    assert linker.donors == ((7,), (7,))
    assert linker.numbers[linker.core].tolist() == [6, 6]
    alone = lone_linker(linker.numbers, linker.position, linker.bonds, linker.bound)
    assert (alone.kind, alone.donors) == (linker.kind, linker.donors)
    cyanide = Crystal(crystal.lattice, crystal.frac_coords[[0, 1, 2, 4]], [30, 7, 6, 30])
    assert not take_apart(cyanide).linkers
