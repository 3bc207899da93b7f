"""Areas of overlapping lines at known places, none negative, and their evidence: compiled."""

from math import erfc

import numpy as np
from numba import njit
from numpy.typing import NDArray

from xtal.physics.indexing.metric import row
from xtal.physics.indexing.resolving.shape import REACH, Light, halves, shape_at, spans

FINE = 32  # steps of the tabulated shape within a width
SWEEPS = 40
SETTLED = 0.03  # of the sum of squares, by which no area changes it any more
NEIGHBOURS = 12  # lines to either side over which the mean area is taken


@njit(cache=True, fastmath=True)
def designs(system: int, hkl: NDArray) -> NDArray[np.float64]:
    """(N, 6) designs of reflections."""
    design = np.empty((len(hkl), 6))
    for n in range(len(hkl)):
        row(system, hkl[n, 0], hkl[n, 1], hkl[n, 2], design[n])
    return design


@njit(cache=True, fastmath=True)
def _tabulated(eta: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shape of a line of width 1 and its slope, at steps of 1 / `FINE`."""
    reach = int((REACH + 4) * FINE)
    table, slopes = np.empty(2 * reach + 1), np.empty(2 * reach + 1)
    for i in range(2 * reach + 1):
        table[i], slopes[i] = shape_at((i - reach) / FINE, eta)
    return table, slopes


@njit(cache=True, fastmath=True)
def _looked_up(table: NDArray, slopes: NDArray, off: float, halves: tuple) -> tuple[float, float]:
    """Interpolate both tables `off` degrees from a line; 0 outside."""
    half, width = halves[0] if off < 0 else halves[1], (halves[0] + halves[1]) / 2
    place = off / half * FINE + (len(table) - 1) // 2
    at = int(place)
    if place < 0 or at >= len(table) - 1:
        return 0.0, 0.0
    part = place - at
    value, slope = table[at] + part * (table[at + 1] - table[at]), slopes[at] + part * (slopes[at + 1] - slopes[at])
    return value / width, slope / (half * width)


@njit(cache=True, fastmath=True)
def lay(x: NDArray, light: Light, sine: NDArray, zero: float) -> tuple:
    """Lines at ``sin θ = sine`` (N,), ascending: spans (N, 2) of points, and values and slopes one after the other."""
    table, slopes = _tabulated(light.eta)
    angle = 2 * np.arcsin(np.minimum(sine, 0.9999)) + zero
    tangent = 2 * np.tan(angle / 2)
    degree = 180 / np.pi
    first = (angle + tangent * (light.first - 1)) * degree
    second = (angle + tangent * (light.second - 1)) * degree
    reach = spans(x, first, light, REACH)
    starts = np.zeros(len(sine) + 1, np.int64)
    for k in range(len(sine)):
        starts[k + 1] = starts[k] + reach[k, 1] - reach[k, 0]
    value, slope = np.empty(starts[-1]), np.empty(starts[-1])
    for k in range(len(sine)):
        at, wide = starts[k], halves(first[k], light)
        for i in range(reach[k, 0], reach[k, 1]):
            a, b = _looked_up(table, slopes, x[i] - first[k], wide)
            if light.share > 0:
                c, d = _looked_up(table, slopes, x[i] - second[k], wide)
                a, b = a + light.share * (c - a), b + light.share * (d - b)
            value[at], slope[at] = a, -b
            at += 1
    return reach, starts, value, slope


@njit(cache=True, fastmath=True)
def normal_equations(net: NDArray, weight: NDArray, reach: NDArray, starts: NDArray, value: NDArray) -> tuple:
    """Return ``Φ W Φᵀ`` (N, N), ``Φ W net`` (N,) and, for each line, the first and last that it overlaps."""
    count = len(reach)
    gram, right = np.zeros((count, count)), np.zeros(count)
    bounds = np.empty((count, 2), np.int64)
    for k in range(count):
        for i in range(reach[k, 0], reach[k, 1]):
            right[k] += weight[i] * net[i] * value[starts[k] + i - reach[k, 0]]
        bounds[k, 0], bounds[k, 1] = k, k + 1
    for k in range(count):
        for j in range(k, count):
            if reach[j, 0] >= reach[k, 1]:
                break
            total = 0.0
            for i in range(reach[j, 0], min(reach[k, 1], reach[j, 1])):
                total += weight[i] * value[starts[k] + i - reach[k, 0]] * value[starts[j] + i - reach[j, 0]]
            gram[k, j] = gram[j, k] = total
            bounds[k, 1] = j + 1
            bounds[j, 0] = min(bounds[j, 0], k)
    return gram, right, bounds


@njit(cache=True, fastmath=True)
def non_negative(gram: NDArray, right: NDArray, bounds: NDArray, area: NDArray, most: float) -> None:
    """Minimise ``a G a / 2 - b a`` over 0 <= a <= `most` by coordinate descent, in place.

    Without `most` a line whose tail alone is in the pattern may grow beyond all bounds.
    """
    for _ in range(SWEEPS):
        largest = 0.0
        for k in range(len(area)):
            slope = right[k]
            for j in range(bounds[k, 0], bounds[k, 1]):
                slope -= gram[k, j] * area[j]
            new = min(max(0.0, area[k] + slope / (gram[k, k] + 1e-12)), most)
            largest = max(largest, gram[k, k] * (new - area[k]) ** 2)
            area[k] = new
        if largest < SETTLED:
            break


@njit(cache=True, fastmath=True)
def mean_areas(area: NDArray) -> NDArray[np.float64]:
    """(N,) mean area of the lines about each, half drawn to that of all."""
    overall = area.mean() + 1e-12
    out = np.empty(len(area))
    for k in range(len(area)):
        low, high = max(0, k - NEIGHBOURS), min(len(area), k + NEIGHBOURS + 1)
        out[k] = 0.7 * area[low:high].mean() + 0.3 * overall
    return out


@njit(cache=True, fastmath=True)
def line_evidence(gram: NDArray, right: NDArray, area: NDArray, mean: NDArray) -> float:
    """Return ln of the integral over the areas of likelihood times prior, over the likelihood of the best ones."""
    count = len(area)
    matrix = gram.copy()
    for k in range(count):
        matrix[k, k] += 0.25 / mean[k] ** 2
    lower = np.linalg.cholesky(matrix)
    total = 0.0
    for k in range(count):
        precision = lower[k, k]
        slope = 1 / mean[k] - right[k]
        for j in range(count):
            slope += gram[k, j] * area[j]
        # ∫ exp(-slope (A - A_k) - ½ precision² (A - A_k)²) dA over A >= 0, Laplace about A_k
        if area[k] > 0:
            slope = 1 / mean[k]
        t = slope / precision
        s = t - precision * area[k]  # in units of the deviation, how far the bound is beyond the maximum
        if s > 6:
            bulk = 1 / s * np.exp(-0.5 * s * s + 0.5 * t * t)
        else:
            bulk = np.sqrt(2 * np.pi) * 0.5 * erfc(s / np.sqrt(2.0)) * np.exp(min(0.5 * t * t, 500.0))
        total += np.log(max(bulk, 1e-300)) - np.log(precision) - np.log(mean[k]) - area[k] / mean[k]
    return total
