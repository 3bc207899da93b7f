"""Symmetry: expand an asymmetric unit, find the primitive cell, find atoms that lie on top of each other.

Conventions: `cart = frac @ lattice`; a symmetry operation (W, w) maps ``x -> W x + w`` in fractional coordinates;
a lattice change ``lattice' = T @ lattice`` maps row vectors ``x' = x @ inv(T)``.
"""

from itertools import product
from math import gcd

import gemmi
import numpy as np
from numpy.typing import NDArray

from xtal.crystals.cell import cell_parameters
from xtal.crystals.crystal import Crystal
from xtal.errors import UserError

NIGGLI_EPSILON = 1e-5  # Å², what counts as equal while cells are compared
TOLERANCE = 0.01  # Å: coordinates in CIFs carry 4 to 6 digits, which is 0.001 Å or better in common cells
KIND_SPACING = 10.0  # keeps atoms of different kinds apart in the search tree; fractional distances stay below 1
MAX_NEIGHBOURS = 1000  # atoms that may crowd around one atom; a crystal has none that near
HALF_SHIFTS = np.array(list(product((0.0, 0.5), repeat=3)))
PROBES = 8  # atoms that a trial translation must map before it is tried on all of them


def wrapped(frac: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return fractional coordinates brought into [0, 1)."""
    inside = frac - np.floor(frac)
    inside[inside >= 1.0] = 0.0  # -1e-17 wraps to 1.0 in floating point
    return inside


def shortest(difference: NDArray[np.float64], lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the length in Å of fractional differences (..., 3) after whole cells are taken off.

    Exact for lengths below half the smallest distance between lattice planes, which is all that is asked here.
    """
    return np.linalg.norm((difference - np.round(difference)) @ lattice, axis=-1)


def close_pairs(frac: NDArray[np.float64], lattice: NDArray[np.float64], distance: float) -> NDArray[np.intp]:
    """Return (P, 2) index pairs of atoms nearer than `distance` in Å; `frac` (N, 3) lies in [0, 1).

    Raises:
        UserError: more than `MAX_NEIGHBOURS` neighbours per atom on average, which would fill the memory.
    """
    if not _crowded(frac, lattice, distance):
        return np.empty((0, 2), dtype=np.intp)
    from scipy.spatial import cKDTree

    tree, reach = cKDTree(frac, boxsize=1.0), _fractional_reach(lattice, distance).max()
    if tree.count_neighbors(tree, reach, p=np.inf) > MAX_NEIGHBOURS * len(frac):
        raise UserError(
            f"more than {MAX_NEIGHBOURS} atoms within {distance:g} Å of each other; the coordinates are broken"
        )
    pairs = tree.query_pairs(reach, p=np.inf, output_type="ndarray")
    return pairs[shortest(frac[pairs[:, 0]] - frac[pairs[:, 1]], lattice) < distance]


def _crowded(frac: NDArray, lattice: NDArray, distance: float) -> bool:
    """Tell quickly whether two atoms may be nearer than `distance` Å: never False when they are.

    Bins twice as wide as `distance`, in 8 grids shifted by half a bin: near atoms share a bin in at least one grid.
    """
    bins = np.clip(1 / (2 * _fractional_reach(lattice, distance)), 1, 2**20).astype(np.int64)  # 3 x 20 bits fit
    places = (frac * bins + HALF_SHIFTS[:, None]).astype(np.int64) % bins  # (8, N, 3)
    codes = np.sort(places @ np.array([1, bins[0], bins[0] * bins[1]]), axis=1)
    return bool((codes[:, 1:] == codes[:, :-1]).any())


def _fractional_reach(lattice: NDArray, distance: float) -> NDArray[np.float64]:
    """Return the largest change of each fractional coordinate within `distance` Å: ``|x_i| <= |b*_i| distance``."""
    return np.linalg.norm(np.linalg.inv(lattice), axis=0) * distance


def expand(
    frac: NDArray[np.float64],
    operations: NDArray[np.float64],
    lattice: NDArray[np.float64],
    distance: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Apply every symmetry operation to every site and merge the images that coincide.

    A site that some operations map onto itself within `distance` stands on a special position; it is moved to the
    mean of those images, which lies on the symmetry element.

    Args:
        frac: (N, 3) sites of the asymmetric unit.
        operations: (G, 3, 4) rotation W and translation w of each operation; the first is the identity.
        lattice: (3, 3) Å.
        distance: (N,) Å, images of one site nearer than this are one atom.

    Returns:
        (A, 3) coordinates in [0, 1) and (A,) the site each atom comes from, in the order of the sites.
    """
    rotations, translations = operations[:, :, :3], operations[:, None, :, 3]
    shift = (frac @ rotations.transpose(0, 2, 1) + translations).transpose(1, 0, 2) - frac[:, None]  # (N, G, 3)
    shift -= np.round(shift)
    fixed = np.linalg.norm(shift @ lattice, axis=-1) < distance[:, None]  # (N, G)
    frac = frac + (shift * fixed[..., None]).sum(1) / fixed.sum(1)[:, None]
    images = (frac @ rotations.transpose(0, 2, 1) + translations).transpose(1, 0, 2)  # (N, G, 3)
    keep = np.ones(images.shape[:2], dtype=bool)
    special = np.flatnonzero(fixed.sum(1) > 1)
    for k in range(1, len(operations)):
        apart = shortest(images[special, k, None] - images[special, :k], lattice)
        keep[special, k] = ~(apart < distance[special, None]).any(1)
    return wrapped(images[keep]), np.nonzero(keep)[0]


def primitive(crystal: Crystal, tolerance: float = TOLERANCE) -> Crystal:
    """Return the same crystal in its primitive, Niggli-reduced cell.

    Only pure lattice translations are searched: a primitive cell needs no more, and it is far cheaper than a space
    group. Atoms that the translations join are averaged; occupancies take part in the comparison.

    Args:
        crystal: any cell of the crystal.
        tolerance: Å, how far an atom may lie from where a translation puts it.

    Returns:
        A crystal of the same handedness, orientation in space, and name.
    """
    _, kinds, counts = np.unique(
        np.stack([crystal.numbers, np.round(crystal.occupancies, 3)]), axis=1, return_inverse=True, return_counts=True
    )
    divisor = gcd(*counts.tolist())
    return niggli(crystal if divisor == 1 else _folded(crystal, kinds.ravel(), counts, divisor, tolerance))


def niggli(crystal: Crystal) -> Crystal:
    """Return the crystal in the Niggli-reduced cell of its lattice (Krivy & Gruber 1976, by gemmi)."""
    lengths, angles = cell_parameters(crystal.lattice)
    gruber = gemmi.GruberVector(gemmi.UnitCell(*lengths, *angles), "P", track_change_of_basis=True)
    gruber.niggli_reduce(epsilon=NIGGLI_EPSILON, iteration_limit=1000)
    change = np.array(gruber.change_of_basis.rot).T / gemmi.Op.DEN
    change *= np.sign(np.linalg.det(change))
    return _in_cell(crystal, change, crystal.frac_coords @ np.linalg.inv(change))


def _in_cell(crystal: Crystal, change: NDArray, frac: NDArray, atoms: NDArray | slice = slice(None)) -> Crystal:
    """Return the chosen atoms at `frac` in the cell ``change @ lattice``."""
    return Crystal(change @ crystal.lattice, frac, crystal.numbers[atoms], crystal.occupancies[atoms], crystal.name)


def _folded(crystal: Crystal, kinds: NDArray, counts: NDArray, divisor: int, tolerance: float) -> Crystal:
    """Fold the crystal by its lattice translations; `divisor` is the greatest common divisor of the kinds' counts."""
    frac, atoms = crystal.frac_coords, np.arange(len(crystal))
    match = _Matcher(crystal, kinds, tolerance)
    rare = np.flatnonzero(kinds == counts.argmin())
    # A translation takes the first atom of the rarest kind to another one, so these are all there can be.
    trials = _rational(frac[rare[1:]] - frac[rare[0]], divisor, crystal.lattice, tolerance)
    probes = np.argsort(counts[kinds], kind="stable")[np.linspace(0, len(atoms) - 1, PROBES).astype(int)]
    trials = trials[(match(probes, trials[:, None] / divisor) >= 0).all(1)]
    group: set[tuple[int, ...]] = {(0, 0, 0)}
    generators, images = [], []
    for step in trials:
        if tuple(step.tolist()) in group:
            continue
        image = match(atoms, step / divisor)
        if image.min() >= 0 and len(np.unique(image)) == len(atoms):
            group = _closed(group, step, divisor)
            generators.append(step)
            images.append(image)
    orbits = _orbits(images, len(atoms))
    if len(group) == 1 or (np.bincount(orbits) != len(group)).any():
        return crystal
    change = _basis(np.array([*generators, *(divisor * np.eye(3, dtype=np.int64))])) / divisor
    return _in_cell(crystal, change, *_averaged(frac @ np.linalg.inv(change), orbits))


class _Matcher:
    """Finds the atom of the same kind at a shifted position."""

    def __init__(self, crystal: Crystal, kinds: NDArray, tolerance: float) -> None:
        from scipy.spatial import cKDTree

        self._frac, self._lattice, self._tolerance = crystal.frac_coords, crystal.lattice, tolerance
        self._kinds = kinds * KIND_SPACING
        self._tree = cKDTree(np.column_stack([self._frac, self._kinds]), boxsize=[1, 1, 1, 0])

    def __call__(self, atoms: NDArray, shift: NDArray) -> NDArray[np.intp]:
        """Return for each of `atoms` (..., M), moved by `shift` (..., 3), the atom found there, or -1."""
        goal = wrapped(self._frac[atoms] + shift)  # (..., M, 3)
        kinds = np.broadcast_to(self._kinds[atoms], goal.shape[:-1])
        found = self._tree.query(np.concatenate([goal, kinds[..., None]], axis=-1))[1]
        near = shortest(goal - self._frac[found], self._lattice) < self._tolerance
        return np.where(near & (self._kinds[found] == kinds), found, -1)


def _rational(shifts: NDArray, divisor: int, lattice: NDArray, tolerance: float) -> NDArray[np.int64]:
    """Return (T, 3) integers n of the shifts that equal n / divisor within the tolerance of two atoms.

    The translations of a crystal modulo its cell form a group whose order divides every kind's count, hence
    `divisor`; so each of them is a rational vector, and the simplest fraction is taken.
    """
    steps = np.zeros(shifts.shape, dtype=np.int64)
    for order in (d for d in range(divisor, 1, -1) if divisor % d == 0):  # the simplest fraction comes last and wins
        nearest = np.round(shifts * order)
        fits = np.linalg.norm((shifts - nearest / order) @ lattice, axis=1) < 2 * tolerance
        steps[fits] = nearest[fits] * (divisor // order)
    steps %= divisor
    return steps[steps.any(1)]


def _closed(group: set[tuple[int, ...]], step: NDArray, divisor: int) -> set[tuple[int, ...]]:
    """Return the group of translations modulo `divisor` that `group` and `step` generate."""
    multiples = np.unique(np.arange(divisor)[:, None] * step % divisor, axis=0)
    sums = (np.array(sorted(group))[:, None] + multiples) % divisor
    return set(map(tuple, sums.reshape(-1, 3).tolist()))


def _orbits(images: list[NDArray], count: int) -> NDArray[np.intp]:
    """Return (N,) the number of the orbit of each atom, in order of first appearance; `images` are permutations."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    rows = np.tile(np.arange(count), len(images))
    edges = coo_array((np.ones(len(rows)), (rows, np.concatenate([*images, []]))), shape=(count, count))
    return connected_components(edges, directed=False)[1]


def _averaged(frac: NDArray, orbits: NDArray) -> tuple[NDArray, NDArray]:
    """Return (A, 3) mean coordinates of each orbit (modulo whole cells) and (A,) its first atom."""
    first = np.unique(orbits, return_index=True)[1]
    offset = frac - frac[first[orbits]]
    offset -= np.round(offset)
    mean = np.stack([np.bincount(orbits, offset[:, i]) for i in range(3)], axis=1) / np.bincount(orbits)[:, None]
    return frac[first] + mean, first


def _basis(vectors: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the (3, 3) Hermite normal basis, positive diagonal, of the lattice that (M, 3) integer rows span."""
    rows = vectors.copy()
    for column in range(3):
        while np.count_nonzero(rows[column:, column]) > 1:
            below = rows[column:]
            sizes = np.where(below[:, column] == 0, np.iinfo(np.int64).max, abs(below[:, column]))
            below[[0, int(sizes.argmin())]] = below[[int(sizes.argmin()), 0]]
            below[1:] -= (below[1:, column] // below[0, column])[:, None] * below[0]
        pivot = column + int(np.flatnonzero(rows[column:, column])[0])
        rows[[column, pivot]] = rows[[pivot, column]]
        rows[column] *= np.sign(rows[column, column])
    return rows[:3]
