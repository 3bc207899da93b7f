"""Lines on a measured axis, with their slopes: compiled, and only near each line.

    φ(x) = (1 - s) p(x - x₁) + s p(x - x₂),   p a pseudo-Voigt of unit area whose halves differ in width

with x₁ and x₂ where the two wavelengths of a Kα doublet put the line, and s the share of the second. Widths grow in
proportion to tan θ, as strain and the spread of the wavelength have it. Axial divergence widens the half towards low
angles and narrows the other in proportion to cot 2θ, see `halves`.
"""

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

REACH = 8.0  # widths to either side of a line that a trial lattice is fitted by; farther tails were taken off before
FAR = 40.0  # widths to either side where tails are looked for: a Lorentzian is then below 0.02 % of its maximum
GAUSS = 4 * np.log(2)
GAUSS_TOP, LORENTZ_TOP = 2 * np.sqrt(np.log(2) / np.pi), 2 / np.pi
NARROWEST, WIDEST = 0.5, 3.0  # of the width, for lines at any angle
STEEPEST = 0.05  # least tan 2θ, where asymmetry no longer grows


class Light(NamedTuple):
    """What lines look like, all of them.

    Attributes:
        wavelength: Å.
        first, second: the two wavelengths of a doublet over `wavelength`.
        share: of the second; 0 without.
        width: full width at half maximum in degrees 2θ, where tan θ is `middle`.
        eta: Lorentzian share; above 1, longer tails than that.
        growth: of the width, relative, from tan θ = 0 to `middle`.
        lean: asymmetry times tan 2θ.
        middle: tan θ.
    """

    wavelength: float
    first: float
    second: float
    share: float
    width: float
    eta: float
    growth: float
    lean: float
    middle: float


@njit(cache=True, fastmath=True)
def halves(angle: float, light: Light) -> tuple[float, float]:
    """Full widths (degrees) of the lower and the upper half of a line at `angle` (degrees); their mean is its width."""
    radians = np.pi / 180 * angle
    grown = 1 + light.growth * (np.tan(radians / 2) / light.middle - 1)
    width = light.width * min(max(grown, NARROWEST), WIDEST)
    tangent = np.tan(radians)
    if abs(tangent) < STEEPEST:
        tangent = STEEPEST if angle < 90 else -STEEPEST
    lean = light.lean / tangent
    part = lean / (1 + abs(lean))
    return width * (1 + part), width * (1 - part)


@njit(cache=True, fastmath=True)
def spans(x: NDArray, centres: NDArray, light: Light, widths: float) -> NDArray[np.int64]:
    """(N, 2) first point and the one after the last within so many widths of each centre; `x` (M,) ascends."""
    found = np.empty((len(centres), 2), np.int64)
    for k in range(len(centres)):
        lower, upper = halves(centres[k], light)
        found[k, 0] = np.searchsorted(x, centres[k] - widths * lower)
        found[k, 1] = np.searchsorted(x, centres[k] + widths * upper)
    return found


@njit(cache=True, fastmath=True)
def shape_at(u: float, eta: float) -> tuple[float, float]:
    """Return the symmetric pseudo-Voigt of width 1 at `u`, and its slope."""
    lorentz = LORENTZ_TOP / (1 + 4 * u * u)
    gauss = GAUSS_TOP * np.exp(-GAUSS * u * u) if u * u < 12 else 0.0
    slope = -eta * 8 * u / (1 + 4 * u * u) * lorentz - (1 - eta) * 2 * GAUSS * u * gauss
    return eta * lorentz + (1 - eta) * gauss, slope


@njit(cache=True, fastmath=True)
def columns(
    x: NDArray, first: NDArray, second: NDArray, light: Light, widths: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(N, M) lines at `first` and `second` (N,), and derivatives by place; 0 farther away than so many `widths`."""
    value, slope = np.zeros((len(first), len(x))), np.zeros((len(first), len(x)))
    reach = spans(x, first, light, widths)
    for k in range(len(first)):
        lower, upper = halves(first[k], light)
        width = (lower + upper) / 2
        for i in range(reach[k, 0], reach[k, 1]):
            off = x[i] - first[k]
            half = lower if off < 0 else upper
            a, b = shape_at(off / half, light.eta)
            a, b = a / width, b / (half * width)
            if light.share > 0:
                off = x[i] - second[k]
                half = lower if off < 0 else upper
                c, d = shape_at(off / half, light.eta)
                a, b = a + light.share * (c / width - a), b + light.share * (d / (half * width) - b)
            value[k, i], slope[k, i] = a, -b
    return value, slope
