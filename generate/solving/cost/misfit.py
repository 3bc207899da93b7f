"""How far a calculated profile is from the measured one: ``1 - c²``, c the correlation of their roots."""

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, fastmath=True)
def misfit(
    intensity: NDArray, start: NDArray, shape: NDArray, root: NDArray, trust: NDArray, floor: float, slope: NDArray
) -> float:
    """Return ``1 - c²`` and fill `slope` (M,), its derivative by the profile.

    Args:
        intensity: (R,) of the reflections.
        start: (R,) first point of each.
        shape: (R, W) profile of each.
        root: (M,) of the measured profile.
        trust: (M,) weights.
        floor: added under the root of the calculated profile, once that is on the scale of the measured one.
        slope: (M,) to be filled.
    """
    profile = np.full(len(root), 1e-12)
    for r in range(len(intensity)):
        for m in range(shape.shape[1]):
            profile[start[r] + m] += intensity[r] * shape[r, m]
    total, seen = 0.0, 0.0
    for m in range(len(root)):
        total += trust[m] * profile[m]
        seen += trust[m] * root[m] ** 2
    scale = max(seen, 1e-12) / max(total, 1e-12)  # so that the floor under the root means the same for both
    xy, xx = 0.0, 0.0
    for m in range(len(root)):
        calc = np.sqrt(profile[m] * scale + floor)
        slope[m] = calc
        xy += trust[m] * calc * root[m]
        xx += trust[m] * calc * calc
    for m in range(len(root)):
        calc = slope[m]
        slope[m] = -(2 * xy / (xx * seen)) * trust[m] * (root[m] - xy / xx * calc) * scale / (2 * calc)
    return 1 - xy * xy / (xx * seen)


@njit(cache=True, fastmath=True)
def by_intensity(slope: NDArray, start: NDArray, shape: NDArray, r: int) -> float:
    """Return the derivative by the intensity of reflection r, from that by the profile."""
    total = 0.0
    for m in range(shape.shape[1]):
        total += slope[start[r] + m] * shape[r, m]
    return total
