"""How far a calculated profile is from the measured one: ``1 - c²``, c the correlation of their roots.

Where lines are dense, their feet look like background and are taken off with it: there the measured profile lies
anywhere between what is left and what was taken, and counts as the point of this range nearest to the calculated one.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from generate.solving.cost.fast import FAST


@njit(cache=True, fastmath=FAST)
def misfit(
    intensity: NDArray,
    start: NDArray,
    shape: NDArray,
    root: NDArray,
    high: NDArray,
    trust: NDArray,
    floor: float,
    slope: NDArray,
) -> float:
    """Return ``1 - c²`` and fill `slope` (M,), its derivative by the profile at the same scale.

    Args:
        intensity: (R,) of the reflections.
        start: (R,) first point of each.
        shape: (R, W) profile of each.
        root: (M,) of the measured profile.
        high: (M,) the same with what may have been taken for background.
        trust: (M,) weights.
        floor: added under the root of the calculated profile, once that is on the scale of the measured one.
        slope: (M,) to be filled.
    """
    profile = np.full(len(root), 1e-12)
    for r in range(len(intensity)):
        for m in range(shape.shape[1]):
            profile[start[r] + m] += intensity[r] * shape[r, m]
    total, level = 0.0, 0.0
    for m in range(len(root)):  # the scale is told by points that are known
        known = trust[m] * root[m] ** 2 / high[m] ** 2
        total += known * profile[m]
        level += known * (root[m] ** 2 - floor)
    scale = max(level, 1e-12) / max(total, 1e-12)
    xy, xx, yy = 0.0, 0.0, 0.0
    for m in range(len(root)):
        calc = np.sqrt(profile[m] * scale + floor)
        seen = min(max(calc, root[m]), high[m])
        slope[m] = calc
        xy += trust[m] * calc * seen
        xx += trust[m] * calc * calc
        yy += trust[m] * seen * seen
    for m in range(len(root)):
        calc = slope[m]
        seen = min(max(calc, root[m]), high[m])
        change = -(2 * xy / (xx * yy)) * (seen - xy / xx * calc)
        if root[m] < calc < high[m]:  # what is measured goes along
            change -= 2 * xy / (xx * yy) * (calc - xy / yy * seen)
        slope[m] = change * trust[m] * scale / (2 * calc)
    return 1 - xy * xy / (xx * yy)


@njit(cache=True, fastmath=FAST)
def by_intensity(slope: NDArray, start: NDArray, shape: NDArray, r: int) -> float:
    """Return the derivative by the intensity of reflection r, from that by the profile."""
    total = 0.0
    for m in range(shape.shape[1]):
        total += slope[start[r] + m] * shape[r, m]
    return total
