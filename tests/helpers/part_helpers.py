"""Parts built by rdkit from their SMILES, and disturbed ones."""

from dataclasses import replace

import numpy as np

from xtal.crystals.parts import Part, part_key


def part_of(smiles: str, donors: tuple[int, ...] = (8,), seed: int = 7) -> Part:
    """A molecule with hydrogens in one conformer; atoms with the numbers `donors` bind metals."""
    from rdkit import Chem
    from rdkit.Chem import AllChem

    molecule = Chem.AddHs(Chem.MolFromSmiles(smiles))
    AllChem.EmbedMolecule(molecule, randomSeed=seed)
    numbers = np.array([atom.GetAtomicNum() for atom in molecule.GetAtoms()])
    bonds = np.array([(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in molecule.GetBonds()]).reshape(-1, 2)
    binds = np.isin(numbers, donors)
    position = molecule.GetConformer().GetPositions()
    return Part(numbers, position, bonds, binds, part_key(numbers, bonds, binds))


def shaped(numbers, position, bonds=()) -> Part:
    """A part without donors."""
    bonds = np.reshape(np.asarray(bonds, dtype=int), (-1, 2))
    none = np.zeros(len(numbers), dtype=bool)
    return Part(np.asarray(numbers), np.asarray(position, dtype=float), bonds, none, part_key(numbers, bonds, none))


def shuffled(part: Part, seed: int) -> Part:
    """The same part turned, with its atoms in another order."""
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn *= np.linalg.det(turn)
    order = rng.permutation(len(part))
    place = np.argsort(order)
    return replace(
        part,
        numbers=part.numbers[order],
        position=(part.position @ turn.T)[order],
        bonds=place[part.bonds],
        donors=part.donors[order],
    )
