import numpy as np
import pytest

from generate.knowledge import linker_kinds
from generate.knowledge.series import CORES, ENDED, SHIPPED, _ended, straight_linkers
from generate.known.shelf import lone_linkers
from generate.parts import Library

ALL = np.array([1, 6, 7, 8, 16])
BY_SMILES = {kind.smiles: kind for kind in straight_linkers()}


@pytest.mark.parametrize(
    "name",
    [
        *("O=C([O-])c1ccc(C(=O)[O-])cc1", "O=C([O-])c1ccc2cc(C(=O)[O-])ccc2c1", "c1cc(-c2ccncc2)ccn1"),
        *("O=C([O-])C#CC(=O)[O-]", "N#Cc1ccc(C#N)cc1", "C1CN2CCN1CC2", "c1cnccn1", "N#CC#N"),
    ],
)
def test_well_known_linkers_are_among_them_and_of_the_same_kind(name):
    assert BY_SMILES[name].conformers[0].key in {kind.key for kind in linker_kinds(name)}


def test_all_bind_by_two_ends_that_look_away_from_each_other():
    linkers = lone_linkers(straight_linkers(), ALL)
    assert len(linkers) == len(straight_linkers()) > 400
    for linker in linkers:
        assert linker.donors in (((8, 8), (8, 8)), ((7,), (7,)))
        ends = np.array([linker.position[linker.bound & (linker.end == k)].mean(axis=0) for k in range(2)])
        out = linker.node - ends
        out /= np.linalg.norm(out, axis=1, keepdims=True)
        assert out[0] @ out[1] < -0.8


def test_none_occurs_twice():
    keys = [kind.key for kind in straight_linkers()]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("core", ["c1ccccc1", "C#C", "C1CC2CCC1CC2"])
def test_the_file_holds_what_the_rule_gives(core):
    made = [linker_kinds(text)[0] for end in ENDED for text in _ended(core, end)]
    assert made
    for kind in made:
        found = BY_SMILES[kind.smiles].conformers[0]
        np.testing.assert_allclose(found.position, kind.conformers[0].position, atol=0.002)


def test_every_core_takes_ends():
    assert all(any(True for _ in _ended(core, ENDED[1])) for core in CORES)


def test_the_file_says_what_it_is():
    library = Library.load(SHIPPED)
    assert "by rule" in library.about
    assert len(library) == 0
    assert {kind.count for kind in library.kinds} == {0}
