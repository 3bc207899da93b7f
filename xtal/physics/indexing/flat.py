"""Trial metrics of lattices with one short axis: compiled.

Nearly all of the first lines then belong to the zone 0kl (a dominant zone), and few have an index h at all, so that
neither six lines of a triclinic basis nor a zone h0l show. So a zone is sought that explains many of the first lines,
and the other parameters come from some of those that it leaves, taken for lines 1kl.
"""

# ruff: noqa: E741 - h, k, l and I are what crystallography calls them
import numpy as np
from numba import njit
from numpy.typing import NDArray

from xtal.physics.indexing.metric import MONOCLINIC, TRICLINIC, C, P
from xtal.physics.indexing.search import offer

FIRSTS = 8  # lines whose pairs make zones
SHOWN = 16  # lines that judge them
LEAST = 5  # of these that a zone must explain, and one more if it is oblique
THINNEST = 3  # calculated lines of a zone for each that it explains
COST = 0.2  # of a calculated line, in explained ones
ZONES = 40  # that are kept
LEFT = 5  # lines of which some give the other parameters
SAME = 1e-3  # relative: zones that differ less are one
# squares of k and l that two lines of a rectangular zone are tried as
PAIRS = np.array([(k * k, l * l) for k in range(4) for l in range(5) if 0 < k + l < 6], float)


@njit(cache=True)
def monoclinic_flat(q: NDArray, volume: NDArray, grids: tuple, work: tuple, rows: NDArray, count: NDArray) -> None:
    """Offer metrics whose first lines belong to a zone 0kl, which is rectangular: A and E from two other lines."""
    p, met = np.zeros(6), np.zeros(len(q), np.bool_)
    for zone in _rectangular(q, grids[1]):
        _explained(zone, q, grids[1], met)
        left = q[~met][:LEFT]
        for m in range(len(left)):
            for n in range(m + 1, len(left)):
                for k in range(3):
                    for l in range(-2, 3):
                        for s in range(3):
                            for t in range(-2, 3):
                                if l == t:
                                    continue
                                squares = (k * k - s * s) * zone[0] + (l * l - t * t) * zone[1]
                                e = (left[m] - left[n] - squares) / (l - t)
                                if e < 0 or e > 1.0001 * zone[1]:  # the same lattice with another sign or basis
                                    continue
                                p[0] = left[m] - k * k * zone[0] - l * l * zone[1] - l * e
                                p[1], p[2], p[3] = zone[0], zone[1], e
                                if p[0] > 0:
                                    for centring in (P, C):
                                        offer(MONOCLINIC, centring, p, volume, grids, work, rows, count)


@njit(cache=True)
def triclinic_flat(q: NDArray, volume: NDArray, grids: tuple, work: tuple, rows: NDArray, count: NDArray) -> None:
    """Offer metrics whose first lines belong to a zone: one of the others is 100, two more give E and F."""
    p, met = np.zeros(6), np.zeros(len(q), np.bool_)
    for zone in _oblique(q, grids[1]):
        _explained(zone, q, grids[1], met)
        left = q[~met][:LEFT]
        b, c, d = zone
        p[1], p[2], p[3] = b, c, d
        for o in range(min(2, len(left))):
            p[0] = left[o]
            for m in range(o + 1, len(left)):
                for n in range(m + 1, len(left)):
                    for k in range(3):
                        for l in range(-2, 3):
                            first = left[m] - left[o] - k * k * b - l * l * c - k * l * d
                            for s in range(-2, 3):
                                for t in range(-2, 3):
                                    det = k * t - s * l
                                    if det == 0:
                                        continue
                                    second = left[n] - left[o] - s * s * b - t * t * c - s * t * d
                                    p[5], p[4] = (first * t - second * l) / det, (k * second - s * first) / det
                                    offer(TRICLINIC, P, p, volume, grids, work, rows, count)


@njit(cache=True)
def _rectangular(q: NDArray, grid: tuple) -> NDArray:
    """(Z, 3) zones B, C, 0 that explain many of the first lines."""
    found, score, zone = np.zeros((ZONES, 3)), np.zeros(ZONES), np.zeros(3)
    met = np.zeros(len(q), np.bool_)
    for i in range(min(FIRSTS, len(q))):
        for j in range(i + 1, min(FIRSTS, len(q))):
            for u in range(len(PAIRS)):
                for v in range(len(PAIRS)):
                    det = PAIRS[u, 0] * PAIRS[v, 1] - PAIRS[u, 1] * PAIRS[v, 0]
                    if det == 0:
                        continue
                    zone[0] = (q[i] * PAIRS[v, 1] - q[j] * PAIRS[u, 1]) / det
                    zone[1] = (q[j] * PAIRS[u, 0] - q[i] * PAIRS[v, 0]) / det
                    if zone[0] > 0 and zone[1] > 0:
                        _offer_zone(zone, LEAST, q, grid, met, found, score)
    return found[score > 0]


@njit(cache=True)
def _oblique(q: NDArray, grid: tuple) -> NDArray:
    """(Z, 3) zones B, C, D that explain many of the first lines: two of these, or a quarter of them, and their sum."""
    found, score, zone = np.zeros((ZONES, 3)), np.zeros(ZONES), np.zeros(3)
    met = np.zeros(len(q), np.bool_)
    for i in range(min(FIRSTS, len(q))):
        for j in range(i + 1, min(FIRSTS, len(q))):
            for s in range(min(SHOWN, len(q))):
                for part in range(4):
                    zone[0], zone[1] = q[i] / (1 + 3 * (part % 2)), q[j] / (1 + 3 * (part // 2))
                    zone[2] = q[s] - zone[0] - zone[1]
                    if s not in (i, j) and zone[2] * zone[2] < 3.9 * zone[0] * zone[1]:
                        _offer_zone(zone, LEAST + 1, q, grid, met, found, score)
    return found[score > 0]


@njit(cache=True)
def _offer_zone(
    zone: NDArray, least: int, q: NDArray, grid: tuple, met: NDArray, found: NDArray, score: NDArray
) -> None:
    """Keep a zone while it is among the best."""
    calculated = _explained(zone, q, grid, met)
    hits = met[:SHOWN].sum()
    value = hits - COST * calculated
    worst = np.argmin(score)
    if hits < least or calculated > THINNEST * hits or value <= score[worst]:
        return
    for z in range(len(found)):
        if (np.abs(found[z] - zone) < SAME * (zone[0] + zone[1])).all():
            return
    score[worst], found[worst] = value, zone


@njit(cache=True)
def _explained(zone: NDArray, q: NDArray, grid: tuple, met: NDArray) -> int:
    """Mark the lines that a zone B, C, D explains, and count those that it has among the first."""
    step, line, last = grid[0], grid[1], q[min(SHOWN, len(q)) - 1]
    b, c, d = zone
    met[:] = False
    calculated = 0
    share = 1 - d * d / (4 * b * c)
    most = int(np.sqrt(q[-1] / (c * share)))
    for k in range(int(np.sqrt(q[-1] / (b * share))) + 1):
        for l in range(-most if d != 0 and k > 0 else 0, most + 1):
            place = k * k * b + l * l * c + k * l * d
            if (k == 0 and l == 0) or place > q[-1]:
                continue
            calculated += place <= last
            at = int(place / step)
            if at < len(line) and line[at] >= 0:
                met[line[at]] = True
    return calculated
