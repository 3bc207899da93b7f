"""Nets that stand in each other: the same atoms in a cell that holds them more often.

Equal nets shifted by 1/k of a body diagonal are one net per primitive cell of a centred lattice: put (a ± b ± c) / k in
the place of a, and keep b, c and the atoms. Doubly to fourfold interpenetrated pcu nets are of this kind.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np
from numpy.typing import NDArray

from xtal.crystals import Crystal

FOLDS = (2, 3, 4)
UPRIGHT = 0.2  # cosines of the angles of a cell whose body diagonals are alike
ROOM = 7.0  # Å³ an atom has to itself at least: dense frameworks have 8 to 9


def centrings(lattice: NDArray[np.float64], atoms: int) -> Iterator[NDArray[np.float64]]:
    """Yield the lattice (3, 3), and those of its interpenetrated variants that leave the atoms room."""
    volume = abs(np.linalg.det(lattice))
    unit = lattice / np.linalg.norm(lattice, axis=1, keepdims=True)
    cosines = np.abs((unit @ unit.T)[np.triu_indices(3, 1)])
    signs = [(1, 1)] if cosines.max() < UPRIGHT else list(product((1, -1), repeat=2))
    yield lattice
    for fold in FOLDS:
        if volume / fold < ROOM * atoms:
            return
        for b, c in signs:
            yield np.vstack([(lattice[0] + b * lattice[1] + c * lattice[2]) / fold, lattice[1:]])


def in_lattice(crystal: Crystal, lattice: NDArray[np.float64]) -> Crystal:
    """Return the same atoms, where they are, repeated by another lattice (3, 3)."""
    return Crystal(lattice, crystal.frac_coords @ crystal.lattice @ np.linalg.inv(lattice), crystal.numbers)
