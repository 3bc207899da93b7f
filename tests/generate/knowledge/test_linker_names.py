"""The table of names."""

import re
from collections import Counter

import pytest
from rdkit import Chem
from rdkit.Chem.rdMolDescriptors import CalcMolFormula

from generate.knowledge.groups import groups_of
from generate.knowledge.molecule import read_molecule
from generate.knowledge.names import find_named, table
from generate.knowledge.protonation import deprotonated, find_acids
from xtal.errors import UserError

LINKERS = [named for named in table() if named.role == "linker"]


def test_there_are_enough():
    assert Counter(named.role for named in table())["linker"] > 150
    assert {named.role for named in table()} == {"linker", "guest", "ion"}


@pytest.mark.parametrize("named", table(), ids=lambda named: f"{named.role} {named.names[0]}")
def test_every_entry_is_what_it_says(named):
    mol = Chem.MolFromSmiles(named.smiles)
    assert re.sub(r"[+-]\d*$", "", CalcMolFormula(mol)) == named.formula
    assert named.role != "linker" or find_acids(mol).count == named.acids
    for name in named.names:
        assert find_named(name, [named.role]) is named


def test_no_two_entries_are_the_same_molecule():
    assert max(Counter(Chem.CanonSmiles(named.smiles) for named in table()).values()) == 1


@pytest.mark.parametrize("named", LINKERS, ids=lambda named: named.names[0])
def test_groups_of_the_graph_carry_the_charge_of_the_ion(named):
    """Two ways to the same: rdkit takes hydrogens off, `groups_of` looks at atoms and bonds without charges."""
    ion = deprotonated(Chem.MolFromSmiles(named.smiles))[0]
    whole = Chem.AddHs(ion)
    bonds = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in whole.GetBonds()]
    assert groups_of([atom.GetAtomicNum() for atom in whole.GetAtoms()], bonds).charge == Chem.GetFormalCharge(ion)


@pytest.mark.parametrize(
    "text",
    ["BDC", "bdc", "H2BDC", "1,4-BDC", "terephthalate", "Terephthalic Acid", "BDC2-", "OC(=O)c1ccc(cc1)C(=O)O",
     "[O-]C(=O)c1ccc(cc1)C([O-])=O"],
)  # fmt: skip
def test_spellings_of_one_linker(text):
    assert Chem.MolToSmiles(read_molecule(text, ["linker"])) == "O=C(O)c1ccc(C(=O)O)cc1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("terphthalic acid", "nearest names are terephthalic acid"),
        ("qqqq", "no known name of a linker and no SMILES; write a SMILES"),
        ("", "no name was given"),
        ("OC(=O)c1ccc(cc1)C(=O)O.CN(C)C=O", "holds 2 separate molecules"),
        ("[Zn+2]", "holds Zn; name metals apart"),
        ("C" * 70, r"has 212 atoms; at most 200"),
        ("*C", "atom of no element"),
        ("/etc/passwd", "no known name of a linker"),
    ],
)
def test_what_is_no_linker_is_refused(text, words):
    with pytest.raises(UserError, match=words):
        read_molecule(text, ["linker"])
