"""Frameworks made by rule, to which other linkers are given: nets whose cell holds a single node.

Real frameworks hardly ever have them, for their linkers are flat and turn one node against the next; hypothetical ones
have them often (Wilmer et al., 2012). Their linkers are the shortest, and round between their ends.
"""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from xtal.crystals import Crystal

ALKYNE = 1.46, 1.20  # Å, from the carbon of a carboxylate to an alkyne, and its triple bond
APART = 0.3  # Å between two atoms that are not the same

# atoms (element, place in Å) of which rotations make the rest: a node and the halves of the linkers on it
BASIC_ZINC_ACETATE = ((8, (0, 0, 0)), (30, (1.12, 1.12, 1.12)), (8, (2.99, 0.79, 0.79)), (6, (3.58, 0, 0)))
PADDLE_WHEEL = ((8, (1.96, 0, 1.12)), (6, (2.55, 0, 0)))
COPPER, ZINC = 29, 30
# Å between the metals of a paddle wheel (Chui et al., 1999; Dybtsev et al., 2004); others are taken for copper's
BETWEEN = {COPPER: 2.63, ZINC: 2.95}
PYRAZINE = tuple(  # about its middle
    (z, (x, x, y)) for z, x, height in ((7, 0, 1.40), (6, 0.80, 0.70), (1, 1.46, 1.25)) for y in (height, -height)
)
PILLAR = 2.05  # Å from metal to nitrogen
# rods of octahedra that share corners, and carboxylates beside: metals of MO(CO₂)₂ and of M(OH)(CO₂)₂
OF_OXIDE, OF_HYDROXIDE = (22, 23), (13, 21, 24, 25, 26, 31, 49)
PERIOD = 6.82  # Å, of two octahedra (Barthelet et al., 2002: MIL-47)
CORNER, EDGE, CLASP = 0.81, 1.88, 2.44  # Å from the rod's axis: shared oxygen, that of a carboxylate, its carbon
BITE, O_H = 1.11, 0.96  # Å: half of a carboxylate, and a hydroxide


@cache
def archetypes(metal: int = COPPER) -> tuple[Crystal, ...]:
    """Zn₄O(CO₂)₆ and M₂(CO₂)₄ with pillars, M of an atomic number, in primitive cubic nets (pcu), and rods of M."""
    rods = [_rods(metal, metal in OF_HYDROXIDE)] if metal in OF_OXIDE + OF_HYDROXIDE else []
    return _cubic(), _pillared(metal), *rods


def _cubic() -> Crystal:
    """Join nodes of basic zinc acetate; the two ends of each linker are turned by 90° (Li et al., 1999: MOF-5)."""
    bond, triple = ALKYNE
    reach = BASIC_ZINC_ACETATE[-1][1][0] + bond
    seeds = [*BASIC_ZINC_ACETATE, (6, (reach, 0, 0))]
    return _crystal(np.eye(3) * (2 * reach + triple), _turned(seeds, "T"), "pcu of basic zinc acetate")


def _pillared(metal: int) -> Crystal:
    """Join paddle wheels by linkers in a plane and by pillars (Dybtsev, Chun and Kim, 2004)."""
    bond, triple = ALKYNE
    reach = PADDLE_WHEEL[-1][1][0] + bond
    aside = BETWEEN.get(metal, BETWEEN[COPPER]) / 2
    height = aside + PILLAR + PYRAZINE[0][1][2]
    node = _turned([(metal, (0, 0, aside)), *PADDLE_WHEEL, (6, (reach, 0, 0))], "D4")
    pillar = [(number, place + np.array([0, 0, height])) for number, place in _turned(PYRAZINE, "C2")]
    side = 2 * reach + triple
    return _crystal(np.diag([side, side, 2 * height]), [*node, *pillar], "pcu of paddle wheels and pillars")


def _rods(metal: int, hydroxide: bool) -> Crystal:
    """Join rods, along x, by linkers; the next rods are half a period further on."""
    bond, triple = ALKYNE
    half, reach = PERIOD / 2, CLASP + bond
    atoms = [(metal, np.zeros(3)), (metal, np.array([half, 0, 0]))]
    for shift, side in ((half / 2, -1), (-half / 2, 1)):
        atoms.append((8, np.array([shift, -side * CORNER, 0])))
        if hydroxide:
            atoms.append((1, np.array([shift, -side * (CORNER + O_H), 0])))
        for way in (np.array([0, side, 1]) / np.sqrt(2), np.array([0, side, -1]) / np.sqrt(2)):
            atoms += [(8, EDGE * way + np.array([shift + aside, 0, 0])) for aside in (BITE, -BITE)]
            atoms += [(6, height * way + np.array([shift, 0, 0])) for height in (CLASP, reach)]
    next_rod = (2 * reach + triple) / np.sqrt(2)
    lattice = np.array([[PERIOD, 0, 0], [half, next_rod, -next_rod], [half, next_rod, next_rod]])
    return _crystal(lattice, atoms, "rods of octahedra")


def _turned(seeds: Sequence[tuple[int, Sequence[float]]], group: str) -> list[tuple[int, NDArray[np.float64]]]:
    """Atoms that the rotations of a point group make of some, each place once."""
    found: list[tuple[int, NDArray[np.float64]]] = []
    for number, place in seeds:
        for turned in Rotation.create_group(group).apply(place):
            if all(np.linalg.norm(turned - other) > APART for _, other in found):
                found.append((number, turned))
    return found


def _crystal(lattice: NDArray[np.float64], atoms: Sequence[tuple[int, NDArray[np.float64]]], name: str) -> Crystal:
    place = np.array([place for _, place in atoms])
    return Crystal(lattice, place @ np.linalg.inv(lattice), np.array([z for z, _ in atoms], np.uint8), name=name)
