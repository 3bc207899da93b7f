"""The atoms and sticks that draw one unit cell, bonds across its faces included."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xtal.crystals import Crystal, find_bonds
from xtal.crystals.bonds import sites_within

FACE_SLACK = 0.1  # Å: an atom this close to a cell face is repeated on the opposite face


@dataclass(frozen=True, eq=False)
class CellDrawing:
    """What to draw for one unit cell.

    Attributes:
        atom: (D,) atom index of each drawn site.
        position: (D, 3) Å.
        inside: (D,) True in the cell or on its faces, False for the far end of a bond that leaves the cell.
        bonds: (S, 2) indexes into the drawn sites; every bond with an end inside appears once.
    """

    atom: NDArray[np.int64]
    position: NDArray[np.float64]
    inside: NDArray[np.bool_]
    bonds: NDArray[np.int64]


def draw_cell(crystal: Crystal) -> CellDrawing:
    """Collect the sites in the cell and on its faces, all their bonds, and the far ends of bonds that leave it."""
    bonds = find_bonds(crystal)
    atom, shift = sites_within(crystal, FACE_SLACK)
    starts = np.searchsorted(bonds.first, np.arange(len(crystal) + 1))
    counts = np.diff(starts)[atom]
    source = np.repeat(np.arange(len(atom)), counts)
    bond = np.repeat(starts[atom] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    end_atom, end_shift = bonds.second[bond], shift[source] + bonds.shift[bond]

    reach = int(max(np.abs(shift).max(), np.abs(end_shift).max(initial=0)))
    inside_code, end_code = _codes(atom, shift, reach), _codes(end_atom, end_shift, reach)
    outside_code, seen_at = np.unique(end_code, return_index=True)
    outside = ~np.isin(outside_code, inside_code)
    outside_code, seen_at = outside_code[outside], seen_at[outside]

    code = np.concatenate([inside_code, outside_code])
    order = np.argsort(code)
    end = order[np.searchsorted(code[order], end_code)]
    pairs = np.unique(np.sort(np.column_stack([source, end]), axis=1), axis=0)
    all_atoms = np.concatenate([atom, end_atom[seen_at]])
    all_shifts = np.concatenate([shift, end_shift[seen_at]])
    position = (crystal.frac_coords[all_atoms] + all_shifts) @ crystal.lattice
    return CellDrawing(all_atoms, position, np.arange(len(code)) < len(atom), pairs)


def _codes(atom: NDArray[np.int64], shift: NDArray[np.int64], reach: int) -> NDArray[np.int64]:
    """Number each site by one integer: digits of the shift in base ``2 reach + 1`` above the atom index."""
    base = 2 * reach + 1
    x, y, z = (shift + reach).T
    return ((atom * base + x) * base + y) * base + z
