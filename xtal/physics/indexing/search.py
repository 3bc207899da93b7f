"""Trial metrics from the places of found lines, by system: compiled enumerations, exhaustive over few lines.

Few lines are given low indices and the metric is solved for; all found lines then judge it (`metric.score`).
Triclinic: six lines are the vectors of a basis and their pairwise sums, Q(a), Q(b), Q(c), Q(a ± b), Q(a ± c),
Q(b ± c), as in Ito (1949) and in Conway's superbases; the two choices of sign that differ are both tried, and so is
one Q of the basis a quarter of a found one, where only the second order shows. Monoclinic:
three lines are a zone Q(a), Q(c), Q(a ± c), or every second or fourth line of it, and a fourth gives b.
"""

from dataclasses import dataclass

# ruff: noqa: E741 - h, k, l and I are what crystallography calls them
import numpy as np
from numba import njit
from numpy.typing import NDArray

from xtal.physics.indexing.metric import (
    CUBIC,
    MONOCLINIC,
    ORTHORHOMBIC,
    TRICLINIC,
    A,
    C,
    F,
    I,
    P,
    R,
    determinant,
    score,
)

KEPT = 1500
FIRST_LINES, PROMISING = 9, 1.0  # ln of how much more likely than at random a metric must make so many lines
# which centrings a zone may have that is every line of it, every second one in three ways, or every fourth in three
ZONES = np.zeros((7, R + 1), np.bool_)
ZONES[[0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 5, 6], [P, P, C, P, A, P, I, A, C, I, P, P]] = True
MOST_LINES = 4000  # of a candidate within the range that is looked at


@dataclass(frozen=True, eq=False)
class Pool:
    """Best candidates of a system.

    Attributes:
        rows: (T, 9) six free parameters, centring, zero shift (radians), score.
        count: (2,) rows used, candidates tried.
    """

    rows: NDArray[np.float64]
    count: NDArray[np.int64]

    @classmethod
    def empty(cls) -> "Pool":
        """Room for candidates."""
        return cls(np.zeros((2 * KEPT, 9)), np.zeros(2, np.int64))

    def best(self, number: int) -> NDArray[np.float64]:
        """Return the best rows."""
        rows = self.rows[: self.count[0]]
        return rows[np.argsort(-rows[:, 8], kind="stable")[:number]]


@njit(cache=True)
def offer(
    system: int, centring: int, p: NDArray, volume: NDArray, grids: tuple, work: tuple, rows: NDArray, count: NDArray
) -> None:
    """Score a metric by the first lines, then by all, and keep it while it is among the best.

    `volume` bounds the primitive cell; `grids` are those of the first lines and of all.
    """
    det = determinant(system, p)
    if det <= 0:
        return
    size = 1 / np.sqrt(det)
    if centring == F:
        size /= 4
    elif centring == R:
        size /= 3
    elif centring != P:
        size /= 2
    if size < volume[0] or size > volume[1]:
        return
    count[1] += 1
    if score(system, centring, p, 0.0, grids[0], work[0], work[1], work[2]) < PROMISING:
        return
    value = score(system, centring, p, 0.0, grids[1], work[0], work[1], work[2])
    if count[0] == len(rows):
        order = np.argsort(-rows[:, 8])[: len(rows) // 2]
        rows[: len(order)] = rows[order].copy()
        count[0] = len(order)
        rows[0, 7] = rows[len(order) - 1, 8]  # the bar from now on
    if count[0] >= len(rows) // 2 and value <= rows[0, 7]:
        return
    at = count[0]
    rows[at, :6], rows[at, 6], rows[at, 8] = p, centring, value
    if at:
        rows[at, 7] = 0.0
    count[0] += 1


@njit(cache=True)
def few_parameters(
    system: int,
    q: NDArray,
    firsts: int,
    indices: NDArray,
    centrings: NDArray,
    volume: NDArray,
    grids: tuple,
    work: tuple,
    rows: NDArray,
    count: NDArray,
) -> None:
    """Cubic, tetragonal and hexagonal metrics: one or two lines with each of the designs `indices` (D, 2)."""
    p = np.zeros(6)
    for i in range(firsts):
        for a in range(len(indices)):
            if system == CUBIC:
                p[0] = q[i] / indices[a, 0]
                for centring in centrings:
                    offer(system, centring, p, volume, grids, work, rows, count)
                continue
            for j in range(i + 1, firsts):
                for b in range(len(indices)):
                    det = indices[a, 0] * indices[b, 1] - indices[a, 1] * indices[b, 0]
                    if det == 0:
                        continue
                    p[0] = (q[i] * indices[b, 1] - q[j] * indices[a, 1]) / det
                    p[1] = (q[j] * indices[a, 0] - q[i] * indices[b, 0]) / det
                    if p[0] <= 0 or p[1] <= 0:
                        continue
                    for centring in centrings:
                        offer(system, centring, p, volume, grids, work, rows, count)


@njit(cache=True)
def orthorhombic(
    q: NDArray,
    firsts: int,
    indices: NDArray,
    centrings: NDArray,
    volume: NDArray,
    grids: tuple,
    work: tuple,
    rows: NDArray,
    count: NDArray,
) -> None:
    """Triples of lines with each of the designs `indices` (D, 3); only with axes in order, the others are the same."""
    p = np.zeros(6)
    for i in range(firsts):
        for j in range(i + 1, firsts):
            for k in range(j + 1, firsts):
                for a in range(len(indices)):
                    u = indices[a]
                    for b in range(len(indices)):
                        v = indices[b]
                        x, y, z = u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]
                        if x == 0 and y == 0 and z == 0:
                            continue
                        for c in range(len(indices)):
                            w = indices[c]
                            det = x * w[0] + y * w[1] + z * w[2]
                            if det == 0:
                                continue
                            p[0] = (
                                q[i] * (v[1] * w[2] - v[2] * w[1])
                                + q[j] * (w[1] * u[2] - w[2] * u[1])
                                + q[k] * (u[1] * v[2] - u[2] * v[1])
                            ) / det
                            p[1] = (
                                q[i] * (v[2] * w[0] - v[0] * w[2])
                                + q[j] * (w[2] * u[0] - w[0] * u[2])
                                + q[k] * (u[2] * v[0] - u[0] * v[2])
                            ) / det
                            if p[0] <= 0 or p[1] < p[0]:
                                continue
                            p[2] = (
                                q[i] * (v[0] * w[1] - v[1] * w[0])
                                + q[j] * (w[0] * u[1] - w[1] * u[0])
                                + q[k] * (u[0] * v[1] - u[1] * v[0])
                            ) / det
                            if p[2] < p[1]:
                                continue
                            for centring in centrings:
                                offer(ORTHORHOMBIC, centring, p, volume, grids, work, rows, count)


@njit(cache=True)
def monoclinic(
    q: NDArray, reach: tuple, volume: NDArray, grids: tuple, work: tuple, rows: NDArray, count: NDArray
) -> None:
    """Zones from pairs of the first lines and their sum, as they are or parts of them, and b from a fourth line.

    `reach`: from how many lines pairs are taken, and from how many sums, and in how many of the ways of `ZONES`.
    """
    firsts, sums, ways = reach
    p, zone = np.zeros(6), np.zeros(3)
    for i in range(firsts):
        for j in range(i + 1, firsts):
            for s in range(sums):
                if s in (i, j):
                    continue
                third = q[s] - q[i] - q[j]
                if s < len(q) and 4 * q[i] * q[j] <= 1.0001 * third * third:
                    continue
                if s < j and third < 0 and q[s] + 1e-9 < q[j] - q[i]:
                    continue
                for half in range(ways):
                    zone[0], zone[1], zone[2] = q[i], q[j], third
                    if half == 1:
                        zone[0], zone[2] = zone[0] / 4, zone[2] / 2
                    elif half == 2:
                        zone[1], zone[2] = zone[1] / 4, zone[2] / 2
                    elif half == 3:  # a' = (a + c) / 2
                        zone[0], zone[2] = (zone[0] + zone[1] + zone[2]) / 4, zone[1] + zone[2] / 2
                    elif half == 4:
                        zone[:] = zone / 4
                    elif half == 5:
                        zone[0], zone[2] = zone[0] / 16, zone[2] / 4
                    elif half == 6:
                        zone[1], zone[2] = zone[1] / 16, zone[2] / 4
                    for m in range(firsts):
                        for h in range(2):
                            for l in range(-1, 2):
                                if h == 0 and l < 0:
                                    continue
                                left = q[m] - zone[0] * h * h - zone[1] * l * l - zone[2] * h * l
                                if left <= 0:
                                    continue
                                for k in range(1, 3):
                                    p[0], p[2], p[3] = zone[0], zone[1], zone[2]
                                    p[1] = left / (k * k)
                                    for centring in (P, A, C, I):
                                        if ZONES[half, centring]:
                                            offer(MONOCLINIC, centring, p, volume, grids, work, rows, count)


@njit(cache=True)
def triclinic(
    q: NDArray, known: int, lines: int, volume: NDArray, grids: tuple, work: tuple, rows: NDArray, count: NDArray
) -> None:
    """Six of the first `lines` lines as a basis and its sums; those with all six among the first `known` were tried."""
    for i in range(lines):
        for j in range(i + 1, lines):
            for k in range(j + 1, lines):
                _summed((q[i], q[j], q[k]), (i, j, k), known, q[:lines], volume, grids, work, rows, count)


@njit(cache=True)
def triclinic_halved(
    q: NDArray, lines: int, volume: NDArray, grids: tuple, work: tuple, rows: NDArray, count: NDArray
) -> None:
    """The same where one line of the basis is absent, or too weak, and its second order was found."""
    for i in range(lines):
        for j in range(lines):
            for k in range(j + 1, lines):
                if i not in (j, k):
                    _summed((q[i] / 4, q[j], q[k]), (i, j, k), 0, q[:lines], volume, grids, work, rows, count)


@njit(cache=True)
def _summed(
    basis: tuple,
    taken: tuple,
    known: int,
    q: NDArray,
    volume: NDArray,
    grids: tuple,
    work: tuple,
    rows: NDArray,
    count: NDArray,
) -> None:
    """Offer all metrics of a basis whose pairwise sums are three of the lines `q`; its own are the lines `taken`."""
    p = np.zeros(6)
    p[0], p[1], p[2] = basis
    i, j, k = taken
    a, b, c = np.sqrt(p[0]), np.sqrt(p[1]), np.sqrt(p[2])
    for f in range(len(q)):
        if q[f] <= (b - a) ** 2 or q[f] >= (b + a) ** 2 or f in (i, j):
            continue
        for e in range(len(q)):
            if q[e] <= (c - a) ** 2 or q[e] >= (c + a) ** 2 or e in (i, k):
                continue
            for d in range(len(q)):
                if q[d] <= (c - b) ** 2 or q[d] >= (c + b) ** 2 or d in (j, k):
                    continue
                if max(k, max(d, max(e, f))) < known:
                    continue
                p[3], p[4], p[5] = q[d] - p[1] - p[2], q[e] - p[0] - p[2], q[f] - p[0] - p[1]
                offer(TRICLINIC, P, p, volume, grids, work, rows, count)
                p[3] = -p[3]
                offer(TRICLINIC, P, p, volume, grids, work, rows, count)
