"""Small hypothetical MOFs, and crystals a little wrong, as a generator makes them."""

from pathlib import Path

import numpy as np

from xtal.crystals import Crystal, CrystalTable

PACKED = Path(__file__).parent.parent / "data" / "hmof_like_small.npz"


def small_mofs() -> list[Crystal]:
    """Five MOFs of 28 to 39 atoms."""
    table = CrystalTable.load(PACKED)
    return [table[row] for row in range(len(table))]


def disturbed(crystal: Crystal, noise: float, strain: float, seed: int) -> Crystal:
    """Move every atom by about `noise` Å, the cell by `strain`, shift the origin and shuffle the atoms."""
    rng = np.random.default_rng(seed)
    change = rng.normal(0, strain, (3, 3)) if strain else np.zeros((3, 3))
    lattice = crystal.lattice @ (np.eye(3) + (change + change.T) / 2)
    moves = rng.normal(0, noise / np.sqrt(3), (len(crystal), 3)) @ np.linalg.inv(lattice)
    order = rng.permutation(len(crystal))
    frac = (crystal.frac_coords + moves + rng.uniform(size=3))[order]
    return Crystal(lattice, frac, crystal.numbers[order], name=crystal.name)
