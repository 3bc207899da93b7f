from dataclasses import replace

import numpy as np
import pytest
from part_helpers import part_of, shaped

from xtal.crystals.parts import bonding, charge, smiles

MOLECULES = {
    "O=C([O-])c1ccc(C(=O)[O-])cc1": -2,
    "O=C([O-])c1ccc([N+](=O)[O-])cc1": -1,
    "c1cc(-c2ccncc2)ccn1": 0,
    "c1c[n-]cn1": -1,
    "CC#N": 0,
    "C[n+]1ccccc1": 1,
    "O=S(=O)([O-])c1ccccc1": -1,
    "CN(C)C=O": 0,
    "O=[N+]([O-])[O-]": -1,
    "O=S(=O)([O-])[O-]": -2,
    "C[NH3+]": 1,
    "F[B-](F)(F)F": -1,
    "O=P([O-])([O-])c1ccccc1": -2,
    "O": 0,
}


@pytest.mark.parametrize("written", MOLECULES)
def test_smiles_and_charge_come_back_from_the_bare_bonds(written):
    from rdkit import Chem

    part = part_of(written)
    assert smiles(part) == Chem.CanonSmiles(written)
    assert charge(part) == MOLECULES[written]


def test_a_lost_hydrogen_is_no_charge():
    part = part_of("c1ccncc1")
    kept = np.flatnonzero(part.numbers != 1)
    bare = replace(
        part,
        numbers=part.numbers[kept],
        position=part.position[kept],
        bonds=part.bonds[np.isin(part.bonds, kept).all(axis=1)],
        donors=part.donors[kept],
    )
    assert charge(bare) == 0


def test_metals_have_no_bond_orders():
    node = shaped([30, 8], [[0, 0, 0], [1.9, 0, 0]], [(0, 1)])
    assert charge(node) is None
    assert smiles(node) == ""


def test_lone_ions():
    assert [charge(shaped([z], [[0, 0, 0]])) for z in (8, 9, 17, 16)] == [-2, -1, -1, -2]


def test_orders_follow_the_bonds_of_the_part():
    part = part_of("CC#N")
    orders = bonding(part).orders
    assert orders[(part.numbers[part.bonds] == 7).any(axis=1)].tolist() == [3]
