"""The bonds of a crystal, found across cell faces, and the atoms and sticks that draw one unit cell.

A site of the endless crystal is an atom index and a whole-number cell shift: ``cart = (frac[atom] + shift) @ lattice``.
"""

from dataclasses import dataclass

import gemmi
import numpy as np
from numpy.typing import NDArray

from xtal.crystal import Crystal

BOND_SLACK = 0.3  # Å over the sum of the covalent radii; 0.4 would tie lanthanides to carboxylate carbons
SHORTEST_BOND = 0.6  # of the sum of the covalent radii: closer pairs are alternatives of one disordered atom
FACE_SLACK = 0.1  # Å: an atom this close to a cell face is repeated on the opposite face
BLOCK = 2_000_000  # distances held in memory at once


@dataclass(frozen=True, eq=False)
class Bonds:
    """Every bond of one cell, once from each of its ends.

    Attributes:
        first: (B,) atom index in the cell itself, ascending.
        second: (B,) atom index of the other end.
        shift: (B, 3) cell in which the other end lies.
        length: (B,) Å.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    shift: NDArray[np.int64]
    length: NDArray[np.float64]

    def __len__(self) -> int:
        """Return the number of bond ends: twice the number of bonds."""
        return len(self.first)


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


def find_bonds(crystal: Crystal) -> Bonds:
    """Join atoms with ``0.6 (r₁ + r₂) < d < r₁ + r₂ + 0.3 Å``, r the covalent radii of gemmi (Cordero et al., 2008).

    Two metals, two hydrogens, and a metal and a hydrogen are never joined.
    """
    radius, aloof = _element_properties(crystal)
    sites, shifts = _sites_within(crystal, radius.max() + radius[~aloof].max(initial=0) + BOND_SLACK)
    origin = crystal.frac_coords @ crystal.lattice
    target = (crystal.frac_coords[sites] + shifts) @ crystal.lattice
    rows = max(1, BLOCK // len(sites))
    found: list[tuple[NDArray, NDArray, NDArray]] = []
    for start in range(0, len(crystal), rows):
        part = slice(start, start + rows)
        squared = _squared_distances(origin[part], target)
        reach = radius[part, None] + radius[sites]
        close = (squared < (reach + BOND_SLACK) ** 2) & (squared > (SHORTEST_BOND * reach) ** 2)
        close &= ~(aloof[part, None] & aloof[sites])
        first, column = np.nonzero(close)
        found.append((first + start, column, np.sqrt(squared[first, column])))
    first, column, length = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Bonds(first, sites[column], shifts[column], length)


def draw_cell(crystal: Crystal) -> CellDrawing:
    """Collect the sites in the cell and on its faces, all their bonds, and the far ends of bonds that leave it."""
    bonds = find_bonds(crystal)
    atom, shift = _sites_within(crystal, FACE_SLACK)
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


def _element_properties(crystal: Crystal) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return (N,) covalent radius in Å, and whether the atom is a metal or hydrogen and so never joined to its like."""
    numbers, inverse = np.unique(crystal.numbers, return_inverse=True)
    elements = [gemmi.Element(int(z)) for z in numbers]
    radius = np.array([e.covalent_r for e in elements])
    aloof = np.array([e.is_metal or e.is_hydrogen for e in elements])
    return radius[inverse], aloof[inverse]


def _sites_within(crystal: Crystal, distance: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return atom (M,) and shift (M, 3) of the sites in the cell and at most `distance` Å beyond its faces."""
    # 1/|a*| is the distance between opposite faces, so distance |a*| is the margin in fractional coordinates
    margin = distance * np.linalg.norm(np.linalg.inv(crystal.lattice), axis=0)
    reach = np.ceil(margin).astype(int)
    grid = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), axis=-1).reshape(-1, 3)
    frac = crystal.frac_coords + grid[:, None]
    kept = ((frac >= -margin) & (frac <= 1 + margin)).all(axis=-1)
    row, atom = np.nonzero(kept)
    return atom, grid[row]


def _squared_distances(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (A, B) squared distances: ``|a|² + |b|² - 2 a·b``."""
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * (a @ b.T)
    return np.maximum(squared, 0, out=squared)


def _codes(atom: NDArray[np.int64], shift: NDArray[np.int64], reach: int) -> NDArray[np.int64]:
    """Number each site by one integer: digits of the shift in base ``2 reach + 1`` above the atom index."""
    base = 2 * reach + 1
    x, y, z = (shift + reach).T
    return ((atom * base + x) * base + y) * base + z
