"""From the free parameters of a metric to lattices and back: conventional, primitive, reduced, of higher symmetry."""

from collections.abc import Iterator

import gemmi
import numpy as np
from numpy.typing import NDArray

from xtal.crystals.cell import cell_parameters
from xtal.physics.indexing.metric import (
    CUBIC,
    HEXAGONAL,
    MONOCLINIC,
    ORTHORHOMBIC,
    TETRAGONAL,
    TRICLINIC,
    full,
)

NAMES = ("triclinic", "monoclinic", "orthorhombic", "tetragonal", "hexagonal", "cubic")
LETTERS = "PABCIFR"
EPSILON = 1e-5  # Å², what the reduction takes for equal
_PRIMITIVE = {
    "P": np.eye(3),
    "A": np.array([[1, 0, 0], [0, 0.5, 0.5], [0, -0.5, 0.5]]),
    "B": np.array([[0.5, 0, 0.5], [0, 1, 0], [-0.5, 0, 0.5]]),
    "C": np.array([[0.5, 0.5, 0], [-0.5, 0.5, 0], [0, 0, 1]]),
    "I": np.array([[-0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.5, 0.5, -0.5]]),
    "F": np.array([[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]),
    "R": np.array([[2, 1, 1], [-1, 1, 1], [-1, -2, 1]]) / 3,  # obverse
}
# system and centring of the group that a single atom has on the lattice
_OF_LATTICE = {
    2: (TRICLINIC, "P"),
    10: (MONOCLINIC, "P"),
    12: (MONOCLINIC, "C"),
    47: (ORTHORHOMBIC, "P"),
    65: (ORTHORHOMBIC, "C"),
    69: (ORTHORHOMBIC, "F"),
    71: (ORTHORHOMBIC, "I"),
    123: (TETRAGONAL, "P"),
    139: (TETRAGONAL, "I"),
    166: (HEXAGONAL, "R"),
    191: (HEXAGONAL, "P"),
    221: (CUBIC, "P"),
    225: (CUBIC, "F"),
    229: (CUBIC, "I"),
}


def conventional(system: int, parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 3) Å of the cell whose reciprocal metric has these free parameters; a along x, b in the xy plane."""
    a, b, c, d, e, f = full(system, parameters)
    direct = np.linalg.inv(np.array([[a, f / 2, e / 2], [f / 2, b, d / 2], [e / 2, d / 2, c]]))
    return np.asarray(np.linalg.cholesky(direct))


def usual(system: int, lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 3) Å of a conventional cell as in print: triclinic ones reduced, monoclinic ones with β of at least 90°."""
    if system == TRICLINIC:
        return reduced(lattice)
    if system == MONOCLINIC and lattice[0] @ lattice[2] > 0:
        return lattice * np.array([[-1], [-1], [1]])
    return lattice


def primitive(lattice: NDArray[np.float64], centring: str) -> NDArray[np.float64]:
    """(3, 3) Å of the Niggli-reduced primitive cell of a conventional one."""
    return reduced(_PRIMITIVE[centring] @ lattice)


def reduced(lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 3) Å of the Niggli-reduced cell, right-handed and in the orientation of the given one."""
    lengths, angles = cell_parameters(lattice)
    gruber = gemmi.GruberVector(gemmi.UnitCell(*lengths, *angles), "P", track_change_of_basis=True)
    gruber.niggli_reduce(epsilon=EPSILON, iteration_limit=1000)
    change = np.array(gruber.change_of_basis.rot).T / gemmi.Op.DEN
    out = change @ lattice
    return np.asarray(out if np.linalg.det(out) > 0 else -out)


def free_parameters(system: int, lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    """(6,) free parameters of a conventional cell, means of what symmetry makes equal, zero beyond their number."""
    metric = np.linalg.inv(lattice @ lattice.T)
    a, b, c = np.diag(metric)
    out = np.zeros(6)
    if system == TRICLINIC:
        out[:] = a, b, c, 2 * metric[1, 2], 2 * metric[0, 2], 2 * metric[0, 1]
    elif system == MONOCLINIC:
        out[:4] = a, b, c, 2 * metric[0, 2]
    elif system == ORTHORHOMBIC:
        out[:3] = a, b, c
    elif system == CUBIC:
        out[0] = (a + b + c) / 3
    else:
        out[:2] = (a + b) / 2, c
    return out


def symmetric(lattice: NDArray[np.float64], tolerance: float) -> tuple[int, str, NDArray[np.float64]] | None:
    """Return system, centring and free parameters of the most symmetric lattice within `tolerance` (Å)."""
    import spglib

    found = spglib.get_symmetry_dataset((lattice, [[0, 0, 0]], [1]), symprec=tolerance)
    if found is None or found.number not in _OF_LATTICE:
        return None
    system, centring = _OF_LATTICE[found.number]
    return system, centring, free_parameters(system, np.array(found.std_lattice))


def neighbours(lattice: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Yield the 7 reduced lattices of half the volume that hold a primitive one, and the 7 of twice that it holds."""
    reciprocal = np.linalg.inv(lattice).T
    for change in _INDEX_2:
        yield reduced(np.linalg.inv(change @ reciprocal).T)
        yield reduced(change @ lattice)


# sublattices of index 2 in Hermite's normal form
_INDEX_2 = np.array(
    [
        [[a, i, j], [0, b, k], [0, 0, c]]
        for a, b, c in ((2, 1, 1), (1, 2, 1), (1, 1, 2))
        for i in range(b)
        for j in range(c)
        for k in range(c)
    ],
    dtype=float,
)
