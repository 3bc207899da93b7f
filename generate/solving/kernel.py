"""The cost of an arrangement of rigid parts and its gradient, compiled: this is where a search spends its time.

    cost = λ (1 - c²) + (Σ_donors k_d (1 - min(1, v))² + Σ_metals k_m ((n - N) / s)² + Σ_pairs k_c (r₀ - d)²₊) / pieces

c is the correlation of the roots of the measured and the calculated profile. A metal and a donor at distance d share a
bond of ``b(d) = 1 for d < μ, exp(-((d - μ) / w)²) beyond``; v sums over the metals of a donor, n over the donors of a
metal, which has N of them usually. r₀ is the nearest that two atoms of different parts come, or μ less a bit.

An arrangement is a row of numbers, for each independent part its place (3, Å) and a quaternion (4) of length ρ = twice
the part's radius, so that a step of 1 moves atoms by about 1 Å in both. Symmetry operations make the other parts.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

POSE = 7  # numbers of one part
FEWEST_DONORS, METAL_SHARE, CLASH = 4.0, 2.0, 12.0  # k_d, k_m; k_c in Å⁻²
SQUEEZE = 0.12  # Å below μ from which a bond is too short
MEMORY = 6  # pairs of steps and changes of the gradient that a descent remembers
LONGEST_STEP = 0.6  # Å or so


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
    place: NDArray[np.float64]  # (O, 3, 3) projection of a part's place onto what its site allows
    spin: NDArray[np.float64]  # (O, 4, 4) of its quaternion
    hkl: NDArray[np.int64]  # (R, 3) h >= 0, sorted
    factor: NDArray[np.float32]  # (T, R) form factors
    strength: NDArray[np.float64]  # (R,) multiplicity, Lorentz and polarisation
    shape: NDArray[np.float64]  # (R, W) profile of each reflection
    start: NDArray[np.int64]  # (R,) its first point
    root: NDArray[np.float64]  # (M,) of the measured profile
    trust: NDArray[np.float64]  # (M,) weights
    floor: float  # added under the root
    bond: NDArray[np.float64]  # (T, T) μ, 0 for pairs that do not bind
    width: NDArray[np.float64]  # (T, T) w
    contact: NDArray[np.float64]  # (T, T) r₀
    wanted: NDArray[np.float64]  # (A,) N, less what a metal has in its own part
    slack: NDArray[np.float64]  # (T,) s
    images: NDArray[np.float64]  # (S, 3) whole cells to look at around the nearest image


@njit(cache=True, fastmath=True)
def _placed(p, pose, shapes, at, x, arms):  # type: ignore[no-untyped-def]
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


@njit(cache=True, fastmath=True)
def _copied(p, x, y, atom, piece):  # type: ignore[no-untyped-def]
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


@njit(cache=True, fastmath=True)
def _waves(frac, highest, real, imag):  # type: ignore[no-untyped-def]
    """Fill (H + 1, C) tables of exp(2πi n x) for n = 0 .. H."""
    for c in range(len(frac)):
        angle = 2 * np.pi * (frac[c] - np.rint(frac[c]))
        a, b = np.cos(angle), np.sin(angle)
        u, v = 1.0, 0.0
        for n in range(highest + 1):
            real[n, c], imag[n, c] = u, v
            u, v = u * a - v * b, u * b + v * a


@njit(cache=True, fastmath=True)
def _pattern(p, y, atom, weight, force):  # type: ignore[no-untyped-def]
    """Return ``1 - c²`` and add `weight` times its gradient by the places of the atoms (C, 3) to `force`."""
    count, lines, points = len(y), len(p.hkl), len(p.root)
    frac = np.empty((3, count))
    for n in range(count):
        for c in range(3):
            frac[c, n] = y[n, 0] * p.inverse[0, c] + y[n, 1] * p.inverse[1, c] + y[n, 2] * p.inverse[2, c]
    highest = np.zeros(3, np.int64)
    for r in range(lines):
        for c in range(3):
            highest[c] = max(highest[c], abs(p.hkl[r, c]))
    hr, hi = np.empty((highest[0] + 1, count), np.float32), np.empty((highest[0] + 1, count), np.float32)
    kr, ki = np.empty((highest[1] + 1, count), np.float32), np.empty((highest[1] + 1, count), np.float32)
    lr, li = np.empty((highest[2] + 1, count), np.float32), np.empty((highest[2] + 1, count), np.float32)
    _waves(frac[0], highest[0], hr, hi)
    _waves(frac[1], highest[1], kr, ki)
    _waves(frac[2], highest[2], lr, li)
    kind = np.empty(count, np.int64)
    for n in range(count):
        kind[n] = p.kind[atom[n]]
    real, imag = np.empty((lines, count), np.float32), np.empty((lines, count), np.float32)
    fr, fi = np.zeros(lines), np.zeros(lines)
    mr, mi = np.empty(count, np.float32), np.empty(count, np.float32)  # of this (h, k)
    weights = np.empty(count, np.float32)
    for r in range(lines):
        h, k, l = p.hkl[r, 0], p.hkl[r, 1], p.hkl[r, 2]
        if r == 0 or h != p.hkl[r - 1, 0] or k != p.hkl[r - 1, 1]:
            sign = np.float32(1 if k >= 0 else -1)
            a, b, c, d = hr[h], hi[h], kr[abs(k)], ki[abs(k)]
            for n in range(count):
                mr[n] = a[n] * c[n] - sign * b[n] * d[n]
                mi[n] = b[n] * c[n] + sign * a[n] * d[n]
        sign = np.float32(1 if l >= 0 else -1)
        c, d = lr[abs(l)], li[abs(l)]
        for n in range(count):
            weights[n] = p.factor[kind[n], r]
        sr, si = np.float32(0), np.float32(0)
        er, ei = real[r], imag[r]
        for n in range(count):
            u = (mr[n] * c[n] - sign * mi[n] * d[n]) * weights[n]
            v = (mi[n] * c[n] + sign * mr[n] * d[n]) * weights[n]
            er[n], ei[n] = u, v
            sr += u
            si += v
        fr[r], fi[r] = sr, si
    profile = np.full(points, 1e-12)
    for r in range(lines):
        intensity = p.strength[r] * (fr[r] ** 2 + fi[r] ** 2)
        at = p.start[r]
        for m in range(p.shape.shape[1]):
            profile[at + m] += intensity * p.shape[r, m]
    # scale such that the floor under the root means the same for both
    total, seen = 0.0, 0.0
    for m in range(points):
        total += p.trust[m] * profile[m]
        seen += p.trust[m] * p.root[m] ** 2
    scale = max(seen, 1e-12) / max(total, 1e-12)
    xy, xx, yy = 0.0, 0.0, 0.0
    for m in range(points):
        calc = np.sqrt(profile[m] * scale + p.floor)
        xy += p.trust[m] * calc * p.root[m]
        xx += p.trust[m] * calc * calc
        yy += p.trust[m] * p.root[m] ** 2
    square = xy * xy / (xx * yy)
    slope = np.empty(points)  # of the cost by the profile, the scale held
    for m in range(points):
        calc = np.sqrt(profile[m] * scale + p.floor)
        slope[m] = -(2 * xy / (xx * yy)) * p.trust[m] * (p.root[m] - xy / xx * calc) * scale / (2 * calc)
    gx, gy, gz = np.zeros(count, np.float32), np.zeros(count, np.float32), np.zeros(count, np.float32)
    for r in range(lines):
        by_intensity, at = 0.0, p.start[r]
        for m in range(p.shape.shape[1]):
            by_intensity += slope[at + m] * p.shape[r, m]
        by_intensity *= p.strength[r] * 4 * np.pi * weight
        u, v = np.float32(fr[r] * by_intensity), np.float32(fi[r] * by_intensity)
        h, k, l = np.float32(p.hkl[r, 0]), np.float32(p.hkl[r, 1]), np.float32(p.hkl[r, 2])
        er, ei = real[r], imag[r]
        for n in range(count):
            t = v * er[n] - u * ei[n]
            gx[n] += h * t
            gy[n] += k * t
            gz[n] += l * t
    for n in range(count):
        for c in range(3):
            force[n, c] += p.inverse[c, 0] * gx[n] + p.inverse[c, 1] * gy[n] + p.inverse[c, 2] * gz[n]
    return 1 - square


@njit(cache=True, fastmath=True)
def _chemistry(p, donor, x, y, atom, piece, scale, force):  # type: ignore[no-untyped-def]
    """Return bonds', coordinations' and contacts' cost, each per piece; add `scale` times the gradient to `force`.

    Pairs are those of an independent atom with any atom of the cell; by symmetry the force on the first, taken as often
    as it has copies, is the derivative of the whole cell's cost.
    """
    atoms, count, pieces = len(x), len(y), len(p.piece_part)
    part = np.empty(atoms, np.int64)
    for o in range(len(p.first) - 1):
        part[p.first[o] : p.first[o + 1]] = o
    most = 64 * atoms + 64
    one, two = np.empty(most, np.int64), np.empty(most, np.int64)
    vector, share, slope = np.empty((most, 3)), np.empty(most), np.empty(most)
    found, clash = 0, 0.0
    bound = np.zeros(atoms)
    for i in range(atoms):
        mine = p.own[part[i]]
        zi = p.kind[i]
        binds = p.metal[i] or donor[i]
        for n in range(count):
            j = atom[n]
            d0, d1, d2 = y[n, 0] - x[i, 0], y[n, 1] - x[i, 1], y[n, 2] - x[i, 2]
            f0 = d0 * p.inverse[0, 0] + d1 * p.inverse[1, 0] + d2 * p.inverse[2, 0]
            f1 = d0 * p.inverse[0, 1] + d1 * p.inverse[1, 1] + d2 * p.inverse[2, 1]
            f2 = d0 * p.inverse[0, 2] + d1 * p.inverse[1, 2] + d2 * p.inverse[2, 2]
            r0, r1, r2 = np.rint(f0), np.rint(f1), np.rint(f2)
            zj = p.kind[j]
            limit = p.contact[zi, zj]
            pair = binds and ((p.metal[i] and donor[j]) or (donor[i] and p.metal[j])) and p.bond[zi, zj] > 0
            reach = max(limit, p.bond[zi, zj] + 2.2 * p.width[zi, zj]) if pair else limit
            for s in range(len(p.images)):
                s0, s1, s2 = p.images[s, 0] - r0, p.images[s, 1] - r1, p.images[s, 2] - r2
                if piece[n] == mine and s0 == 0 and s1 == 0 and s2 == 0:
                    continue
                v0, v1, v2 = f0 + s0, f1 + s1, f2 + s2
                e0 = v0 * p.lattice[0, 0] + v1 * p.lattice[1, 0] + v2 * p.lattice[2, 0]
                e1 = v0 * p.lattice[0, 1] + v1 * p.lattice[1, 1] + v2 * p.lattice[2, 1]
                e2 = v0 * p.lattice[0, 2] + v1 * p.lattice[1, 2] + v2 * p.lattice[2, 2]
                square = e0 * e0 + e1 * e1 + e2 * e2
                if square >= reach * reach:
                    continue
                distance = np.sqrt(square) + 1e-9
                nearest = limit
                if pair:
                    mu, w = p.bond[zi, zj], p.width[zi, zj]
                    b, db = 1.0, 0.0
                    if distance > mu:
                        b = np.exp(-(((distance - mu) / w) ** 2))
                        db = -2 * (distance - mu) / w**2 * b
                    if found < most:
                        one[found], two[found], share[found], slope[found] = i, j, b, db / distance
                        vector[found, 0], vector[found, 1], vector[found, 2] = e0, e1, e2
                        found += 1
                    bound[i] += b
                    nearest = mu - SQUEEZE
                if distance < nearest:
                    over = nearest - distance
                    clash += 0.5 * p.copies[i] * CLASH * over * over
                    g = 2 * CLASH * over / distance * p.copies[i] * scale / pieces
                    force[i, 0] += g * e0
                    force[i, 1] += g * e1
                    force[i, 2] += g * e2
    free, around = 0.0, 0.0
    by_bound = np.zeros(atoms)
    for i in range(atoms):
        if donor[i] and bound[i] < 1:
            free += p.copies[i] * FEWEST_DONORS * (1 - bound[i]) ** 2
            by_bound[i] = -2 * FEWEST_DONORS * (1 - bound[i])
        if p.metal[i]:
            off = (bound[i] - p.wanted[i]) / p.slack[p.kind[i]]
            around += p.copies[i] * METAL_SHARE * off * off
            by_bound[i] += 2 * METAL_SHARE * off / p.slack[p.kind[i]]
    for n in range(found):
        i, j = one[n], two[n]
        g = -(by_bound[i] + by_bound[j]) * slope[n] * p.copies[i] * scale / pieces
        for c in range(3):
            force[i, c] += g * vector[n, c]
    return free / pieces, around / pieces, clash / pieces


@njit(cache=True, fastmath=True)
def evaluate(p, pose, shapes, at, weight, gradient, parts):  # type: ignore[no-untyped-def]
    """Return the cost of a pose (O * 7,), fill its gradient, and `parts` (4,): pattern, bonds, coordination, contacts.

    `shapes` (., 3) holds the atoms of all conformers; those of part o begin at row `at[o]`. `weight` is λ.
    """
    atoms, count = len(p.kind), 0
    for s in range(len(p.piece_part)):
        count += p.first[p.piece_part[s] + 1] - p.first[p.piece_part[s]]
    x, arms, y = np.empty((atoms, 3)), np.empty((atoms, 3)), np.empty((count, 3))
    atom, piece = np.empty(count, np.int64), np.empty(count, np.int64)
    donor = np.empty(atoms, np.bool_)
    for o in range(len(p.first) - 1):
        for a in range(p.first[o], p.first[o + 1]):
            donor[a] = p.binding[at[o] + a - p.first[o]]
    _placed(p, pose, shapes, at, x, arms)
    _copied(p, x, y, atom, piece)
    on_copies, on_atoms = np.zeros((count, 3)), np.zeros((atoms, 3))
    parts[0] = _pattern(p, y, atom, weight, on_copies) if weight > 0 else 0.0
    parts[1], parts[2], parts[3] = _chemistry(p, donor, x, y, atom, piece, 1.0, on_atoms)
    for n in range(count):
        turn = p.turn[piece[n]]
        for c in range(3):
            on_atoms[atom[n], c] += (
                turn[0, c] * on_copies[n, 0] + turn[1, c] * on_copies[n, 1] + turn[2, c] * on_copies[n, 2]
            )
    gradient[:] = 0
    for o in range(len(p.first) - 1):
        g, torque = np.zeros(3), np.zeros(3)
        for a in range(p.first[o], p.first[o + 1]):
            f, r = on_atoms[a], arms[a]
            g += f
            torque[0] += r[1] * f[2] - r[2] * f[1]
            torque[1] += r[2] * f[0] - r[0] * f[2]
            torque[2] += r[0] * f[1] - r[1] * f[0]
        q = pose[o * POSE + 3 : o * POSE + 7]
        norm = np.sqrt(q[0] ** 2 + q[1] ** 2 + q[2] ** 2 + q[3] ** 2) + 1e-12
        w, i, j, k = q[0] / norm, q[1] / norm, q[2] / norm, q[3] / norm
        t0, t1, t2 = torque
        by_q = np.empty(4)  # 2 (0, torque) q / |q|
        by_q[0] = 2 * (-t0 * i - t1 * j - t2 * k) / norm
        by_q[1] = 2 * (t0 * w + t1 * k - t2 * j) / norm
        by_q[2] = 2 * (-t0 * k + t1 * w + t2 * i) / norm
        by_q[3] = 2 * (t0 * j - t1 * i + t2 * w) / norm
        for c in range(3):
            for d in range(3):
                gradient[o * POSE + c] += p.place[o, c, d] * g[d]
        for c in range(4):
            for d in range(4):
                gradient[o * POSE + 3 + c] += p.spin[o, c, d] * by_q[d]
    return weight * parts[0] + parts[1] + parts[2] + parts[3]


@njit(cache=True, fastmath=True)
def descend(p, pose, shapes, at, weight, steps, tolerance):  # type: ignore[no-untyped-def]
    """Move a pose downhill in place by about at most `steps` evaluations; return its cost, and how many it took.

    Limited-memory BFGS (Nocedal, 1980): the last `MEMORY` changes stand for the curvature; steps are halved until the
    cost falls. It ends where a step gains less than `tolerance`.
    """
    size = len(pose)
    gradient, trial, slope, parts = np.zeros(size), np.empty(size), np.zeros(size), np.zeros(4)
    step_memory, change_memory, rho = np.zeros((MEMORY, size)), np.zeros((MEMORY, size)), np.zeros(MEMORY)
    alpha, kept, used = np.zeros(MEMORY), 0, 1
    cost = evaluate(p, pose, shapes, at, weight, gradient, parts)
    quiet = 0
    while used < steps:
        direction = -gradient
        for n in range(kept):
            row = kept - 1 - n
            alpha[row] = rho[row] * np.dot(step_memory[row], direction)
            direction -= alpha[row] * change_memory[row]
        if kept:
            direction *= np.dot(step_memory[kept - 1], change_memory[kept - 1]) / (
                np.dot(change_memory[kept - 1], change_memory[kept - 1]) + 1e-30
            )
        for row in range(kept):
            direction += (alpha[row] - rho[row] * np.dot(change_memory[row], direction)) * step_memory[row]
        down = np.dot(direction, gradient)
        if down >= 0:
            direction, kept = -gradient, 0
            down = np.dot(direction, gradient)
        largest = 0.0
        for c in range(size):
            largest = max(largest, abs(direction[c]))
        if largest < 1e-9:
            break
        length = min(1.0, LONGEST_STEP / largest) if kept else min(1.0, 0.2 / largest)
        gained = False
        before = cost
        for _ in range(6):
            for c in range(size):
                trial[c] = pose[c] + length * direction[c]
            new = evaluate(p, trial, shapes, at, weight, slope, parts)
            used += 1
            if new < cost + 1e-4 * length * down:
                gained = True
                break
            length *= 0.4
        if not gained:
            if kept == 0:
                break
            kept = 0
            continue
        if kept == MEMORY:
            for row in range(MEMORY - 1):
                step_memory[row], change_memory[row], rho[row] = step_memory[row + 1], change_memory[row + 1], rho[row + 1]
            kept -= 1
        step_memory[kept], change_memory[kept] = trial - pose, slope - gradient
        curve = np.dot(step_memory[kept], change_memory[kept])
        if curve > 1e-10:
            rho[kept] = 1 / curve
            kept += 1
        pose[:], gradient[:], cost = trial, slope, new
        quiet = quiet + 1 if before - cost < tolerance else 0
        if quiet >= 3:
            break
    return cost, used


@njit(cache=True, fastmath=True)
def descend_all(p, poses, shapes, at, weight, steps, tolerance, costs):  # type: ignore[no-untyped-def]
    """Descend from each of (B, O * 7) poses with conformers (B, O); fill their costs (B,), return all evaluations."""
    total = 0
    for b in range(len(poses)):
        costs[b], used = descend(p, poses[b], shapes, at[b], weight, steps, tolerance)
        total += used
    return total
