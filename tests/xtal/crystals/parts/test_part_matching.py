from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from part_helpers import part_of, shuffled

from xtal.crystals.parts import best_match, superpose

LINKERS = ["[O-]C(=O)c1ccc(cc1)C(=O)[O-]", "CC(C)(C)c1cc(C(=O)[O-])cc(C(=O)[O-])c1", "c1cc(ccn1)-c1ccncc1", "[O-]C=O"]


@settings(deadline=None, max_examples=20)
@given(st.sampled_from(LINKERS), st.integers(0, 999))
def test_a_part_lies_on_itself_however_its_atoms_are_ordered(smiles, seed):
    part = part_of(smiles)
    match = best_match(part, shuffled(part, seed))
    assert match is not None
    assert match.rmsd < 1e-3


def test_the_order_keeps_bonds_and_brings_atoms_near():
    part = part_of("OC(=O)C(F)C(Cl)C#N")
    other = shuffled(part, 3)
    match = best_match(part, other)
    bonds = {frozenset(pair) for pair in other.bonds.tolist()}
    assert np.array_equal(other.numbers[match.order], part.numbers)
    assert {frozenset(match.order[pair].tolist()) for pair in part.bonds} == bonds
    turn, rmsd = superpose(part.position, other.position[match.order][None], np.ones(len(part)))
    assert rmsd[0] < 1e-6
    assert other.position[match.order] @ turn[0].T == pytest.approx(part.position, abs=1e-6)


def test_a_mirror_image_is_one_only_where_that_is_asked_for():
    part = part_of("C[C@H](N)C(=O)[O-]")
    image = shuffled(replace(part, position=-part.position), 1)
    assert best_match(part, image).mirrored
    assert best_match(part, image).rmsd < 1e-3
    assert best_match(part, image, mirror=False).rmsd > 0.2


def test_parts_of_other_graphs_do_not_match():
    assert best_match(part_of("CCCO"), part_of("CC(C)O")) is None
    assert best_match(part_of("CCO"), part_of("CCCO")) is None


def test_hydrogens_count_little():
    part = part_of("c1ccncc1")
    moved = part.position + 0.3 * (part.numbers == 1)[:, None] * np.random.default_rng(0).normal(size=(len(part), 3))
    assert best_match(part, replace(part, position=moved)).rmsd < 0.15
