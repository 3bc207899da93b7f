"""Atoms that cannot be there together: the alternatives of a disorder, which some databases list at full weight."""

import gemmi
import numpy as np
from numpy.typing import NDArray

from xtal.crystals.bonds import SHORTEST_BOND
from xtal.crystals.crystal import Crystal
from xtal.crystals.symmetry import HALF_SHIFTS, close_pairs, shortest
from xtal.errors import UserError

NEAREST = 0.6  # Å: no two atoms come that near; the hydrogens of H2 are 0.74 Å apart
FULLEST = 1.05  # occupancies of one place may sum to this through rounding
MOST_IN_BINS = 100  # pairs to look at for each atom
MOST_ALTERNATIVES = 24  # full atoms around one that exclude it; the most of 12,020 CoRE MOF 2019 entries is 13

RADII = np.array([gemmi.Element(z).covalent_r for z in range(119)])


def impossible_pairs(crystal: Crystal) -> int:
    """Return how many pairs of like atoms overlap with more than one atom's weight: the structure cannot be so.

    Atoms overlap at ``d < max(1.2 r, 0.6 Å)`` with gemmi's covalent radius r (Cordero et al., 2008). Pairs whose
    occupancies sum to at most 1 are alternatives of one disordered atom.
    """
    return int((crystal.occupancies[_like_pairs(crystal)].sum(1) > FULLEST).sum())


def refuse_crowds(crystal: Crystal) -> Crystal:
    """Return the crystal; UserError when more atoms share one place than any disorder has."""
    pairs = _like_pairs(crystal)
    crowd = np.bincount(pairs[crystal.occupancies[pairs].sum(1) > FULLEST].ravel()).max(initial=0)
    if crowd > MOST_ALTERNATIVES:
        raise UserError(f"more than {MOST_ALTERNATIVES} atoms in the place of one; the coordinates are broken")
    return crystal


def closeness(crystal: Crystal) -> float:
    """Return the shortest distance in the crystal as a share of the sum of the covalent radii, infinite beyond 1."""
    frac, radii = crystal.frac_coords, RADII[crystal.numbers]
    pairs = close_pairs(frac, crystal.lattice, 2 * radii.max())
    distances = shortest(frac[pairs[:, 0]] - frac[pairs[:, 1]], crystal.lattice)
    return float((distances / radii[pairs].sum(1)).min(initial=np.inf))


def _like_pairs(crystal: Crystal) -> NDArray[np.intp]:
    """Return (P, 2) overlapping atoms of one element."""
    numbers, kind = np.unique(crystal.numbers, return_inverse=True)
    limits = np.maximum(2 * SHORTEST_BOND * RADII[numbers], NEAREST)  # (K,)
    pairs = _neighbours(crystal, kind.ravel(), limits)
    if pairs is None:  # a steep cell, or nonsense
        pairs = close_pairs(crystal.frac_coords, crystal.lattice, limits.max())
        pairs = pairs[kind[pairs[:, 0]] == kind[pairs[:, 1]]]
    first, second = pairs.T
    distances = shortest(crystal.frac_coords[first] - crystal.frac_coords[second], crystal.lattice)
    pairs = pairs[distances < limits[kind[first]]]
    return np.unique(np.sort(pairs, axis=1), axis=0) if len(pairs) else pairs


def _neighbours(crystal: Crystal, kind: NDArray[np.intp], limits: NDArray) -> NDArray[np.intp] | None:
    """Return (P, 2) atoms of one kind that share a bin, among them all within the kind's limit; None when too many do.

    Bins are twice as wide as the limit, in 8 grids shifted by half a bin: near atoms share one in at least one grid.
    """
    count = len(kind)
    reach = np.linalg.norm(np.linalg.inv(crystal.lattice), axis=0) * limits[:, None]  # (K, 3): |x_i| <= |b*_i| d
    bins = np.maximum(1 / (2 * reach), 1).astype(np.int64)[kind]  # (N, 3), at most 833 in the largest cell
    places = (crystal.frac_coords * bins + HALF_SHIFTS[:, None]).astype(np.int64) % bins  # (8, N, 3)
    codes = (places[..., 0] << 20 | places[..., 1] << 10 | places[..., 2]) * len(limits) + kind
    codes = np.sort(codes * count + np.arange(count), axis=1)
    atoms, codes = codes % count, codes // count
    found, step = [np.empty((0, 2), dtype=np.intp)], 1
    while (same := codes[:, step:] == codes[:, :-step]).any():
        grid, column = np.nonzero(same)
        found.append(np.stack([atoms[grid, column], atoms[grid, column + step]], axis=1))
        step += 1
        if sum(map(len, found)) > MOST_IN_BINS * count:
            return None
    return np.concatenate(found)
