"""What one crystal tells about parts and how they are held together."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xtal.crystals import Crystal
from xtal.crystals.bonds import sites_within
from xtal.crystals.linkers import METALS
from xtal.crystals.parts import Part, Parts, cut, graph_of

CONTACT_REACH = 4.5  # Å: contacts beyond tell nothing of how near two atoms may come
MOST_DISTANCES = 2_000_000  # a crystal with more atoms around it tells nothing of contacts, to save time


@dataclass(frozen=True, eq=False)
class Sight:
    """One kind of part in a crystal: how many there are, the first of them, and its mean number of bonds to others."""

    graph: str
    number: int
    part: Part
    ties: float


@dataclass(frozen=True, eq=False)
class Survey:
    """One crystal.

    Attributes:
        sights: its kinds of parts.
        bonds: (B, 3) metal, donor (atomic numbers) and length in Å of each bond between two parts.
        coordination: (M, 2) each metal and how many atoms it is bound to, those of its own part too.
        contacts: (C, 3) of each atom and element: the two atomic numbers, ascending, and the distance in Å of the
            nearest atom of this element in another part that it is not bonded to, within `CONTACT_REACH`.
    """

    sights: tuple[Sight, ...]
    bonds: NDArray[np.float32]
    coordination: NDArray[np.int64]
    contacts: NDArray[np.float32]


def survey(crystal: Crystal) -> Survey | None:
    """Take a crystal apart and note what is in it; None where a part has no end."""
    parts = cut(crystal)
    if any(piece.endless for piece in parts.pieces):
        return None
    bonds, numbers = parts.bonds, crystal.numbers
    metal = METALS[numbers]
    between = metal[bonds.first] & _apart(parts, bonds.first, bonds.second, bonds.shift)
    ties = np.bincount(parts.owner[bonds.first[between]], minlength=len(parts.pieces))
    ties += np.bincount(parts.owner[bonds.second[between]], minlength=len(parts.pieces))
    lengths = np.column_stack([numbers[bonds.first[between]], numbers[bonds.second[between]], bonds.length[between]])
    bound = np.bincount(bonds.first, minlength=len(crystal))[metal]
    found = defaultdict(list)
    for index, piece in enumerate(parts.pieces):
        found[graph_of(piece.part.key)].append(index)
    sights = tuple(
        Sight(graph, len(rows), parts.pieces[rows[0]].part, float(ties[rows].mean())) for graph, rows in found.items()
    )
    return Survey(
        sights, lengths.astype(np.float32), np.column_stack([numbers[metal], bound]).astype(np.int64), _contacts(parts)
    )


def _apart(parts: Parts, first: NDArray, second: NDArray, shift: NDArray) -> NDArray[np.bool_]:
    """Return which pairs of sites (an atom of the cell, and one of another cell) are of different parts."""
    cell = np.empty((len(parts.crystal), 3), dtype=np.int64)
    for piece in parts.pieces:
        cell[piece.atoms] = piece.cell
    same_copy = (cell[first] + shift == cell[second]).all(axis=-1)
    return (parts.owner[first] != parts.owner[second]) | ~same_copy


def _contacts(parts: Parts) -> NDArray[np.float32]:
    """Return the nearest contacts, see `Survey`."""
    crystal = parts.crystal
    atom, shift = sites_within(crystal, CONTACT_REACH)
    if len(crystal) * len(atom) > MOST_DISTANCES:
        return np.empty((0, 3), np.float32)
    here, there = crystal.frac_coords @ crystal.lattice, (crystal.frac_coords[atom] + shift) @ crystal.lattice
    squared = (here**2).sum(1)[:, None] + (there**2).sum(1) - 2 * here @ there.T
    first, site = np.nonzero(squared < CONTACT_REACH**2)
    second, steps = atom[site], shift[site]
    length = np.sqrt(np.maximum(squared[first, site], 0))
    bonds = parts.bonds
    free = ~np.isin(_codes(first, second, steps), _codes(bonds.first, bonds.second, bonds.shift))
    free &= _apart(parts, first, second, steps) & (length > 0.1)
    elements, kind = np.unique(crystal.numbers, return_inverse=True)
    nearest = np.full((len(crystal), len(elements)), np.inf)
    np.minimum.at(nearest, (first[free], kind[second[free]]), length[free])
    row, column = np.nonzero(np.isfinite(nearest))
    pair = np.sort(np.column_stack([crystal.numbers[row], elements[column]]), axis=1)
    return np.column_stack([pair, nearest[row, column]]).astype(np.float32)


def _codes(first: NDArray, second: NDArray, shift: NDArray) -> NDArray[np.int64]:
    """Return one number for each pair of sites."""
    cells = ((shift[:, 0] + 32) * 64 + shift[:, 1] + 32) * 64 + shift[:, 2] + 32
    return (first.astype(np.int64) * 4096 + second) * 64**3 + cells
