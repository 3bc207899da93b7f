"""The cost of an arrangement of rigid parts and its gradient, compiled: this is where a search spends its time.

    cost = λ (1 - c²) + (Σ_donors k_d (1 - min(1, v))² + Σ_metals k_m ((n - N) / s)² + Σ_pairs k_c (r₀ - d)²₊) / pieces

c is the correlation of the roots of the measured and the calculated profile. A metal and a donor at distance d share a
bond of ``b(d) = 1 for d < μ, exp(-((d - μ) / w)²) beyond``; v sums over the metals of a donor, n over the donors of a
metal, which has N of them usually. r₀ is the nearest that two atoms of different parts come, or μ less a bit.

An arrangement is a row of numbers, for each independent part its place (3, Å) and a quaternion (4) of length ρ = twice
the part's radius, so that a step of 1 moves atoms by about 1 Å in both. Symmetry operations make the other parts.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from generate.solving.cost.arrays import POSE, Arrays
from generate.solving.cost.chemistry import chemistry_cost, joint_cost
from generate.solving.cost.fast import FAST
from generate.solving.cost.pattern import pattern_cost
from generate.solving.cost.places import copied, placed


@njit(cache=True, fastmath=FAST)
def evaluate(
    p: Arrays, pose: NDArray, shapes: NDArray, at: NDArray, weight: float, gradient: NDArray, terms: NDArray
) -> float:
    """Return the cost of a pose (O * 7,), fill its gradient, and `terms` (4,): pattern, bonds, coordination, contacts.

    `shapes` (., 3) holds the atoms of all conformers; those of part o begin at row `at[o]`. `weight` is λ.
    """
    atoms, count = len(p.kind), 0
    for o in p.piece_part:
        count += p.first[o + 1] - p.first[o]
    x, arms, y = np.empty((atoms, 3)), np.empty((atoms, 3)), np.empty((count, 3))
    atom, piece, donor = np.empty(count, np.int64), np.empty(count, np.int64), np.empty(atoms, np.bool_)
    for o in range(len(p.first) - 1):
        for a in range(p.first[o], p.first[o + 1]):
            donor[a] = p.binding[at[o] + a - p.first[o]]
    placed(p, pose, shapes, at, x, arms)
    copied(p, x, y, atom, piece)
    on_copies, on_atoms = np.zeros((count, 3)), np.zeros((atoms, 3))
    terms[0] = pattern_cost(p, y, atom, weight, on_copies) if weight > 0 else 0.0
    terms[1], terms[2], terms[3] = chemistry_cost(p, donor, x, y, atom, piece, on_atoms)
    terms[3] += joint_cost(p, x, on_atoms)
    for n in range(count):
        turn = p.turn[piece[n]]
        for c in range(3):
            on_atoms[atom[n], c] += (
                turn[0, c] * on_copies[n, 0] + turn[1, c] * on_copies[n, 1] + turn[2, c] * on_copies[n, 2]
            )
    _collect(p, pose, arms, on_atoms, gradient)
    return weight * terms[0] + terms[1] + terms[2] + terms[3]


@njit(cache=True, fastmath=FAST)
def _collect(p: Arrays, pose: NDArray, arms: NDArray, force: NDArray, gradient: NDArray) -> None:
    """Turn forces on atoms (A, 3) at `arms` (A, 3) from their centres into the gradient by the pose.

    A turn by the vector ω moves an atom by ``ω x arm`` and the unit quaternion by ``(0, ω) q / 2``.
    """
    gradient[:] = 0
    for o in range(len(p.first) - 1):
        push, torque = np.zeros(3), np.zeros(3)
        for a in range(p.first[o], p.first[o + 1]):
            f, r = force[a], arms[a]
            push += f
            torque[0] += r[1] * f[2] - r[2] * f[1]
            torque[1] += r[2] * f[0] - r[0] * f[2]
            torque[2] += r[0] * f[1] - r[1] * f[0]
        q = pose[o * POSE + 3 : o * POSE + 7]
        norm = np.sqrt(q[0] ** 2 + q[1] ** 2 + q[2] ** 2 + q[3] ** 2) + 1e-12
        w, i, j, k = q / norm
        t0, t1, t2 = torque
        by_q = np.empty(4)  # 2 (0, torque) q / |q|
        by_q[0] = 2 * (-t0 * i - t1 * j - t2 * k) / norm
        by_q[1] = 2 * (t0 * w + t1 * k - t2 * j) / norm
        by_q[2] = 2 * (-t0 * k + t1 * w + t2 * i) / norm
        by_q[3] = 2 * (t0 * j - t1 * i + t2 * w) / norm
        gradient[o * POSE : o * POSE + 3] = p.place[o] @ push
        gradient[o * POSE + 3 : o * POSE + 7] = p.spin[o] @ by_q
