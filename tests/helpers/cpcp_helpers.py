"""Small real crystals and a briefly trained CPCP model, shared by the tests of CPCP."""

from pathlib import Path

import numpy as np

from models.cpcp.config import CSPNetConfig, NetworkConfig
from models.cpcp.training.dataset import CrystalSet
from xtal.crystals import Crystal, CrystalTable
from xtal.physics import LineTable, crystal_lines

SMALL = NetworkConfig(dimension=32, width=24, layers=2, heads=2, channels=(8, 8, 8), hidden=32, frequencies=8)
SMALL_ATOMS = CSPNetConfig(hidden=16, layers=2, frequencies=4, dimension=32, most_pairs=3000)
PACKED = Path(__file__).parent.parent / "data" / "core_mof_families.npz"


def real_crystals(count: int = 37) -> list[Crystal]:
    table = CrystalTable.load(PACKED)
    return [table[row] for row in range(count)]


def real_set(count: int = 37) -> CrystalSet:
    return CrystalSet.compute((crystal.name, crystal) for crystal in real_crystals(count))


def table_of(crystals: list[Crystal]) -> LineTable:
    return LineTable.stack([crystal_lines(crystal) for crystal in crystals])


def supercell(crystal: Crystal) -> Crystal:
    """Twice the cell along a."""
    halves = [(crystal.frac_coords + np.array([shift, 0, 0])) / [2, 1, 1] for shift in (0, 1)]
    numbers, occupancies = np.tile(crystal.numbers, 2), np.tile(crystal.occupancies, 2)
    return Crystal(np.diag([2, 1, 1]) @ crystal.lattice, np.concatenate(halves), numbers, occupancies)


def moved(crystal: Crystal, shift: np.ndarray, rotation: np.ndarray, change: np.ndarray) -> Crystal:
    """Another origin, orientation, and cell: `change` is an integer matrix of determinant 1."""
    lattice = change @ crystal.lattice @ rotation
    frac = (crystal.frac_coords + shift) @ np.linalg.inv(change)
    return Crystal(lattice, frac, crystal.numbers, crystal.occupancies)
