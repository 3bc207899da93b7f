"""What programs do to a pattern before somebody searches with it: interpolate, smooth, subtract, round, cut.

Each treatment takes a pattern as measured and returns it as it would be exported.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline
from scipy.signal import savgol_filter

from xtal.patterns.background import background
from xtal.patterns.pattern import Pattern

WINDOW, ORDER = 9, 2  # of the usual smoothing, Savitzky and Golay (1964)
PERCENT = 100

Treatment = Callable[[Pattern], Pattern]


def interpolated(pattern: Pattern, times: int) -> Pattern:
    """Draw straight lines between the points, and read off `times` as many."""
    angles = _finer(pattern, times)
    return _as(pattern, angles, np.interp(angles, pattern.two_theta, pattern.intensity))


def splined(pattern: Pattern, times: int) -> Pattern:
    """Draw a cubic spline through the points, and read off `times` as many."""
    angles = _finer(pattern, times)
    return _as(pattern, angles, CubicSpline(pattern.two_theta, pattern.intensity)(angles))


def smoothed(pattern: Pattern) -> Pattern:
    """Replace each point by a running parabola's."""
    return _as(pattern, pattern.two_theta, savgol_filter(pattern.intensity, WINDOW, ORDER))


def averaged(pattern: Pattern, points: int = 3) -> Pattern:
    """Replace each point by the mean of its neighbours and itself."""
    kernel = np.full(points, 1 / points)
    return _as(pattern, pattern.two_theta, np.convolve(pattern.intensity, kernel, "same"))


def without_background(pattern: Pattern) -> Pattern:
    """Subtract the background; what is below it becomes 0."""
    return _as(pattern, pattern.two_theta, pattern.intensity - background(pattern))


def cut_off(pattern: Pattern) -> Pattern:
    """Subtract one number, the middle of the background; what is below becomes 0."""
    return _as(pattern, pattern.two_theta, pattern.intensity - np.median(background(pattern)))


def in_percent(pattern: Pattern) -> Pattern:
    """Scale the highest point to 100 and round to whole numbers."""
    return _as(pattern, pattern.two_theta, np.rint(PERCENT * pattern.intensity / pattern.intensity.max()))


def with_gap(pattern: Pattern, share: float = 0.4, width: float = 0.07) -> Pattern:
    """Leave out a region: `width` of the range from `share` of it on."""
    first, last = pattern.two_theta[[0, -1]]
    start = first + share * (last - first)
    kept = (pattern.two_theta < start) | (pattern.two_theta > start + width * (last - first))
    return _as(pattern, pattern.two_theta[kept], pattern.intensity[kept])


TREATMENTS: dict[str, Treatment] = {
    "as measured": lambda pattern: pattern,
    "interpolated x2": lambda pattern: interpolated(pattern, 2),
    "interpolated x4": lambda pattern: interpolated(pattern, 4),
    "splined x4": lambda pattern: splined(pattern, 4),
    "smoothed": smoothed,
    "averaged over 3": averaged,
    "background off": without_background,
    "smoothed, background off, clipped": lambda pattern: without_background(smoothed(pattern)),
    "cut off at zero": cut_off,
    "whole percent": in_percent,
    "gap": with_gap,
}


def _finer(pattern: Pattern, times: int) -> NDArray[np.float64]:
    """(M,) angles with `times` as many steps."""
    return np.linspace(pattern.two_theta[0], pattern.two_theta[-1], times * (len(pattern) - 1) + 1)


def _as(pattern: Pattern, two_theta: NDArray[np.float64], intensity: NDArray[np.float64]) -> Pattern:
    """Return the pattern with other points; sigma is lost, as exports lose it."""
    return replace(pattern, two_theta=two_theta, intensity=np.clip(intensity, 0, None), sigma=None)
