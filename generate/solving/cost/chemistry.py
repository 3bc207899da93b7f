"""What bonds, coordination and contacts of an arrangement cost, with the forces on its atoms.

Pairs are those of an independent atom with any atom of the cell; by symmetry the force on the first, taken as often as
it has copies, is the derivative of the whole cell's cost.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from generate.solving.cost.arrays import Arrays
from generate.solving.cost.fast import FAST

DONOR_SHARE, METAL_SHARE, CLASH = 4.0, 2.0, 12.0  # k_d, k_m; k_c in Å⁻²
STIFF = 200.0  # Å⁻², of joints
SQUEEZE = 0.12  # Å below μ from which a bond is too short
REACH = 2.2  # widths beyond μ at which a share of a bond is nothing
MOST_NEAR = 64  # metals or donors around an atom that forces are kept of


@njit(cache=True, fastmath=FAST)
def chemistry_cost(
    p: Arrays, donor: NDArray, x: NDArray, y: NDArray, atom: NDArray, piece: NDArray, force: NDArray
) -> tuple[float, float, float]:
    """Return the cost of bonds, coordination and contacts, each per piece; add its gradient to `force` (A, 3).

    x (A, 3) Å are independent atoms, which bind where `donor` (A,) says so; y (C, 3) all atoms of the cell, made from
    `atom` (C,), in `piece` (C,).
    """
    most, pieces = MOST_NEAR * len(x), len(p.piece_part)
    ends, slope, vector = np.empty((2, most), np.int64), np.empty(most), np.empty((most, 3))
    bound, near, found, clash = np.zeros(len(x)), np.empty(3), 0, 0.0
    for o in range(len(p.first) - 1):
        for i in range(p.first[o], p.first[o + 1]):
            for n in range(len(y)):
                j = atom[n]
                one, two = p.kind[i], p.kind[j]
                binds = ((p.metal[i] and donor[j]) or (donor[i] and p.metal[j])) and p.bond[one, two] > 0
                mu, width = p.bond[one, two], p.width[one, two]
                nearest = mu - SQUEEZE if binds else p.contact[one, two]
                reach = mu + REACH * width if binds else nearest
                whole = _nearest(p, x[i], y[n], near)
                same = p.molecule[piece[n]] == p.molecule[p.own[o]]
                for s in range(len(p.images)):
                    if (
                        same
                        and whole[0] == p.images[s, 0]
                        and whole[1] == p.images[s, 1]
                        and whole[2] == p.images[s, 2]
                    ):
                        continue
                    e0, e1, e2 = near
                    for c in range(3):
                        e0 += p.images[s, c] * p.lattice[c, 0]
                        e1 += p.images[s, c] * p.lattice[c, 1]
                        e2 += p.images[s, c] * p.lattice[c, 2]
                    square = e0 * e0 + e1 * e1 + e2 * e2
                    if square >= reach * reach:
                        continue
                    distance = np.sqrt(square) + 1e-9
                    if binds:
                        off = max(0.0, distance - mu) / width
                        share = np.exp(-off * off)
                        bound[i] += share
                        if found < most and off > 0:
                            ends[0, found], ends[1, found] = i, j
                            slope[found] = -2 * off / width * share / distance
                            vector[found, 0], vector[found, 1], vector[found, 2] = e0, e1, e2
                            found += 1
                    if distance < nearest:
                        over = nearest - distance
                        clash += 0.5 * p.copies[i] * CLASH * over * over
                        g = 2 * CLASH * over / distance * p.copies[i] / pieces
                        force[i, 0] += g * e0
                        force[i, 1] += g * e1
                        force[i, 2] += g * e2
    by_bound, free, around = np.zeros(len(x)), 0.0, 0.0
    for i in range(len(x)):
        if donor[i] and bound[i] < 1:
            free += p.copies[i] * DONOR_SHARE * (1 - bound[i]) ** 2
            by_bound[i] = -2 * DONOR_SHARE * (1 - bound[i])
        if p.metal[i]:
            slack = p.slack[p.kind[i]]
            off = (bound[i] - p.wanted[i]) / slack
            around += p.copies[i] * METAL_SHARE * off * off
            by_bound[i] += 2 * METAL_SHARE * off / slack
    for n in range(found):
        i, j = ends[0, n], ends[1, n]
        force[i] -= (by_bound[i] + by_bound[j]) * slope[n] * p.copies[i] / pieces * vector[n]
    return free / pieces, around / pieces, clash / pieces


@njit(cache=True, fastmath=FAST)
def _nearest(p: Arrays, a: NDArray, b: NDArray, vector: NDArray) -> tuple[float, float, float]:
    """Fill `vector` (3,) Å from `a` to the nearest image of `b`, about; return by how many cells that was moved back.

    The image that is not moved at all is `b` itself.
    """
    d0, d1, d2 = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    r0 = np.rint(d0 * p.inverse[0, 0] + d1 * p.inverse[1, 0] + d2 * p.inverse[2, 0])
    r1 = np.rint(d0 * p.inverse[0, 1] + d1 * p.inverse[1, 1] + d2 * p.inverse[2, 1])
    r2 = np.rint(d0 * p.inverse[0, 2] + d1 * p.inverse[1, 2] + d2 * p.inverse[2, 2])
    vector[0] = d0 - r0 * p.lattice[0, 0] - r1 * p.lattice[1, 0] - r2 * p.lattice[2, 0]
    vector[1] = d1 - r0 * p.lattice[0, 1] - r1 * p.lattice[1, 1] - r2 * p.lattice[2, 1]
    vector[2] = d2 - r0 * p.lattice[0, 2] - r1 * p.lattice[1, 2] - r2 * p.lattice[2, 2]
    return r0, r1, r2


@njit(cache=True, fastmath=FAST)
def joint_cost(p: Arrays, x: NDArray, force: NDArray) -> float:
    """Return what the joints between rigid pieces of one molecule cost, per piece, and add to `force` (A, 3)."""
    cost, pieces = 0.0, len(p.piece_part)
    for k in range(len(p.joint)):
        i, j = p.joint[k]
        way = x[j] - x[i]
        distance = np.sqrt(np.dot(way, way)) + 1e-9
        off = distance - p.span[k]
        cost += p.copies[i] * STIFF * off * off
        pull = 2 * STIFF * off / distance * p.copies[i] / pieces * way
        force[i] -= pull
        force[j] += pull
    return cost / pieces
