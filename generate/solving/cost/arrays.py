"""A problem as compiled code takes it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

POSE = 7  # numbers that one part's pose takes


class Arrays(NamedTuple):
    """A problem as compiled code takes it: A independent atoms of O parts, C atoms of P pieces in the cell.

    T types of atoms, R reflections, M points of the profile.
    """

    lattice: NDArray[np.float64]  # (3, 3)
    inverse: NDArray[np.float64]  # (3, 3)
    first: NDArray[np.int64]  # (O + 1,) of the independent atoms of each part
    kind: NDArray[np.int64]  # (A,) type
    metal: NDArray[np.bool_]  # (A,)
    binding: NDArray[np.bool_]  # (.,) donors among the atoms of all conformers
    copies: NDArray[np.float64]  # (A,) how often it is in the cell
    piece_part: NDArray[np.int64]  # (P,) the part
    turn: NDArray[np.float64]  # (P, 3, 3) Cartesian
    move: NDArray[np.float64]  # (P, 3) Å
    own: NDArray[np.int64]  # (O,) the piece that is the part itself
    molecule: NDArray[np.int64]  # (P,) pieces of one molecule have no contacts with each other
    joint: NDArray[np.int64]  # (K, 2) independent atoms that keep their distance
    span: NDArray[np.float64]  # (K,) Å, that distance
    place: NDArray[np.float64]  # (O, 3, 3) projection of a part's place onto what its site allows
    spin: NDArray[np.float64]  # (O, 4, 4) of its quaternion
    hkl: NDArray[np.int64]  # (R, 3) h >= 0, sorted
    factor: NDArray[np.float32]  # (R, T) form factors
    strength: NDArray[np.float64]  # (R,) multiplicity, Lorentz and polarisation
    shape: NDArray[np.float64]  # (R, W) profile of each reflection
    start: NDArray[np.int64]  # (R,) its first point
    root: NDArray[np.float64]  # (M,) of the measured profile
    high: NDArray[np.float64]  # (M,) the same with what may have been taken for background
    trust: NDArray[np.float64]  # (M,) weights
    floor: float  # added under the root
    bond: NDArray[np.float64]  # (T, T) μ, 0 for pairs that do not bind
    width: NDArray[np.float64]  # (T, T) w
    contact: NDArray[np.float64]  # (T, T) r₀
    wanted: NDArray[np.float64]  # (A,) N, less what a metal has in its own part
    slack: NDArray[np.float64]  # (T,) s
    images: NDArray[np.float64]  # (S, 3) whole cells to look at around the nearest image
