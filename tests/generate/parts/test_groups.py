import numpy as np
import pytest
from library_helpers import small_library
from part_helpers import part_of

from generate.parts.compositions import compositions
from generate.parts.groups import GROUPS, Decoration, decorations, sites
from generate.parts.library import Kind
from xtal.crystals.parts import graph_of, part_key, smiles

BDC = "[O-]C(=O)c1ccc(cc1)C(=O)[O-]"


def kind_of(written: str) -> Kind:
    part = part_of(written)
    return Kind(graph_of(part.key), (part,), 5, -2, written, "linker", 4.0, 1)


def test_places_are_hydrogens_at_flat_carbon():
    part = part_of("Cc1ccc(cc1)C(=O)[O-]")
    assert len(sites(part)) == 4
    assert sites(part_of("CCO")) == []


@pytest.mark.parametrize(("number", "isomers"), [(1, 1), (2, 3), (3, 1), (4, 1)])
def test_isomers_are_counted_once(number, isomers):
    assert len(Decoration(kind_of(BDC), "Br", number).kinds(10)) == isomers


@pytest.mark.parametrize("group", GROUPS)
def test_groups_are_sound_molecules(group):
    from rdkit import Chem

    (kind,) = Decoration(kind_of(BDC), group, 1).kinds(5)
    part = kind.conformers[0]
    wanted = Chem.CanonSmiles(f"[O-]C(=O)c1ccc(c({group})c1)C(=O)[O-]")
    assert smiles(part) == kind.smiles == wanted
    assert kind.key == graph_of(part_key(part.numbers, part.bonds, part.donors))
    lengths = np.linalg.norm(part.position[part.bonds[:, 0]] - part.position[part.bonds[:, 1]], axis=1)
    assert 0.9 < lengths.min() < lengths.max() < 2.2
    apart = np.linalg.norm(part.position[:, None] - part.position, axis=-1) + 9 * np.eye(len(part))
    apart[tuple(part.bonds.T)] = apart[tuple(part.bonds.T[::-1])] = 9
    assert apart.min() > 1.5


def test_atoms_are_those_of_the_kinds_and_fit():
    wanted = np.zeros(99, dtype=np.int64)
    wanted[[1, 6, 8, 35]] = 4, 8, 4, 2
    found = list(decorations(kind_of(BDC), wanted))
    assert {(d.group, d.number) for d in found} == {("Br", 1), ("Br", 2)}
    for decoration in found:
        for kind in decoration.kinds(9):
            assert np.array_equal(np.bincount(kind.numbers, minlength=99), decoration.atoms)


def test_a_linker_that_no_library_holds_is_proposed():
    """Iodine in place of two hydrogens of terephthalate, in a framework of zinc and terephthalate."""
    library = small_library()
    linker = next(kind for kind in library.kinds if kind.smiles == "O=C([O-])c1ccc(C(=O)[O-])cc1")
    numbers = np.concatenate([linker.numbers, linker.numbers, [30, 30]])
    hydrogens = np.flatnonzero(numbers == 1)
    numbers[hydrogens[[0, 1]]] = 53
    written = {kind.smiles for c in compositions(library, numbers) for kind, _ in c.parts}
    assert "O=C([O-])c1cc(I)c(C(=O)[O-])cc1I" in written
