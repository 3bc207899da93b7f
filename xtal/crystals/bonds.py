"""The bonds of a crystal, found across cell faces.

A site of the endless crystal is an atom index and a whole-number cell shift: ``cart = (frac[atom] + shift) @ lattice``.
"""

from dataclasses import dataclass

import gemmi
import numpy as np
from numpy.typing import NDArray

from xtal.crystals.crystal import Crystal

BOND_SLACK = 0.3  # Å over the sum of the covalent radii; 0.4 would tie lanthanides to carboxylate carbons
SHORTEST_BOND = 0.6  # of the sum of the covalent radii: closer pairs are alternatives of one disordered atom
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


def find_bonds(crystal: Crystal) -> Bonds:
    """Join atoms with ``0.6 (r₁ + r₂) < d < r₁ + r₂ + 0.3 Å``, r the covalent radii of gemmi (Cordero et al., 2008).

    Two metals, two hydrogens, and a metal and a hydrogen are never joined.
    """
    radius, aloof = _element_properties(crystal)
    farthest = radius.max() + radius[~aloof].max(initial=0) + BOND_SLACK
    sites, shifts = sites_within(crystal, farthest)
    origin = crystal.frac_coords @ crystal.lattice
    target = (crystal.frac_coords[sites] + shifts) @ crystal.lattice
    rows = max(1, BLOCK // len(sites))
    found: list[tuple[NDArray, NDArray, NDArray]] = []
    for start in range(0, len(crystal), rows):
        part = slice(start, start + rows)
        squared = _squared_distances(origin[part], target)
        near = np.flatnonzero(squared < farthest**2)  # few: only these are looked at closely
        first, column = np.divmod(near, len(sites))
        first, distance = first + start, squared.ravel()[near]
        reach = radius[first] + radius[sites[column]]
        bound = (distance < (reach + BOND_SLACK) ** 2) & (distance > (SHORTEST_BOND * reach) ** 2)
        bound &= ~(aloof[first] & aloof[sites[column]])
        found.append((first[bound], column[bound], np.sqrt(distance[bound])))
    first, column, length = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return Bonds(first, sites[column], shifts[column], length)


def sites_within(crystal: Crystal, distance: float) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return atom (M,) and shift (M, 3) of the sites in the cell and at most `distance` Å beyond its faces."""
    # 1/|a*| is the distance between opposite faces, so distance |a*| is the margin in fractional coordinates
    margin = distance * np.linalg.norm(np.linalg.inv(crystal.lattice), axis=0)
    reach = np.ceil(margin).astype(int)
    grid = np.stack(np.meshgrid(*(np.arange(-n, n + 1) for n in reach), indexing="ij"), axis=-1).reshape(-1, 3)
    frac = crystal.frac_coords + grid[:, None]
    kept = ((frac >= -margin) & (frac <= 1 + margin)).all(axis=-1)
    row, atom = np.nonzero(kept)
    return atom, grid[row]


def _element_properties(crystal: Crystal) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return (N,) covalent radius in Å, and whether the atom is a metal or hydrogen and so never joined to its like."""
    numbers, inverse = np.unique(crystal.numbers, return_inverse=True)
    elements = [gemmi.Element(int(z)) for z in numbers]
    radius = np.array([e.covalent_r for e in elements])
    aloof = np.array([e.is_metal or e.is_hydrogen for e in elements])
    return radius[inverse], aloof[inverse]


def _squared_distances(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (A, B) squared distances: ``|a|² + |b|² - 2 a·b``."""
    squared = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * (a @ b.T)
    return np.maximum(squared, 0, out=squared)
