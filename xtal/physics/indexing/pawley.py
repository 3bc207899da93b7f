"""A lattice judged by the whole profile: Pawley's fit with intensities that are not negative, and its evidence.

    net(x) ≈ Σ_k A_k φ(x - x_k(p, z)),   A_k >= 0,   prior of A_k: exp(-A_k / s) / s

Places follow from the metric p and the zero shift z, refined by variable projection (the areas are eliminated);
s is the mean area of a line nearby. Integrating over the areas gives the evidence: a line costs about ln(s / σ_k), so
that lines which are not there cost, and lines which others overlap cost little (David & Sivia 2001 in spirit).
"""

from dataclasses import dataclass
from math import erfc

import numpy as np
from numba import njit
from numpy.typing import NDArray

from xtal.physics.indexing.metric import PARAMETERS, indices, row
from xtal.physics.indexing.resolved import Profile
from xtal.physics.indexing.shape import shape_at, spans

SWEEPS = 60
SETTLED = 1e-4  # of the largest area
NEIGHBOURS = 12  # lines to either side over which the mean area is taken
MOST_LINES = 700
FARTHEST = 0.4  # widths by which a step may move a line
ZERO_SPREAD = np.radians(0.05)  # of a zero shift, before anything is known
EDGE_SPREAD = 0.7  # of ln Q of a parameter, before anything is known


@dataclass(frozen=True, eq=False)
class Fit:
    """A lattice fitted to a profile.

    Attributes:
        parameters: (6,) free parameters of the metric, zero beyond their number.
        zero: shift in radians 2θ.
        evidence: ln, up to what all lattices share.
        chi2: sum of squares of the weighted residual.
        hkl: (N, 3) lines.
        area: (N,).
        lines: of them in the range.
    """

    parameters: NDArray[np.float64]
    zero: float
    evidence: float
    chi2: float
    hkl: NDArray[np.int64]
    area: NDArray[np.float64]


def fit(profile: Profile, system: int, centring: int, start: NDArray, zero: float, steps: int) -> Fit | None:
    """Fit a lattice; None where it has too many lines or none in the range."""
    last = (2 / profile.wavelength * np.sin(np.radians(profile.x[-1]) / 2)) ** 2
    hkl = np.empty((MOST_LINES, 3), np.int64)
    count = indices(system, centring, start, last * 1.01, hkl)
    if count <= 0:
        return None
    hkl = hkl[:count].copy()
    light = np.array([profile.wavelength, profile.first, profile.second, profile.share, profile.width, profile.eta])
    p, zero, evidence, chi2, area, order = _fit(
        profile.x, profile.net, profile.weight, light, system, hkl, start.copy(), zero, steps
    )
    return Fit(p, zero, evidence, chi2, hkl[order], area)


@njit(cache=True, fastmath=True)
def designs(system: int, hkl: NDArray) -> NDArray[np.float64]:
    """(N, 6) designs of reflections."""
    design = np.empty((len(hkl), 6))
    for n in range(len(hkl)):
        row(system, hkl[n, 0], hkl[n, 1], hkl[n, 2], design[n])
    return design


@njit(cache=True, fastmath=True)
def lay(x: NDArray, light: NDArray, sine: NDArray, zero: float) -> tuple:
    """Lines at ``sin θ = sine`` (N,), ascending: spans (N, 2) of points, and values and slopes one after the other."""
    width, eta, share = light[4], light[5], light[3]
    angle = 2 * np.arcsin(np.minimum(sine, 0.9999)) + zero
    tangent = 2 * np.tan(angle / 2)
    first, second = angle + tangent * (light[1] - 1), angle + tangent * (light[2] - 1)
    degree = 180 / np.pi
    reach = spans(x, first * degree, width)
    starts = np.zeros(len(sine) + 1, np.int64)
    for k in range(len(sine)):
        starts[k + 1] = starts[k] + reach[k, 1] - reach[k, 0]
    value, slope = np.empty(starts[-1]), np.empty(starts[-1])
    for k in range(len(sine)):
        at = starts[k]
        for i in range(reach[k, 0], reach[k, 1]):
            a, b, _, _ = shape_at(x[i] - first[k] * degree, width, eta)
            if share > 0:
                c, d, _, _ = shape_at(x[i] - second[k] * degree, width, eta)
                a, b = a + share * (c - a), b + share * (d - b)
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
def non_negative(gram: NDArray, right: NDArray, bounds: NDArray, area: NDArray) -> None:
    """Minimise ``a G a / 2 - b a`` over a >= 0 by coordinate descent, in place."""
    for _ in range(SWEEPS):
        largest = 0.0
        for k in range(len(area)):
            slope = right[k]
            for j in range(bounds[k, 0], bounds[k, 1]):
                slope -= gram[k, j] * area[j]
            new = max(0.0, area[k] + slope / (gram[k, k] + 1e-12))
            largest = max(largest, abs(new - area[k]))
            area[k] = new
        if largest < SETTLED * area.max():
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
    """ln of the integral over the areas of likelihood times prior, over the likelihood of the best ones."""
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


@njit(cache=True, fastmath=True)
def _fit(x, net, weight, light, system, hkl, p, zero, steps):  # noqa: ANN001, ANN202
    """See `fit`."""
    free, wave = PARAMETERS[system], light[0]
    every = designs(system, hkl)
    area_of = np.zeros(len(hkl))
    best_chi2, best_p, best_zero = np.inf, p.copy(), zero
    damping = 1e-3
    for turn in range(steps + 1):
        q = every @ p
        order = np.argsort(q)
        q, design = np.maximum(q[order], 1e-8), every[order]
        sine = wave / 2 * np.sqrt(q)
        reach, starts, value, slope = lay(x, light, sine, zero)
        gram, right, bounds = normal_equations(net, weight, reach, starts, value)
        area = area_of[order].copy()
        non_negative(gram, right, bounds, area)
        residual = net.copy()
        for k in range(len(area)):
            if area[k] > 0:
                for i in range(reach[k, 0], reach[k, 1]):
                    residual[i] -= area[k] * value[starts[k] + i - reach[k, 0]]
        chi2 = (weight * residual * residual).sum() + (zero / ZERO_SPREAD) ** 2
        area_of[order] = area
        by = np.zeros((free + 1, len(x)))
        for k in range(len(area)):
            if area[k] <= 0:
                continue
            # dx/dQ in degrees
            per_q = 180 / np.pi * wave / (2 * np.sqrt(q[k]) * np.sqrt(max(1e-4, 1 - sine[k] ** 2)))
            for i in range(reach[k, 0], reach[k, 1]):
                drop = area[k] * slope[starts[k] + i - reach[k, 0]]
                for a in range(free):
                    by[a, i] += drop * per_q * design[k, a]
                by[free, i] += drop * 180 / np.pi
        active = np.flatnonzero(area > 0)
        cross = np.zeros((len(active), free + 1))
        for n in range(len(active)):
            k = active[n]
            for i in range(reach[k, 0], reach[k, 1]):
                pull = weight[i] * value[starts[k] + i - reach[k, 0]]
                for a in range(free + 1):
                    cross[n, a] += pull * by[a, i]
        inner = np.empty((len(active), len(active)))
        for n in range(len(active)):
            for m in range(len(active)):
                inner[n, m] = gram[active[n], active[m]]
            inner[n, n] *= 1 + 1e-8
        solved = np.linalg.solve(inner, cross)
        weighted = by * weight
        curvature = weighted @ by.T - cross.T @ solved
        pull_p = weighted @ residual
        curvature[free, free] += 1 / ZERO_SPREAD**2
        pull_p[free] -= zero / ZERO_SPREAD**2
        if chi2 < best_chi2:
            best_chi2, best_p, best_zero = chi2, p.copy(), zero
            best_area, best_order, best_mean = area, order, mean_areas(area)
            best_gram, best_right, best_curvature = gram, right, curvature
            damping = max(damping / 5, 1e-6)
        elif turn < steps:
            damping *= 10
        if turn == steps:
            break
        damped = curvature.copy()
        for a in range(free + 1):
            damped[a, a] += damping * curvature[a, a] + 1e-12
        change = np.linalg.solve(damped, pull_p)
        # no line moves farther than it can find its way back
        largest = 0.0
        for k in range(len(area)):
            if area[k] > 0:
                per_q = 180 / np.pi * wave / (2 * np.sqrt(q[k]) * np.sqrt(max(1e-4, 1 - sine[k] ** 2)))
                moved = per_q * (design[k, :free] * change[:free]).sum() + 180 / np.pi * change[free]
                largest = max(largest, abs(moved))
        factor = min(1.0, FARTHEST * light[4] / (largest + 1e-12))
        if largest < 1e-3 * light[4] and chi2 <= best_chi2:
            break
        p[:free] = best_p[:free] + factor * change[:free] if chi2 <= best_chi2 else 0.5 * (p[:free] + best_p[:free])
        zero = best_zero + factor * change[free] if chi2 <= best_chi2 else 0.5 * (zero + best_zero)
    evidence = -0.5 * best_chi2 + line_evidence(best_gram, best_right, best_area, best_mean)
    # Occam's factor of the metric: posterior spread over that of the prior
    size = best_p[:free].max()
    for a in range(free):
        best_curvature[a, a] += 1 / (EDGE_SPREAD * size) ** 2
    sign, ln_det = np.linalg.slogdet(best_curvature)
    evidence -= 0.5 * ln_det
    for a in range(free):
        evidence -= np.log(EDGE_SPREAD * (best_p[a] if a < 3 and best_p[a] > 0 else size))
    evidence -= np.log(ZERO_SPREAD)
    return best_p, best_zero, evidence, best_chi2, best_area, best_order
