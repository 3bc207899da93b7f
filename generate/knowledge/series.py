"""Straight linkers by rule: cores, lengthened on both sides or not, with two equal ends.

Databases hold a linker only where somebody made a framework of it. The series that chemists and hypothetical databases
draw from (Wilmer et al., 2012) are told by few words: a core, two of whose bonds point away from each other; nothing,
an alkyne or a ring on each side of it; and carboxylates, nitriles or pyridines as ends.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from generate.knowledge.conformers import shapes
from generate.knowledge.linkers import linker_kinds
from generate.knowledge.protonation import compiled
from generate.parts.build import Progress
from generate.parts.library import Kind, Library
from xtal.crystals.linkers import lone_linker
from xtal.crystals.parts import part_key

if TYPE_CHECKING:
    from rdkit.Chem import Mol

CORES = (  # molecules that two ends come on
    *("C#C", "C#CC#C", "C#CC#CC#C", "C#CC=CC#C"),
    *("c1ccccc1", "c1ccc2ccccc2c1", "c1ccc2cc3ccccc3cc2c1", "c1ccc2c(c1)ccc1ccccc12", "c1cc2ccc3cccc4ccc(c1)c2c34"),
    *("c1ccc2c(c1)ccc1c2ccc2ccccc21", "c1ccc2cc3cc4ccccc4cc3cc2c1", "c1ccc2c(c1)CC2", "c1ccc2c(c1)-c1ccccc1-2"),
    *("c1ccc2c(c1)Cc1ccccc1-2", "c1ccc(-c2ccccc2)cc1", "c1ccc(-c2ccc(-c3ccccc3)cc2)cc1", "c1ccc(C#Cc2ccccc2)cc1"),
    *("c1ccc(C#CC#Cc2ccccc2)cc1", "c1ccc(C=Cc2ccccc2)cc1", "c1ccc(N=Nc2ccccc2)cc1", "c1ccc(-c2nnc(-c3ccccc3)nn2)cc1"),
    "O=C1c2cc3c(cc2C(=O)N1c1ccccc1)C(=O)N(c1ccccc1)C3=O",
    "O=C1c2ccc3c4c(ccc(c24)C(=O)N1c1ccccc1)C(=O)N(c1ccccc1)C3=O",
    "O=C1c2ccc3c4ccc5c6c(ccc(c7ccc(c2c37)C(=O)N1c1ccccc1)c46)C(=O)N(c1ccccc1)C5=O",
    *("c1cnccn1", "c1ccnnc1", "c1cncnc1", "c1nncnn1", "c1ccncc1", "c1cc2sccc2s1", "c1ccc2nccnc2c1", "c1ccc2nsnc2c1"),
    *("c1cnc(-c2ccccn2)cc1", "C1CC2CCC1CC2", "C12C3C4C1C5C2C3C45", "C1C2CC1C2"),
)
SIDES = ("{}", "C#C{}", "c2ccc({})cc2")  # between core and end
ENDS = ("C(=O)[O-]", "C#N", "c1ccncc1")
ENDED = ("", *("*" + side.format(end) for side in SIDES for end in ENDS))
OTHERS = (
    *("O=C([O-])/C=C/C(=O)[O-]", "O=C([O-])/C=C/C=C/C(=O)[O-]", "N#C/C=C/C#N", "N#C/C=C/C=C/C#N"),
    *("N#CC#N", "[H]/N=C\\C=N/[H]", "C1CN2CCN1CC2", "C(=C/c1ccncc1)\\c1ccncc1"),
)
BENZENE = "c1ccccc1"
JOINT = "[R]-!@[*]"  # the bonds by which rings hang on others
SHIPPED = Path(__file__).parent / "data" / "series.npz"
AWAY = -0.97  # cosine of the angle between the two bonds of a core at most
ASIDE = 0.77  # cosine of the angle between these bonds and the line through their atoms at least
MOST_ATOMS = 90
APART = -0.8  # cosine of the angle between its two ends at most
NITROGEN, OXYGEN = 7, 8


@cache
def straight_linkers() -> tuple[Kind, ...]:
    """Return the linkers of the series as they come with this."""
    return Library.load(SHIPPED).kinds


def series(progress: Progress = lambda *_: None) -> Library:
    """Make all linkers of the series, those with nothing between core and ends first; no crystal holds them."""
    texts = dict.fromkeys((*OTHERS, *(made for end in ENDED for core in CORES for made in _ended(core, end))))
    kinds: dict[str, Kind] = {}
    for text in texts:
        progress("find the shapes of linkers", 1, len(texts))
        kind = _by_its_ends(linker_kinds(text)[0])
        if kind is not None and len(kind.numbers) <= MOST_ATOMS:
            kinds.setdefault(kind.key, kind)
    none = np.empty(0, dtype=np.int64)
    about = "straight linkers by rule: cores, sides and ends"
    return Library(tuple(kinds.values()), np.zeros(1, dtype=np.int64), none, none, Library.load().chemistry, about)


def _by_its_ends(kind: Kind) -> Kind | None:
    """Return a linker as it binds by its ends alone, in its first shape; None where these do not point apart.

    The ends are carboxylates, or else the two nitrogens that are farthest from each other.
    """
    part = kind.conformers[0]
    donors = part.donors & (part.numbers == OXYGEN)
    if not donors.any():
        able = np.flatnonzero(part.numbers == NITROGEN)
        apart = np.linalg.norm(part.position[able][:, None] - part.position[able], axis=2)
        donors = np.isin(np.arange(len(part)), able[list(np.unravel_index(apart.argmax(), apart.shape))])
    linker = lone_linker(part.numbers, part.position, part.bonds, donors)
    if linker is None or len(linker.node) != 2:
        return None
    inner = np.array([linker.position[linker.bound & (linker.end == k)].mean(axis=0) for k in range(2)])
    out = linker.node - inner
    if out[0] @ out[1] > APART * np.linalg.norm(out[0]) * np.linalg.norm(out[1]):
        return None
    key = part_key(part.numbers, part.bonds, donors)
    alone = replace(part, donors=donors, key=key)
    graph = key.rpartition("/")[0]
    return replace(kind, key=graph, conformers=(alone,), shapes=1, ties=float(donors.sum()))


def _ended(core: str, end: str) -> Iterator[str]:
    """Yield the SMILES of a core with two equal ends, "" for nitrogen in the place of an aromatic CH."""
    from rdkit import Chem

    mol = Chem.MolFromSmiles(core)
    plain = mol.GetSubstructMatches(compiled(BENZENE))
    for pair in _opposite(core):
        made = Chem.RWMol(mol)
        if not end and not all(any(atom in ring for ring in plain) for atom in pair):
            continue
        for atom in pair:
            if end:
                _put(made, atom, Chem.MolFromSmiles(end))
            else:
                made.GetAtomWithIdx(atom).SetAtomicNum(7)
        Chem.SanitizeMol(made)
        yield str(Chem.MolToSmiles(made))


def _put(mol: "Mol", atom: int, end: "Mol") -> None:
    """Bond an atom to what the first atom of an end, which stands for it, is bonded to."""
    from rdkit import Chem

    start = mol.GetNumAtoms()
    mol.InsertMol(end)
    mol.AddBond(atom, mol.GetAtomWithIdx(start).GetNeighbors()[0].GetIdx(), Chem.BondType.SINGLE)
    mol.RemoveAtom(start)


@cache
def _opposite(core: str) -> list[tuple[int, int]]:
    """Pairs of carbons whose bonds to hydrogen point away from each other, nearly along the line through both.

    Of rings in a row, no ring gets both.
    """
    from rdkit import Chem

    mol = Chem.MolFromSmiles(core)
    whole, places = shapes(mol)
    between = [mol.GetBondBetweenAtoms(*pair).GetIdx() for pair in mol.GetSubstructMatches(compiled(JOINT))]
    pieces = Chem.GetMolFrags(Chem.FragmentOnBonds(mol, between, addDummies=False) if between else mol)
    bonds = [
        (atom.GetIdx(), hydrogen.GetIdx())
        for atom in mol.GetAtoms()
        if atom.GetAtomicNum() == 6
        for hydrogen in whole.GetAtomWithIdx(atom.GetIdx()).GetNeighbors()
        if hydrogen.GetAtomicNum() == 1
    ]
    carbon, hydrogen = np.array(bonds).T
    out = places[0][hydrogen] - places[0][carbon]
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    along = places[0][carbon][:, None] - places[0][carbon]
    along /= np.maximum(np.linalg.norm(along, axis=2, keepdims=True), 1e-9)
    fits = (out @ out.T < AWAY) & (np.einsum("ix,ijx->ij", out, along) > ASIDE)
    pairs = [(int(carbon[i]), int(carbon[j])) for i, j in zip(*np.nonzero(np.triu(fits)), strict=True)]
    return [(i, j) for i, j in pairs if not between or not any(i in piece and j in piece for piece in pieces)]
