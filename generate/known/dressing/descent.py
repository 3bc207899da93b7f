"""Downhill from one arrangement of rotors and groups to the next minimum, one piece at a time, compiled.

What a change does to the profile is estimated by the slope of the misfit, and only the most promising are computed.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from generate.solving.cost import by_intensity, misfit

COMPUTED = 3  # of the changes of one piece that promise most
PASSES = 12
GAIN = 1e-6


class Scattering(NamedTuple):
    """What is arranged, as compiled code takes it: see `Tables` and `Roots`."""

    still: NDArray[np.complex64]  # (R,)
    turned: NDArray[np.complex64]  # (V, A, R)
    strain: NDArray[np.float64]  # (V, A)
    groups: NDArray[np.complex64]  # (P, K, A, T, R)
    owner: NDArray[np.int64]  # (P,) rotor
    twists: NDArray[np.int64]  # (V,)
    turns: NDArray[np.int64]  # (K,)
    strength: NDArray[np.float64]  # (R,)
    start: NDArray[np.int64]  # (R,)
    shape: NDArray[np.float64]  # (R, W)
    root: NDArray[np.float64]  # (M,)
    high: NDArray[np.float64]  # (M,)
    trust: NDArray[np.float64]  # (M,)
    floor: float


class State(NamedTuple):
    """An arrangement, changed in place: see `Arrangement`."""

    twist: NDArray[np.int64]  # (V,)
    group: NDArray[np.int64]  # (P,)
    turn: NDArray[np.int64]  # (P,)


class Changes(NamedTuple):
    """The changes of one piece that promise most, the best first.

    Of a rotor `where` is a twist; of a group a place, and `turn` its turn there. Unused rows have -1.
    """

    promise: NDArray[np.float64]
    where: NDArray[np.int64]
    turn: NDArray[np.int64]


@njit(cache=True, fastmath=True)
def descend(p: Scattering, s: State, order: NDArray) -> float:
    """Change a state in place until no change of one piece helps; return the misfit with the strain of its twists.

    Pieces are taken in `order`: first the V rotors are numbered, then the P places.
    """
    sums, strained = p.still.copy(), 0.0
    for u in range(len(p.turned)):
        sums += p.turned[u, s.twist[u]]
        strained += p.strain[u, s.twist[u]]
    for q in range(len(p.owner)):
        if s.group[q] >= 0:
            sums += p.groups[q, s.group[q], s.twist[p.owner[q]], s.turn[q]]
    slope, work, by_line = np.empty(len(p.root)), np.empty(len(p.root)), np.empty(len(p.still))
    change, best = np.empty_like(p.still), np.empty_like(p.still)
    changes = Changes(np.empty(COMPUTED), np.empty(COMPUTED, np.int64), np.empty(COMPUTED, np.int64))
    cost = _cost(p, sums, slope) + strained
    _by_line(p, slope, by_line)
    for _ in range(PASSES):
        before = cost
        for piece in order:
            _look_around(p, s, piece, sums, by_line, change, changes)
            chosen, least, strain = -1, cost - GAIN, strained
            for k in range(COMPUTED):
                if changes.where[k] < 0:
                    break
                _change(p, s, piece, changes.where[k], changes.turn[k], change)
                after = strained + _strain(p, s, piece, changes.where[k])
                new = _cost(p, sums + change, work) + after
                if new < least:
                    chosen, least, strain = k, new, after
                    best[:], slope[:] = change, work
            if chosen >= 0:
                _apply(p, s, piece, changes.where[chosen], changes.turn[chosen])
                sums += best
                cost, strained = least, strain
                _by_line(p, slope, by_line)
        if before - cost < GAIN:
            break
    return cost


@njit(cache=True, fastmath=True)
def _cost(p: Scattering, sums: NDArray, slope: NDArray) -> float:
    """Return the misfit of structure factors (R,) and fill its slope (M,) by the profile."""
    intensity = np.empty(len(sums))
    for r in range(len(sums)):
        intensity[r] = p.strength[r] * (float(sums[r].real) ** 2 + float(sums[r].imag) ** 2)
    return misfit(intensity, p.start, p.shape, p.root, p.high, p.trust, p.floor, slope)


@njit(cache=True, fastmath=True)
def _by_line(p: Scattering, slope: NDArray, out: NDArray) -> None:
    """Fill `out` (R,) with the slope of the misfit by squared structure factors."""
    for r in range(len(out)):
        out[r] = p.strength[r] * by_intensity(slope, p.start, p.shape, r)


@njit(cache=True, fastmath=True)
def _look_around(
    p: Scattering, s: State, piece: int, sums: NDArray, by_line: NDArray, change: NDArray, changes: Changes
) -> None:
    """Fill `changes` with those of one piece that promise most."""
    changes.promise[:], changes.where[:], changes.turn[:] = 0.0, -1, -1
    if piece < len(p.turned):
        for a in range(p.twists[piece]):
            if a != s.twist[piece]:
                _change(p, s, piece, a, -1, change)
                _offer(_promise(sums, change, by_line) + _strain(p, s, piece, a), a, -1, changes)
        return
    here = piece - len(p.turned)
    kind = s.group[here]
    if kind < 0:
        return
    for there in range(len(p.owner)):
        if there != here and s.group[there] == kind:
            continue
        for t in range(p.turns[kind]):
            if there != here or t != s.turn[here]:
                _change(p, s, piece, there, t, change)
                _offer(_promise(sums, change, by_line), there, t, changes)


@njit(cache=True, fastmath=True)
def _offer(value: float, where: int, turn: int, changes: Changes) -> None:
    """Keep a change among the most promising ones, if it is one."""
    k = len(changes.promise) - 1
    if value >= changes.promise[k]:
        return
    while k > 0 and value < changes.promise[k - 1]:
        changes.promise[k] = changes.promise[k - 1]
        changes.where[k], changes.turn[k] = changes.where[k - 1], changes.turn[k - 1]
        k -= 1
    changes.promise[k], changes.where[k], changes.turn[k] = value, where, turn


@njit(cache=True, fastmath=True)
def _promise(sums: NDArray, change: NDArray, by_line: NDArray) -> float:
    """Return by how much a change of structure factors changes the misfit, by its slope."""
    total = 0.0
    for r in range(len(sums)):
        a, b, x, y = sums[r].real, sums[r].imag, change[r].real, change[r].imag
        total += by_line[r] * (2 * (a * x + b * y) + x * x + y * y)
    return total


@njit(cache=True, fastmath=True)
def _strain(p: Scattering, s: State, piece: int, where: int) -> float:
    """Return by how much a change of a piece changes the strain of the twists."""
    return p.strain[piece, where] - p.strain[piece, s.twist[piece]] if piece < len(p.turned) else 0.0


@njit(cache=True, fastmath=True)
def _change(p: Scattering, s: State, piece: int, where: int, turn: int, out: NDArray) -> None:
    """Fill `out` (R,) with what a change adds to the structure factors."""
    if piece < len(p.turned):
        now = s.twist[piece]
        _difference(p.turned[piece, where], p.turned[piece, now], out, False)
        for q in range(len(p.owner)):
            if p.owner[q] == piece and s.group[q] >= 0:
                group = p.groups[q, s.group[q]]
                _difference(group[where, s.turn[q]], group[now, s.turn[q]], out, True)
        return
    here = piece - len(p.turned)
    kind, twist, twist_there = s.group[here], s.twist[p.owner[here]], s.twist[p.owner[where]]
    _difference(p.groups[where, kind, twist_there, turn], p.groups[here, kind, twist, s.turn[here]], out, False)
    other = s.group[where]
    if where != here and other >= 0:  # what is there comes here
        back = p.groups[here, other, twist, s.turn[here] % p.turns[other]]
        _difference(back, p.groups[where, other, twist_there, s.turn[where]], out, True)


@njit(cache=True, fastmath=True)
def _difference(new: NDArray, old: NDArray, out: NDArray, more: bool) -> None:
    """Fill `out` (R,) with what replaces what, or add it where there is something already."""
    for r in range(len(out)):
        out[r] = new[r] - old[r] + (out[r] if more else 0)


@njit(cache=True, fastmath=True)
def _apply(p: Scattering, s: State, piece: int, where: int, turn: int) -> None:
    """Carry a change out."""
    if piece < len(p.turned):
        s.twist[piece] = where
        return
    here = piece - len(p.turned)
    if where != here:
        other = s.group[where]
        s.turn[here] = s.turn[here] % p.turns[other] if other >= 0 else 0
        s.group[here], s.group[where] = other, s.group[here]
    s.turn[where] = turn
