"""Which pieces of a crystal are the same by symmetry."""

import numpy as np
from numpy.typing import NDArray

from xtal.crystals.parts.cut import Parts
from xtal.crystals.symmetry import wrapped

KIND_SPACING = 10.0  # keeps elements apart in the search tree; fractional distances stay below 1


def orbits(parts: Parts, rotations: NDArray[np.integer], translations: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return (P,) the number of the orbit of each piece, in order of first appearance.

    Args:
        parts: P pieces of a crystal.
        rotations: (S, 3, 3) of the operations ``x -> R x + t`` in fractional coordinates.
        translations: (S, 3) t. Each atom is taken to lie where the nearest atom of its element is.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    crystal = parts.crystal
    kind = crystal.numbers * KIND_SPACING
    tree = cKDTree(np.column_stack([crystal.frac_coords, kind]), boxsize=[1, 1, 1, 0])
    first = np.array([piece.atoms[0] for piece in parts.pieces])
    images = np.einsum("sij,pj->spi", rotations, crystal.frac_coords[first]) + np.asarray(translations)[:, None]
    goal = np.concatenate([wrapped(images), np.broadcast_to(kind[first][:, None], (*images.shape[:2], 1))], axis=-1)
    image = parts.owner[tree.query(goal)[1]]  # (S, P)
    count = len(first)
    rows = np.tile(np.arange(count), len(image))
    return connected_components(coo_array((np.ones(image.size), (rows, image.ravel())), shape=(count, count)), False)[1]
