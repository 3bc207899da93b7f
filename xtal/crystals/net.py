"""In how many directions the bonds of a crystal lead on for ever.

A closed walk over bonds of the endless crystal ends in the cell where it began, or in another one. The cells that walks
from one atom end in span its net's translations: none for a molecule, one for a chain, two for a layer, three for a
framework. A bond (i, j, s) to atom j in cell s, with the atoms reached over a tree of bonds in cells c, closes one
walk: ``t = c_i + s - c_j``.
"""

import numpy as np
from numpy.typing import NDArray

from xtal.crystals.bonds import Bonds, find_bonds
from xtal.crystals.crystal import Crystal


def net_rank(crystal: Crystal) -> int:
    """Return how many independent translations bonds span, 0 to 3, bonds to metals included.

    Of several nets, or a net and molecules in it, the one that spans most counts.
    """
    bonds = find_bonds(crystal)
    return max((_rank(walks) for walks in _closed_walks(len(crystal), bonds)), default=0)


def _rank(walks: NDArray[np.int64]) -> int:
    return int(np.linalg.matrix_rank(walks.astype(np.float64))) if len(walks) else 0


def _closed_walks(count: int, bonds: Bonds) -> list[NDArray[np.int64]]:
    """Cells (T, 3) that the closed walks of each connected component of `count` atoms end in."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order, connected_components

    graph = coo_array((np.ones(len(bonds), np.int8), (bonds.first, bonds.second)), shape=(count, count)).tocsr()
    cell = np.zeros((count, 3), dtype=np.int64)
    # of several bonds between two atoms, in different cells, one is in the tree
    step = dict(zip(zip(bonds.first.tolist(), bonds.second.tolist(), strict=True), bonds.shift, strict=True))
    components, label = connected_components(graph, directed=False)
    for first in np.unique(label, return_index=True)[1]:
        order, before = breadth_first_order(graph, first, directed=False)
        for atom in order[1:].tolist():
            cell[atom] = cell[before[atom]] + step[int(before[atom]), atom]
    walk = cell[bonds.first] + bonds.shift - cell[bonds.second]
    return [np.unique(walk[label[bonds.first] == k], axis=0) for k in range(components)]
