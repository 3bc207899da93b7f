"""Linkers that no database holds: known ones with functional groups in place of hydrogen at carbon."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import combinations, islice

import numpy as np
from numpy.typing import NDArray

from generate.parts.chemistry import ELEMENTS
from generate.parts.library import Kind, Role
from xtal.crystals.linkers import CARBON
from xtal.crystals.parts import Part, graph_of, part_key
from xtal.crystals.parts.matching import neighbours
from xtal.crystals.parts.valence import smiles

GROUPS = ("N", "C", "O", "Br", "F", "Cl", "[N+](=O)[O-]", "OC", "C#N", "I", "C(F)(F)F", "CC", "OCC", "CCC", "OCCC")
MOST_GROUPS = 6  # on one linker
TURNS = 12  # positions of a group about its bond that are tried
TRIED = 400  # choices of places that are looked at
HYDROGEN = 1
MARK = 2  # helium stands for a group where places are told apart


@dataclass(frozen=True, eq=False)
class Decoration:
    """A linker with `number` hydrogens at carbon replaced by one functional group, its places left open."""

    backbone: Kind
    group: str
    number: int

    @property
    def role(self) -> Role:
        """That of the linker."""
        return self.backbone.role

    @property
    def charge(self) -> int | None:
        """That of the linker: no group is charged."""
        return self.backbone.charge

    @cached_property
    def atoms(self) -> NDArray[np.int64]:
        """(99,) atoms of each element."""
        numbers, _, _ = geometry(self.group)
        change = np.bincount(numbers, minlength=ELEMENTS)
        change[HYDROGEN] -= 1
        return np.bincount(self.backbone.numbers, minlength=ELEMENTS) + self.number * change

    def kinds(self, most: int) -> list[Kind]:
        """Return the linkers that differ in the places of the groups, at most so many, the most symmetric first."""
        found: dict[str, tuple[int, tuple[int, ...]]] = {}
        first = self.backbone.conformers[0]
        none = np.zeros(len(first), dtype=bool)
        for places in islice(combinations(sites(first), self.number), TRIED):
            marked = first.numbers.copy()
            marked[list(places)] = MARK
            key = part_key(marked, first.bonds, none)
            found[key] = (found[key][0] + 1 if key in found else 1, places)
        chosen = [places for _, places in sorted(found.values())[:most]]
        return [self._kind(places) for places in chosen]

    def _kind(self, places: tuple[int, ...]) -> Kind:
        """Put the groups in their places in every conformer."""
        backbone = self.backbone
        conformers = tuple(_decorated(part, self.group, places) for part in backbone.conformers)
        key = graph_of(conformers[0].key)
        return replace(backbone, key=key, conformers=conformers, count=0, smiles=smiles(conformers[0]))


def decorations(kind: Kind, wanted: NDArray[np.int64]) -> Iterator[Decoration]:
    """Yield what of a linker with groups of one sort fits into the atoms (99,) of a cell."""
    places = len(sites(kind.conformers[0]))
    for group in GROUPS:
        for number in range(1, min(places, MOST_GROUPS) + 1):
            decoration = Decoration(kind, group, number)
            if (decoration.atoms <= wanted).all():
                yield decoration


def sites(part: Part) -> list[int]:
    """Return hydrogens at carbon with three neighbours: of rings and double bonds."""
    near = neighbours(part)
    return [
        atom
        for atom, around in enumerate(near)
        if part.numbers[atom] == HYDROGEN and [(part.numbers[k], len(near[k])) for k in around] == [(CARBON, 3)]
    ]


def _decorated(part: Part, group: str, places: tuple[int, ...]) -> Part:
    """Replace hydrogens by a group, turned about its bond to where it is farthest from all other atoms."""
    more, frame, bonds = geometry(group)
    near = neighbours(part)
    kept = np.setdiff1d(np.arange(len(part)), places)
    row = np.full(len(part), -1)
    row[kept] = np.arange(len(kept))
    numbers, position = [part.numbers[kept]], [part.position[kept]]
    pairs = [row[part.bonds[~np.isin(part.bonds, places).any(axis=1)]]]
    for hydrogen in places:
        carbon, size = near[hydrogen][0], sum(map(len, numbers))
        axis = part.position[hydrogen] - part.position[carbon]
        turned = part.position[carbon] + frame @ _turns(axis / np.linalg.norm(axis))  # (T, n, 3)
        others = np.concatenate(position)
        others = others[np.linalg.norm(others - part.position[carbon], axis=1) > 0.1]
        room = np.linalg.norm(turned[:, :, None] - others, axis=-1).min(axis=(1, 2))
        numbers.append(more)
        position.append(turned[room.argmax()])
        pairs += [np.array([[row[carbon], size]]), bonds + size]
    all_numbers, all_bonds = np.concatenate(numbers), np.concatenate(pairs)
    donors = np.concatenate([part.donors[kept], np.zeros(len(all_numbers) - len(kept), dtype=bool)])
    key = part_key(all_numbers, all_bonds, donors)
    return Part(all_numbers, np.concatenate(position), all_bonds, donors, key)


def _turns(axis: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (T, 3, 3) matrices whose first row is the axis: frames turned about it."""
    side = np.cross(axis, np.eye(3)[abs(axis).argmin()])
    side /= np.linalg.norm(side)
    third, angle = np.cross(axis, side), np.radians(360 / TURNS * np.arange(TURNS))[:, None]
    one, two = np.cos(angle) * side + np.sin(angle) * third, np.cos(angle) * third - np.sin(angle) * side
    return np.stack([np.broadcast_to(axis, one.shape), one, two], axis=1)


@lru_cache(maxsize=64)
def geometry(group: str) -> tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.int64]]:
    """Return atomic numbers, positions in Å and bonds of a group on benzene, its first atom the one that is bonded.

    Positions are in a frame with the carbon of the ring in its origin and the bond along x.
    """
    from rdkit import Chem
    from rdkit.Chem.rdDistGeom import EmbedMolecule
    from rdkit.Chem.rdForceFieldHelpers import MMFFOptimizeMolecule

    molecule = Chem.AddHs(Chem.MolFromSmiles(f"c1ccccc1{group}"))
    EmbedMolecule(molecule, randomSeed=1)
    MMFFOptimizeMolecule(molecule)
    numbers = np.array([atom.GetAtomicNum() for atom in molecule.GetAtoms()], dtype=np.uint8)
    bonds = np.array([(b.GetBeginAtomIdx(), b.GetEndAtomIdx()) for b in molecule.GetBonds()])
    ring = set(range(6)) | {
        i for i, j in np.vstack([bonds, bonds[:, ::-1]]).tolist() if j < 6 and numbers[i] == HYDROGEN
    }
    mine = np.array([atom for atom in range(len(numbers)) if atom not in ring])
    place = molecule.GetConformer().GetPositions()
    axis = place[6] - place[5]
    frame = _turns(axis / np.linalg.norm(axis))[0]
    row = np.full(len(numbers), -1)
    row[mine] = np.arange(len(mine))
    return numbers[mine], (place[mine] - place[5]) @ frame.T, row[bonds[np.isin(bonds, mine).all(axis=1)]]
