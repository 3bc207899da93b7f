"""Downhill from one arrangement of rotors and groups to the next minimum, one piece at a time, compiled.

What a change does to the profile is estimated by the slope of the misfit, and only the most promising are computed.
The misfit is that of `generate.solving`: ``1 - c²``, c the correlation of the roots of measured and calculated profile.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from generate.solving.roots import FLOOR

COMPUTED = 3  # of the changes of one piece that promise most
PASSES = 12
GAIN = 1e-6


@njit(cache=True, fastmath=True)
def descend(
    nodes: NDArray,
    units: NDArray,
    groups: NDArray,
    owner: NDArray,
    twists: NDArray,
    turns: NDArray,
    start: NDArray,
    shape: NDArray,
    root: NDArray,
    trust: NDArray,
    order: NDArray,
    twist: NDArray,
    group: NDArray,
    turn: NDArray,
) -> float:
    """Change `twist`, `group` and `turn` in place until no change of one piece helps; return the misfit."""
    count = len(nodes)
    sums = nodes.copy()
    for u in range(len(units)):
        sums += units[u, twist[u]]
    for p in range(len(owner)):
        if group[p] >= 0:
            sums += groups[p, group[p], twist[owner[p]], turn[p]]
    by_root, by_intensity, work = np.empty(len(root)), np.empty(count), np.empty(len(root))
    misfit = _misfit(sums, start, shape, root, trust, by_root)
    _slope(by_root, start, shape, by_intensity)
    promise, where, other, spin = np.empty(COMPUTED), np.empty(COMPUTED, np.int64), np.empty(COMPUTED, np.int64), 0
    change, best = np.empty(count, np.complex64), np.empty(count, np.complex64)
    for _ in range(PASSES):
        before = misfit
        for piece in order:
            promise[:] = 0.0
            where[:] = -1
            other[:] = -1
            if piece < len(units):
                for a in range(twists[piece]):
                    if a != twist[piece]:
                        _twisting(units, groups, owner, twist, group, turn, piece, a, change)
                        _offer(_promise(sums, change, by_intensity), a, -1, promise, where, other)
            else:
                p = piece - len(units)
                if group[p] < 0:
                    continue
                for q in range(len(owner)):
                    if q != p and group[q] == group[p]:
                        continue
                    for t in range(turns[group[p]]):
                        if q == p and t == turn[p]:
                            continue
                        _moving(groups, owner, twist, group, turn, turns, p, q, t, change)
                        _offer(_promise(sums, change, by_intensity), q, t, promise, where, other)
            chosen, least = -1, misfit - GAIN
            for k in range(COMPUTED):
                if where[k] < 0:
                    continue
                if piece < len(units):
                    _twisting(units, groups, owner, twist, group, turn, piece, where[k], change)
                else:
                    _moving(groups, owner, twist, group, turn, turns, piece - len(units), where[k], other[k], change)
                new = _misfit(sums + change, start, shape, root, trust, work)
                if new < least:
                    chosen, least = k, new
                    best[:] = change
                    by_root[:] = work
            if chosen < 0:
                continue
            if piece < len(units):
                twist[piece] = where[chosen]
            else:
                p, q = piece - len(units), where[chosen]
                if q == p:
                    turn[p] = other[chosen]
                else:
                    spin = turn[p] % turns[group[q]] if group[q] >= 0 else 0
                    group[p], group[q] = group[q], group[p]
                    turn[p], turn[q] = spin, other[chosen]
            sums += best
            misfit = least
            _slope(by_root, start, shape, by_intensity)
        if before - misfit < GAIN:
            break
    return misfit


@njit(cache=True, fastmath=True)
def _offer(value: float, a: int, b: int, promise: NDArray, where: NDArray, other: NDArray) -> None:
    """Keep the changes that promise most, the most promising first."""
    if value >= promise[-1]:
        return
    k = len(promise) - 1
    while k > 0 and value < promise[k - 1]:
        promise[k], where[k], other[k] = promise[k - 1], where[k - 1], other[k - 1]
        k -= 1
    promise[k], where[k], other[k] = value, a, b


@njit(cache=True, fastmath=True)
def _twisting(
    units: NDArray,
    groups: NDArray,
    owner: NDArray,
    twist: NDArray,
    group: NDArray,
    turn: NDArray,
    u: int,
    a: int,
    out: NDArray,
) -> None:
    """Fill `out` (R,) with what twisting a linker, with all that is on it, adds to the structure factors."""
    now = twist[u]
    for r in range(len(out)):
        out[r] = units[u, a, r] - units[u, now, r]
    for p in range(len(owner)):
        if owner[p] == u and group[p] >= 0:
            new, old = groups[p, group[p], a, turn[p]], groups[p, group[p], now, turn[p]]
            for r in range(len(out)):
                out[r] += new[r] - old[r]


@njit(cache=True, fastmath=True)
def _moving(
    groups: NDArray,
    owner: NDArray,
    twist: NDArray,
    group: NDArray,
    turn: NDArray,
    turns: NDArray,
    p: int,
    q: int,
    t: int,
    out: NDArray,
) -> None:
    """Fill `out` (R,) with what putting the group of place p on place q in turn t adds; what is on q comes to p."""
    kind = group[p]
    old, new = groups[p, kind, twist[owner[p]], turn[p]], groups[q, kind, twist[owner[q]], t]
    for r in range(len(out)):
        out[r] = new[r] - old[r]
    if q != p and group[q] >= 0:
        back = groups[p, group[q], twist[owner[p]], turn[p] % turns[group[q]]]
        gone = groups[q, group[q], twist[owner[q]], turn[q]]
        for r in range(len(out)):
            out[r] += back[r] - gone[r]


@njit(cache=True, fastmath=True)
def _promise(sums: NDArray, change: NDArray, by_intensity: NDArray) -> float:
    """Return by how much a change of structure factors changes the misfit, by its slope."""
    total = 0.0
    for r in range(len(sums)):
        a, b, x, y = sums[r].real, sums[r].imag, change[r].real, change[r].imag
        total += by_intensity[r] * (2 * (a * x + b * y) + x * x + y * y)
    return total


@njit(cache=True, fastmath=True)
def _slope(by_profile: NDArray, start: NDArray, shape: NDArray, out: NDArray) -> None:
    """Fill `out` (R,) with the slope of the misfit by intensity."""
    for r in range(len(out)):
        total = 0.0
        for m in range(shape.shape[1]):
            total += by_profile[start[r] + m] * shape[r, m]
        out[r] = total


@njit(cache=True, fastmath=True)
def _misfit(sums: NDArray, start: NDArray, shape: NDArray, root: NDArray, trust: NDArray, slope: NDArray) -> float:
    """Return ``1 - c²`` and fill `slope` (M,), its derivative by the profile."""
    profile = np.full(len(root), 1e-12)
    for r in range(len(sums)):
        intensity = float(sums[r].real) ** 2 + float(sums[r].imag) ** 2
        for m in range(shape.shape[1]):
            profile[start[r] + m] += intensity * shape[r, m]
    total, seen = 0.0, 0.0
    for m in range(len(root)):
        total += trust[m] * profile[m]
        seen += trust[m] * root[m] ** 2
    scale = max(seen, 1e-12) / max(total, 1e-12)
    xy, xx = 0.0, 0.0
    for m in range(len(root)):
        calc = np.sqrt(profile[m] * scale + FLOOR)
        slope[m] = calc
        xy += trust[m] * calc * root[m]
        xx += trust[m] * calc * calc
    for m in range(len(root)):
        calc = slope[m]
        slope[m] = -(2 * xy / (xx * seen)) * trust[m] * (root[m] - xy / xx * calc) * scale / (2 * calc)
    return 1 - xy * xy / (xx * seen)
