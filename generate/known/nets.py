"""Nets in indexed cells: three vectors of a cell lead from one node to the next ones (pcu), or along a rod and across.

Such a net is the lattice of these vectors. Where it is a sublattice of the cell's, so many nets stand in each other.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations, product

import numpy as np
from numpy.typing import NDArray

from generate.known.archetypes import PERIOD
from generate.known.centring import FOLDS
from xtal.physics.indexing import IndexedCell
from xtal.physics.indexing.bravais import reduced

STEPS = np.array([step for step in product(range(-2, 3), repeat=3) if step > (0, 0, 0) and np.gcd.reduce(step) == 1])
SHORTEST, LONGEST = 6.5, 32.0  # Å from node to node
SKEW = 0.42  # cosine of the angles between the vectors: of 65 to 115 degrees
ORDERS = tuple(permutations(range(3)))
LONGER = 0.45  # Å, by which the period of rods differs between metals
HALFWAY = 0.15  # of a period, by which the next rods may miss being half of it further on
SLANT = 0.7  # cosine of the angle between the ways to the next rods, across


@dataclass(frozen=True, eq=False)
class Net:
    """A net in a cell.

    Attributes:
        lattice: (3, 3) Å from a node to the next ones.
        cell: (3, 3) of the crystal, in units of these vectors.
        order: which of the three vectors, the shortest first, each row of the lattice is.
        zero: degrees, which the pattern has added to every 2θ.
        rod: whether the first vector leads along a rod.
    """

    lattice: NDArray[np.float64]
    cell: NDArray[np.float64]
    order: tuple[int, ...]
    zero: float
    rod: bool = False

    @property
    def lengths(self) -> NDArray[np.float64]:
        """(3,) Å of its vectors; of those between rods, across."""
        rod, *others = self.lattice
        ways = np.stack([rod, *across(np.stack(others), rod)]) if self.rod else self.lattice
        return np.linalg.norm(ways, axis=1)


def across(vectors: NDArray[np.float64], rod: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return vectors (n, 3) without what lies along another (3,)."""
    return np.asarray(vectors - np.outer(vectors @ rod, rod) / (rod @ rod))


def rods_in(cells: Sequence[IndexedCell]) -> list[Net]:
    """Return the nets of rods that indexed cells have room for: two ways to rods half a period further on."""
    found = []
    for cell in cells:
        lattice = reduced(cell.lattice)
        every = np.concatenate([STEPS, -STEPS]).astype(np.float64)
        for rod in STEPS[np.abs(np.linalg.norm(STEPS @ lattice, axis=1) - PERIOD) < LONGER].astype(np.float64):
            along = rod @ lattice
            further = every @ lattice @ along / (along @ along)
            length = np.linalg.norm(across(every @ lattice, along), axis=1)
            ways = every[(np.abs(further - 0.5) < HALFWAY) & (length > SHORTEST) & (length < LONGEST)]
            for pair in permutations(ways, 2):
                chosen = np.stack([rod, *pair])
                many, unit = np.linalg.det(chosen), across(np.stack(pair) @ lattice, along)
                unit /= np.linalg.norm(unit, axis=1, keepdims=True)
                if 0.5 < many < FOLDS[-1] + 0.5 and abs(unit[0] @ unit[1]) < SLANT:
                    found.append(Net(chosen @ lattice, np.linalg.inv(chosen), (0, 1, 2), cell.zero_shift, rod=True))
    return found


def nets_in(cells: Sequence[IndexedCell]) -> list[Net]:
    """Return the nets of single nodes that indexed cells have room for, their vectors in any order."""
    found = []
    for cell in cells:
        lattice = reduced(cell.lattice)
        length = np.linalg.norm(STEPS @ lattice, axis=1)
        ordered = np.argsort(length, kind="stable")
        chosen = ordered[(length[ordered] > SHORTEST) & (length[ordered] < LONGEST)]
        steps = STEPS[chosen].astype(np.float64)
        rows = np.array(list(combinations(range(len(steps)), 3))).reshape(-1, 3)
        way = steps @ lattice / length[chosen, None]
        skew = np.abs(way @ way.T)
        upright = np.max([skew[rows[:, i], rows[:, j]] for i, j in combinations(range(3), 2)], axis=0) < SKEW
        many = np.abs(np.rint(np.linalg.det(steps[rows])))
        for row in rows[upright & (many >= 1) & (many <= FOLDS[-1])]:
            for order in ORDERS:
                three = steps[row[list(order)]]
                three = three * np.sign(np.linalg.det(three @ lattice))
                found.append(Net(three @ lattice, np.linalg.inv(three), order, cell.zero_shift))
    return found
