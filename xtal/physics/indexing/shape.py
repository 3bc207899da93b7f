"""Lines of one shape on a measured axis, with derivatives: compiled, and only near each line.

    φ(x) = (1 - s) p(x - x₁) + s p(x - x₂),   p a pseudo-Voigt of unit area and full width at half maximum w

with x₁ and x₂ where the two wavelengths of a Kα doublet put the line, and s the share of the second.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

REACH = 8.0  # widths to either side of a line that a trial lattice is fitted by; farther tails were taken off before
FAR = 40.0  # widths to either side where tails are looked for: a Lorentzian is then below 0.02 % of its maximum
GAUSS = 4 * np.log(2)
GAUSS_TOP, LORENTZ_TOP = 2 * np.sqrt(np.log(2) / np.pi), 2 / np.pi


@njit(cache=True, fastmath=True)
def spans(x: NDArray, centres: NDArray, width: float, widths: float) -> NDArray[np.int64]:
    """(N, 2) first point and the one after the last within so many `widths` of each centre; `x` (M,) ascends."""
    found = np.empty((len(centres), 2), np.int64)
    for k in range(len(centres)):
        found[k, 0] = np.searchsorted(x, centres[k] - widths * width)
        found[k, 1] = np.searchsorted(x, centres[k] + widths * width)
    return found


@njit(cache=True, fastmath=True)
def shape_at(offset: float, width: float, eta: float) -> tuple[float, float, float, float]:
    """Return the pseudo-Voigt at `offset` and its derivatives by offset, width and Lorentzian share."""
    u = offset / width
    lorentz = LORENTZ_TOP / width / (1 + 4 * u * u)
    gauss = GAUSS_TOP / width * np.exp(-GAUSS * u * u) if u * u < 12 else 0.0
    by_lorentz = -8 * u / width / (1 + 4 * u * u) * lorentz
    by_gauss = -2 * GAUSS * u / width * gauss
    slope = eta * by_lorentz + (1 - eta) * by_gauss
    value = eta * lorentz + (1 - eta) * gauss
    return value, slope, -(value + offset * slope) / width, lorentz - gauss


@njit(cache=True, fastmath=True)
def columns(
    x: NDArray, first: NDArray, second: NDArray, share: float, width: float, eta: float, widths: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """(N, M) lines at `first` and `second` (N,), and derivatives by place, width and Lorentzian share; 0 far away."""
    shape = (len(first), len(x))
    value, slope, by_width, by_eta = np.zeros(shape), np.zeros(shape), np.zeros(shape), np.zeros(shape)
    reach = spans(x, first, width, widths)
    for k in range(len(first)):
        for i in range(reach[k, 0], reach[k, 1]):
            a, b, c, d = shape_at(x[i] - first[k], width, eta)
            if share > 0:
                e, f, g, h = shape_at(x[i] - second[k], width, eta)
                a, b, c, d = (
                    a + share * (e - a),
                    b + share * (f - b),
                    c + share * (g - c),
                    d + share * (h - d),
                )
            value[k, i], slope[k, i], by_width[k, i], by_eta[k, i] = a, -b, c, d
    return value, slope, by_width, by_eta
