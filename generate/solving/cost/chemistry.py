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
    bound, found, clash = np.zeros(len(x)), 0, 0.0
    near, moved = np.empty((4, len(y))), np.empty((3, len(y)))
    kind, places = p.kind[atom], np.ascontiguousarray(y.T)
    farthest = max(p.contact.max(), (p.bond + REACH * p.width).max())
    for o in range(len(p.first) - 1):
        molecule = p.molecule[p.own[o]]
        for i in range(p.first[o], p.first[o + 1]):
            _nearest(p, x[i], places, near, moved)
            one = p.kind[i]
            for s in range(len(p.images)):
                a0, a1, a2 = 0.0, 0.0, 0.0
                for c in range(3):
                    a0 += p.images[s, c] * p.lattice[c, 0]
                    a1 += p.images[s, c] * p.lattice[c, 1]
                    a2 += p.images[s, c] * p.lattice[c, 2]
                for n in range(len(y)):
                    e0, e1, e2 = near[0, n] + a0, near[1, n] + a1, near[2, n] + a2
                    near[3, n] = e0 * e0 + e1 * e1 + e2 * e2
                for n in range(len(y)):
                    square = near[3, n]
                    if square >= farthest * farthest:
                        continue
                    j, two = atom[n], kind[n]
                    mu, width = p.bond[one, two], p.width[one, two]
                    binds = mu > 0 and ((p.metal[i] and donor[j]) or (donor[i] and p.metal[j]))
                    nearest = mu - SQUEEZE if binds else p.contact[one, two]
                    reach = mu + REACH * width if binds else nearest
                    if square >= reach * reach or (
                        p.molecule[piece[n]] == molecule
                        and moved[0, n] == p.images[s, 0]
                        and moved[1, n] == p.images[s, 1]
                        and moved[2, n] == p.images[s, 2]
                    ):
                        continue
                    e0, e1, e2 = near[0, n] + a0, near[1, n] + a1, near[2, n] + a2
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
def _nearest(p: Arrays, a: NDArray, places: NDArray, near: NDArray, moved: NDArray) -> None:
    """Fill the first rows of `near` with the vectors Å from `a` to the nearest image of each of places (3, C), about.

    `moved` (3, C) are the cells that each was moved back by; the image that is not moved at all is the atom itself.
    """
    inverse, lattice = p.inverse, p.lattice
    a0, a1, a2 = a[0], a[1], a[2]
    i00, i01, i02 = inverse[0, 0], inverse[0, 1], inverse[0, 2]
    i10, i11, i12 = inverse[1, 0], inverse[1, 1], inverse[1, 2]
    i20, i21, i22 = inverse[2, 0], inverse[2, 1], inverse[2, 2]
    l00, l01, l02 = lattice[0, 0], lattice[0, 1], lattice[0, 2]
    l10, l11, l12 = lattice[1, 0], lattice[1, 1], lattice[1, 2]
    l20, l21, l22 = lattice[2, 0], lattice[2, 1], lattice[2, 2]
    for n in range(places.shape[1]):  # numbers, not arrays, so that several are done at once
        d0, d1, d2 = places[0, n] - a0, places[1, n] - a1, places[2, n] - a2
        r0 = np.rint(d0 * i00 + d1 * i10 + d2 * i20)
        r1 = np.rint(d0 * i01 + d1 * i11 + d2 * i21)
        r2 = np.rint(d0 * i02 + d1 * i12 + d2 * i22)
        near[0, n] = d0 - r0 * l00 - r1 * l10 - r2 * l20
        near[1, n] = d1 - r0 * l01 - r1 * l11 - r2 * l21
        near[2, n] = d2 - r0 * l02 - r1 * l12 - r2 * l22
        moved[0, n], moved[1, n], moved[2, n] = r0, r1, r2


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
