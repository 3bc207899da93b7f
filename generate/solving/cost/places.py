"""Where the atoms of an arrangement are."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from generate.solving.cost.arrays import POSE, Arrays
from generate.solving.cost.fast import FAST


@njit(cache=True, fastmath=FAST)
def placed(p: Arrays, pose: NDArray, shapes: NDArray, at: NDArray, x: NDArray, arms: NDArray) -> None:
    """Put the parts, of atoms `shapes` from rows `at` on, in their places: x (A, 3) and arms (A, 3) from the centre."""
    for o in range(len(p.first) - 1):
        q = pose[o * POSE + 3 : o * POSE + 7]
        norm = np.sqrt(q[0] ** 2 + q[1] ** 2 + q[2] ** 2 + q[3] ** 2) + 1e-12
        w, i, j, k = q[0] / norm, q[1] / norm, q[2] / norm, q[3] / norm
        for a in range(p.first[o], p.first[o + 1]):
            u, v, t = shapes[at[o] + a - p.first[o]]
            arms[a, 0] = (1 - 2 * (j * j + k * k)) * u + 2 * (i * j - w * k) * v + 2 * (i * k + w * j) * t
            arms[a, 1] = 2 * (i * j + w * k) * u + (1 - 2 * (i * i + k * k)) * v + 2 * (j * k - w * i) * t
            arms[a, 2] = 2 * (i * k - w * j) * u + 2 * (j * k + w * i) * v + (1 - 2 * (i * i + j * j)) * t
            for c in range(3):
                x[a, c] = arms[a, c] + pose[o * POSE + c]


@njit(cache=True, fastmath=FAST)
def copied(p: Arrays, x: NDArray, y: NDArray, atom: NDArray, piece: NDArray) -> None:
    """Fill y (C, 3) Å with the atoms of all pieces, in `piece`, made from `atom`."""
    n = 0
    for s in range(len(p.piece_part)):
        o = p.piece_part[s]
        for a in range(p.first[o], p.first[o + 1]):
            for c in range(3):
                y[n, c] = (
                    p.turn[s, c, 0] * x[a, 0] + p.turn[s, c, 1] * x[a, 1] + p.turn[s, c, 2] * x[a, 2] + p.move[s, c]
                )
            atom[n], piece[n] = a, s
            n += 1
