"""What a structure's refinement must mind: room for guests, and molecules whose atoms powder data cannot move."""

from itertools import product

import numpy as np
from numpy.typing import NDArray

from xtal.crystals import Crystal, find_bonds

STEP = 0.8  # Å between the points that are looked at
MOST_STEPS = 40  # along each axis
CLEARANCE = 3.0  # Å from the nearest atom's centre: its radius (1.7) and that of a small probe (1.3)
ROOM = 0.03  # share of the cell
CARBON = 6
PARTNERS = (1, 6, 7)  # hydrogen, carbon, nitrogen: bonds that make a molecule


def is_porous(crystal: Crystal) -> bool:
    """Tell whether a share of the cell lies so far from all atoms that a molecule of a solvent fits in."""
    return void_points(crystal)[1] > ROOM


def void_points(crystal: Crystal) -> tuple[NDArray[np.float64], float]:
    """Return places (N, 3), fractions of the cell, that lie `CLEARANCE` from all atoms, and their share of the cell."""
    from scipy.spatial import cKDTree

    lengths = np.linalg.norm(crystal.lattice, axis=1)
    counts = np.clip(np.ceil(lengths / STEP), 2, MOST_STEPS).astype(int)
    grid = np.stack(np.meshgrid(*(np.arange(n) / n for n in counts), indexing="ij"), axis=-1).reshape(-1, 3)
    reach = CLEARANCE * np.linalg.norm(np.linalg.inv(crystal.lattice), axis=0)
    around = np.array(list(product((-1, 0, 1), repeat=3)))
    images = (crystal.frac_coords + around[:, None]).reshape(-1, 3)
    near = images[((images > -reach) & (images < 1 + reach)).all(axis=1)]
    distance, _ = cKDTree(near @ crystal.lattice).query(grid @ crystal.lattice)
    free = distance > CLEARANCE
    return grid[free], float(free.mean())


def is_organic(crystal: Crystal) -> bool:
    """Tell whether the crystal has molecules or linkers: carbon bonded to carbon, nitrogen or hydrogen."""
    if not (crystal.numbers == CARBON).any():
        return False
    bonds = find_bonds(crystal)
    pairs = crystal.numbers[np.column_stack([bonds.first, bonds.second])]
    carbon = pairs == CARBON
    partner = np.isin(pairs, PARTNERS)
    return bool(((carbon[:, 0] & partner[:, 1]) | (carbon[:, 1] & partner[:, 0])).any())
