"""A lattice judged by the whole profile: Pawley's fit with intensities that are not negative, and its evidence.

    net(x) ≈ Σ_k A_k φ(x - x_k(p, z)),   A_k >= 0,   prior of A_k: exp(-A_k / s) / s

Places follow from the metric p and the zero shift z, refined by variable projection (the areas are eliminated);
s is the mean area of a line nearby. Integrating over the areas gives the evidence: a line costs about ln(s / σ_k), so
that lines which are not there cost, and lines which others overlap cost little (David & Sivia 2001 in spirit).
"""

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from xtal.physics.indexing.areas import designs, lay, line_evidence, mean_areas, non_negative, normal_equations
from xtal.physics.indexing.metric import PARAMETERS, indices
from xtal.physics.indexing.resolving import Profile
from xtal.physics.indexing.resolving.shape import Light

MOST_LINES = 700
FARTHEST = 0.4  # widths by which a step may move a line
LARGEST = 5.0  # area of a line over width times highest point: a whole one has at most 1.6
RIDGE = 1e-6  # of a line's own weight: two lines at one place share it
SHORTEST = 3e-3  # widths: a fit whose lines move less has converged
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
        hkl: (N, 3) lines, by Q.
        q: (N,) their Q = 1/d² in Å⁻².
        area: (N,).
    """

    parameters: NDArray[np.float64]
    zero: float
    evidence: float
    chi2: float
    hkl: NDArray[np.int64]
    q: NDArray[np.float64]
    area: NDArray[np.float64]


def fit(profile: Profile, system: int, centring: int, start: NDArray, zero: float, steps: int) -> Fit | None:
    """Fit a lattice; None where it has too many lines or none in the range."""
    last = (2 / profile.wavelength * np.sin(np.radians(profile.x[-1]) / 2)) ** 2
    hkl = np.empty((MOST_LINES, 3), np.int64)
    count = indices(system, centring, start, last * 1.01, hkl)
    if count <= 0:
        return None
    hkl = hkl[:count].copy()
    try:
        p, zero, evidence, chi2, area, order = _fit(
            profile.x, profile.net, profile.weight, profile.light, system, hkl, start.copy(), zero, steps
        )
    except np.linalg.LinAlgError:  # a metric that runs off
        return None
    hkl = hkl[order]
    return Fit(p, zero, evidence, chi2, hkl, designs(system, hkl) @ p, area)


def overlaps(profile: Profile, done: Fit) -> tuple:
    """Lay the lines of a fit once more, for `normal_equations`: spans, starts and values."""
    return lay(profile.x, profile.light, profile.wavelength / 2 * np.sqrt(done.q), done.zero)[:3]


@njit(cache=True, fastmath=True)
def _fit(
    x: NDArray,
    net: NDArray,
    weight: NDArray,
    light: Light,
    system: int,
    hkl: NDArray,
    p: NDArray,
    zero: float,
    steps: int,
) -> tuple:
    """See `fit`."""
    free, wave = PARAMETERS[system], light.wavelength
    every = designs(system, hkl)
    area_of, most = np.zeros(len(hkl)), LARGEST * light.width * net.max()
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
        non_negative(gram, right, bounds, area, most)
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
            inner[n, n] = inner[n, n] * (1 + RIDGE) + 1e-12
        solved = np.linalg.solve(inner, cross)
        weighted = by * weight
        curvature = weighted @ by.T - cross.T @ solved
        pull_p = weighted @ residual
        for a in range(free):
            curvature[a, a] += 1 / (EDGE_SPREAD * p[:free].max()) ** 2
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
        factor = min(1.0, FARTHEST * light.width / (largest + 1e-12))
        if largest < SHORTEST * light.width and chi2 <= best_chi2:
            break
        p[:free] = best_p[:free] + factor * change[:free] if chi2 <= best_chi2 else 0.5 * (p[:free] + best_p[:free])
        zero = best_zero + factor * change[free] if chi2 <= best_chi2 else 0.5 * (zero + best_zero)
    evidence = -0.5 * best_chi2 + line_evidence(best_gram, best_right, best_area, best_mean)
    # Occam's factor of the metric: posterior spread over that of the prior
    size = best_p[:free].max()
    _, ln_det = np.linalg.slogdet(best_curvature)
    evidence -= 0.5 * ln_det
    for a in range(free):
        evidence -= np.log(EDGE_SPREAD * (best_p[a] if a < 3 and best_p[a] > 0 else size))
    evidence -= np.log(ZERO_SPREAD)
    return best_p, best_zero, evidence, best_chi2, best_area, best_order
