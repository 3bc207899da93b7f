"""A list of lines instead of a scan: known by its few rows at irregular distances, and drawn as a pattern."""

import numpy as np
from numpy.typing import NDArray

FEWEST, MOST = 5, 150  # rows of a list
IRREGULAR = 0.3  # median of |ln| of the ratio of neighbouring steps: 0 for a scan, near 1 for lines
SPARSE = 0.02  # degrees: the median step of a list is wider than this
WIDTH = 0.15  # degrees: the nominal full width at half maximum with Cu Kα
COPPER = 1.5418  # Å
STEPS = 7.5  # per width
MARGIN = 1.0  # degrees before the first and after the last line
Column = NDArray[np.floating]


def is_peak_list(two_theta: Column, intensity: Column) -> bool:
    """Whether the rows are lines, in any order, rather than the points of a scan: no two steps are alike."""
    if not FEWEST <= len(two_theta) <= MOST or intensity.min(initial=0) < 0 or two_theta.min() <= 0:
        return False
    steps = np.diff(np.unique(two_theta))
    if len(steps) < FEWEST - 1 or two_theta.max() >= 180 or np.median(steps) < SPARSE:
        return False
    return bool(np.median(np.abs(np.diff(np.log(steps)))) > IRREGULAR)


def drawn(two_theta: Column, intensity: Column, wavelength: float) -> tuple[Column, Column, str]:
    """Draw lines at `two_theta` (degrees) as pseudo-Voigt profiles, half Lorentzian, of equal width.

    The width is `WIDTH` for copper and in proportion to `wavelength` (Å), as the distances of the lines are.

    Returns:
        (M,) degrees and (M,) intensity of a pattern without noise, and a note that says so.
    """
    width = WIDTH * min(wavelength / COPPER, 1.0)
    margin = MARGIN * min(wavelength / COPPER, 1.0)
    step = width / STEPS
    first, last = max(two_theta.min() - margin, step), min(two_theta.max() + margin, 180 - step)
    grid = first + step * np.arange(int((last - first) / step) + 1)
    profile = np.zeros_like(grid)
    for centre, height in zip(two_theta, intensity, strict=True):
        u = ((grid - centre) / (width / 2)) ** 2
        profile += height * (0.5 / (1 + u) + 0.5 * np.exp(-np.log(2) * u))
    return grid, profile, f", a peak list of {len(two_theta)} lines, drawn {width:.3g}° wide"
