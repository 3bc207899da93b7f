"""Crystals to and from pymatgen."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymatgen.core import DummySpecies, Lattice, Molecule, Structure

from xtal.crystals import Crystal, from_structure, read_cif, to_structure
from xtal.errors import UserError

CIFS = Path(__file__).parents[2] / "data" / "cifs"


@given(st.lists(st.tuples(st.integers(1, 97), st.floats(0, 0.999), st.floats(0.01, 1)), min_size=1, max_size=9))
@settings(max_examples=50)
def test_round_trip(atoms):
    numbers, x, occupancies = map(list, zip(*atoms, strict=True))
    frac = np.stack([x, np.arange(len(x)) / len(x), np.zeros(len(x))], axis=1)
    crystal = Crystal([[5, 0, 0], [1, 6, 0], [0, 2, -7]], frac, numbers, occupancies, "name")
    back = from_structure(to_structure(crystal), "name")
    assert back.name == "name"
    assert (back.lattice == crystal.lattice).all()
    assert back.numbers.tolist() == numbers
    assert back.occupancies == pytest.approx(crystal.occupancies)
    assert np.abs((back.frac_coords - crystal.frac_coords + 0.5) % 1 - 0.5).max() < 1e-9


def test_shared_sites_become_disordered_sites_and_back():
    olivine = read_cif((CIFS / "olivine.cif").read_text())
    structure = to_structure(olivine)
    assert (len(olivine), len(structure), structure.is_ordered) == (36, 28, False)
    assert structure[0].species.get_el_amt_dict() == pytest.approx({"Mg": 0.9, "Fe": 0.1})
    assert from_structure(structure).composition == pytest.approx(olivine.composition)
    assert len(from_structure(structure)) == 36


def test_ordered_structure_with_oxidation_states():
    structure = Structure(Lattice.cubic(4.2), ["Mg2+", "O2-"], [[0, 0, 0], [1.5, 0.5, -0.5]])
    crystal = from_structure(structure)
    assert crystal.formula == "MgO"
    assert crystal.frac_coords[1] == pytest.approx([0.5, 0.5, 0.5])
    assert to_structure(crystal).is_ordered


def test_refusals():
    with pytest.raises(UserError, match="a periodic pymatgen Structure is needed, got Molecule"):
        from_structure(Molecule(["C"], [[0, 0, 0]]))
    with pytest.raises(UserError, match=r"species X0\+? is no element up to number 98"):
        from_structure(Structure(Lattice.cubic(4), [DummySpecies("X")], [[0, 0, 0]]))
    with pytest.raises(UserError, match="pile has no pymatgen Structure"):
        to_structure(Crystal(np.eye(3) * 5, np.zeros((2, 3)), [6, 7], [0.9, 0.8], "pile"))
