"""Shapes of a molecule: embedded by distance geometry, relaxed by a force field, alike ones dropped."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from generate.knowledge.protonation import compiled

if TYPE_CHECKING:
    from rdkit.Chem import Mol

MOST = 5
TRIALS = 16  # embeddings from which the shapes are chosen
SEED = 7
SAME = 0.4  # Å between sorted distances of atoms at most: one shape, or its mirror image
TURNS = (0.0, 90.0, 35.0)  # degrees that carboxylates are turned to their rings, which costs little
WORST = 15.0  # kcal/mol above the lowest
STEPS = 400  # of the force field
TORSION = "[O;X1]~[CX3](~[O;X1])-[c]:[c,n]"


def shapes(mol: "Mol") -> tuple["Mol", list[NDArray[np.float64]]]:
    """Return the molecule with its hydrogens, and up to `MOST` positions (n, 3) Å of its atoms, the lowest first.

    ETKDG (Riniker and Landrum, 2015) with MMFF94 without charges, which would fold up an ion that no solvent screens.
    The same molecule gives the same shapes.
    """
    from rdkit import Chem, rdBase

    whole = Chem.AddHs(mol)
    with rdBase.BlockLogs():
        found = sorted(_embedded(whole), key=lambda pair: pair[0])
        lowest = found[0][0]
        relaxed = [place for energy, place in found if energy < lowest + WORST]
        turned = [place for first in relaxed[:1] for place in _turned(whole, first)]
    ranks = np.array(Chem.CanonicalRankAtoms(whole, breakTies=False))
    kept: list[NDArray[np.float64]] = []
    prints: list[NDArray[np.float64]] = []
    for place in [*relaxed[:1], *turned, *relaxed[1:]]:
        mark = _distances(place, ranks)
        if all(np.abs(mark - other).max(initial=0) > SAME for other in prints) or not kept:
            kept.append(place)
            prints.append(mark)
    return whole, kept[:MOST]


def _embedded(whole: "Mol") -> Iterator[tuple[float, NDArray[np.float64]]]:
    """Yield energies in kcal/mol and positions of relaxed embeddings."""
    from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

    settings: Any = rdDistGeom.ETKDGv3()  # its stub knows no fields
    settings.randomSeed = SEED
    trials = TRIALS if whole.GetNumAtoms() < 60 else TRIALS // 4
    rdDistGeom.EmbedMultipleConfs(whole, trials, settings)
    if not whole.GetNumConformers():  # cages and macrocycles start better from random coordinates
        settings.useRandomCoords = True
        rdDistGeom.EmbedMultipleConfs(whole, trials, settings)
    if not whole.GetNumConformers():
        yield 0.0, _flat(whole)
        return
    properties = rdForceFieldHelpers.MMFFGetMoleculeProperties(whole)
    if properties is not None:
        properties.SetMMFFEleTerm(False)
    for conformer in whole.GetConformers():
        index, energy = conformer.GetId(), 0.0
        if properties is not None:
            field = rdForceFieldHelpers.MMFFGetMoleculeForceField(whole, properties, confId=index)
        else:
            field = rdForceFieldHelpers.UFFGetMoleculeForceField(whole, confId=index)
        if field is not None:
            field.Minimize(maxIts=STEPS)
            energy = field.CalcEnergy()
        yield energy, np.array(conformer.GetPositions())


def _flat(whole: "Mol") -> NDArray[np.float64]:
    """Positions of a drawing, where nothing else can be had."""
    from rdkit.Chem import rdDepictor

    rdDepictor.Compute2DCoords(whole)
    return np.array(whole.GetConformer().GetPositions())


def _turned(whole: "Mol", place: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Yield positions with all carboxylates on rings turned to the same angle."""
    from rdkit import Chem
    from rdkit.Chem import rdMolTransforms

    bonds = {match[1]: match for match in whole.GetSubstructMatches(compiled(TORSION))}
    if not bonds:
        return
    for angle in TURNS:
        mol = Chem.Mol(whole, True)
        conformer = Chem.Conformer(mol.GetNumAtoms())
        for atom, xyz in enumerate(place.tolist()):
            conformer.SetAtomPosition(atom, xyz)
        mol.AddConformer(conformer, assignId=True)
        for oxygen, carbon, _, ring, beyond in bonds.values():
            rdMolTransforms.SetDihedralDeg(mol.GetConformer(), oxygen, carbon, ring, beyond, angle)
        yield np.array(mol.GetConformer().GetPositions())


def _distances(place: NDArray[np.float64], ranks: NDArray[np.int64]) -> NDArray[np.float64]:
    """(P,) distances of atoms in Å, those of like pairs sorted: the same in every order of like atoms."""
    first, second = np.triu_indices(len(place), 1)
    length = np.linalg.norm(place[first] - place[second], axis=1)
    low, high = np.minimum(ranks[first], ranks[second]), np.maximum(ranks[first], ranks[second])
    return length[np.lexsort((length, high, low))]
