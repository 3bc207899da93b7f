"""Taking a crystal apart into rigid parts.

All bonds between metals and molecules with carbon are cut, so that carboxylates stay with their linker. What holds no
carbon and binds two metals or more (oxide, hydroxide, sulfate) joins them into a node; what binds one metal only, such
as water, is a part by itself. A node that has no end, as in a rod, falls apart into its metals and anions.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xtal.crystals.bonds import Bonds, find_bonds
from xtal.crystals.crystal import Crystal
from xtal.crystals.linkers import CARBON, METALS, Body, bodies
from xtal.crystals.parts.identity import part_key
from xtal.crystals.parts.part import Part


@dataclass(frozen=True, eq=False)
class Piece:
    """Where a crystal has a part.

    Attributes:
        part: the atoms by themselves.
        atoms: (n,) rows of the crystal, in the order of the part's atoms.
        cell: (n, 3) whole cells; ``(frac_coords[atoms] + cell) @ lattice`` are the part's positions, but for a shift.
        endless: whether bonds lead on through the crystal for ever; then the part is one cell's worth of it.
    """

    part: Part
    atoms: NDArray[np.int64]
    cell: NDArray[np.int64]
    endless: bool


@dataclass(frozen=True, eq=False)
class Parts:
    """A crystal and its pieces: every atom is in one of them.

    Attributes:
        crystal: the whole.
        pieces: in the order of their first atoms.
        bonds: of the crystal, those between the pieces too.
        owner: (N,) the piece of each atom.
    """

    crystal: Crystal
    pieces: tuple[Piece, ...]
    bonds: Bonds
    owner: NDArray[np.int64]


def cut(crystal: Crystal) -> Parts:
    """Take a crystal apart, see above."""
    bonds = find_bonds(crystal)
    metal = METALS[crystal.numbers]
    light = ~metal[bonds.first] & ~metal[bonds.second]
    kept = light | _bridges(crystal, bonds, light)
    whole = bodies(len(crystal), bonds, kept)
    if any(body.endless for body in whole):
        rod = np.zeros(len(crystal), dtype=bool)
        for body in whole:
            rod[body.atoms] = body.endless
        kept &= light | ~rod[bonds.first]
        whole = bodies(len(crystal), bonds, kept)
    owner = np.empty(len(crystal), dtype=np.int64)
    for index, body in enumerate(whole):
        owner[body.atoms] = index
    donor = np.zeros(len(crystal), dtype=bool)
    donor[bonds.first[metal[bonds.second] & ~kept]] = True
    donor &= ~metal
    return Parts(crystal, _pieces(crystal, bonds, kept, whole, owner, donor), bonds, owner)


def _bridges(crystal: Crystal, bonds: Bonds, light: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return (B,) which bonds join a metal and something without carbon that binds other metals too."""
    joins = np.zeros(len(bonds), dtype=bool)
    metal = METALS[crystal.numbers]
    bridge = np.zeros(len(crystal), dtype=bool)
    outward = metal[bonds.second] & ~metal[bonds.first]
    near: dict[int, list[tuple[int, NDArray]]] = {}
    for atom, other, shift in zip(bonds.first[outward], bonds.second[outward], bonds.shift[outward], strict=True):
        near.setdefault(int(atom), []).append((int(other), shift))
    for body in bodies(len(crystal), bonds, light):
        if (crystal.numbers[body.atoms] != CARBON).all():
            sites = {
                (other, *(shift + cell).tolist())
                for atom, cell in zip(body.atoms.tolist(), body.cell, strict=True)
                for other, shift in near.get(atom, ())
            }
            bridge[body.atoms] = len(sites) > 1
    joins[:] = (bridge[bonds.first] & metal[bonds.second]) | (metal[bonds.first] & bridge[bonds.second])
    return joins


def _pieces(
    crystal: Crystal,
    bonds: Bonds,
    kept: NDArray[np.bool_],
    whole: list[Body],
    owner: NDArray[np.int64],
    donor: NDArray[np.bool_],
) -> tuple[Piece, ...]:
    """Describe the pieces; a bond of an endless one that leaves the cell is left out of its part."""
    row, cell = np.empty(len(crystal), dtype=np.int64), np.empty((len(crystal), 3), dtype=np.int64)
    for body in whole:
        row[body.atoms], cell[body.atoms] = np.arange(len(body.atoms)), body.cell
    inside = kept & (bonds.first < bonds.second) & (cell[bonds.first] + bonds.shift == cell[bonds.second]).all(axis=1)
    pairs = np.stack([row[bonds.first[inside]], row[bonds.second[inside]]], axis=1)
    order = np.argsort(owner[bonds.first[inside]], kind="stable")
    ends = np.searchsorted(owner[bonds.first[inside]][order], np.arange(len(whole) + 1))
    position = (crystal.frac_coords + cell) @ crystal.lattice
    pieces = []
    for index, body in enumerate(whole):
        own = pairs[order[ends[index] : ends[index + 1]]]
        numbers, donors = crystal.numbers[body.atoms], donor[body.atoms]
        part = Part(numbers, position[body.atoms], own, donors, part_key(numbers, own, donors))
        pieces.append(Piece(part, body.atoms, body.cell, body.endless))
    return tuple(pieces)
