"""Two lattices side by side: the changes of basis that lay one onto the other, and the strain between them.

Conventions: rows of a lattice L are a, b, c in Å; a change of basis M acts as ``L' = M L`` and on the metric
``G = L Lᵀ`` as ``M G Mᵀ``; a strain ε and a rotation R act on places, ``x' = x (1 + ε) R``.
"""

from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

SLACK = 2.5  # of the products of edges, in units of the largest strain: twice the strain and a little more


def mappings(metric: NDArray[np.float64], onto: NDArray[np.float64], tolerance: float) -> NDArray[np.int64]:
    """Return (K, 3, 3) changes of basis that bring one metric to within `tolerance` of another, the nearest first.

    The tolerance is relative to the products of edges: 0.12 is 6 % in lengths or 7° in angles.
    """
    changes = _unimodular()
    moved = changes @ metric @ changes.swapaxes(1, 2)
    edges = np.sqrt(np.diag(onto))
    error = (np.abs(moved - onto) / np.outer(edges, edges)).max(axis=(1, 2))
    near = np.flatnonzero(error < tolerance)
    return changes[near[np.argsort(error[near], kind="stable")]]


def nearest(lattices: NDArray[np.float64], onto: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (S,) the least tolerance under which `mappings` bring reduced lattices (S, 3, 3) onto one (3, 3)."""
    metric = onto @ onto.T
    changes = _unimodular()
    upper = np.triu_indices(3)
    images = (changes @ metric @ changes.swapaxes(1, 2))[:, *upper]
    found = np.empty(len(lattices))
    for row, lattice in enumerate(lattices):
        own = lattice @ lattice.T
        edges = np.sqrt(np.diag(own))
        found[row] = (np.abs(images - own[upper]) / np.outer(edges, edges)[upper]).max(axis=1).min()
    return found


def strain_onto(
    lattice: NDArray[np.float64], target: NDArray[np.float64], most: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return the symmetric strain (3, 3) and the rotation (3, 3) that turn a lattice into another one.

    ``M lattice (1 + ε) R = target`` for some change of basis M, so that both may be given in any setting and frame; of
    several the one that turns least. None when every strain exceeds `most`.
    """
    found = _decomposed(lattice, target[None])
    if np.abs(found[0]).max() > most:
        changes = mappings(target @ target.T, lattice @ lattice.T, SLACK * most)
        found = _decomposed(lattice, changes @ target)
    strains, rotations = found
    usable = np.flatnonzero(np.abs(strains).max(axis=(1, 2), initial=0) <= most)
    if not len(usable):
        return None
    least = usable[np.argmax(np.abs(np.trace(rotations[usable], axis1=1, axis2=2)))]  # -1, a mirrored axis, is no turn
    return strains[least], rotations[least]


def _decomposed(lattice: NDArray, targets: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Polar decomposition ``L⁻¹ L' = (1 + ε) R`` for each of K targets (K, 3, 3)."""
    left, stretch, right = np.linalg.svd(np.linalg.inv(lattice) @ targets)
    return (left * stretch[:, None]) @ left.swapaxes(1, 2) - np.eye(3), left @ right


@lru_cache(maxsize=1)
def _unimodular() -> NDArray[np.int64]:
    """(6960, 3, 3) matrices of -1, 0 and 1 with determinant ±1: enough between reduced cells."""
    every = np.array(list(product((-1, 0, 1), repeat=9))).reshape(-1, 3, 3)
    return every[np.abs(np.round(np.linalg.det(every))) == 1]
