"""Line profiles: from lines to the curve a diffractometer draws."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xtal.errors import UserError

REACH = 30.0  # a pseudo-Voigt is cut at this many half widths: its Lorentzian tail is then below 0.12 % of the maximum
FARTHEST = 250.0  # widths squared: a Gaussian is nothing from there on, and exponentials that vanish take longest
BLOCK = 256  # lines, and points, drawn at once: what fits a core's own memory takes a sixth of the time


def pseudo_voigt(offset: ArrayLike, fwhm: ArrayLike, eta: float) -> NDArray[np.float64]:
    """Unit-area pseudo-Voigt ``η L + (1 - η) G`` of full width at half maximum `fwhm` (same unit as `offset`).

    ``L = (2 / πw) / (1 + 4 x²/w²)``, ``G = (2 / w) sqrt(ln 2 / π) exp(-4 ln 2 x²/w²)``.
    """
    width = np.asarray(fwhm, dtype=float)
    square = (np.asarray(offset, dtype=float) / width) ** 2
    lorentzian = 2 / (np.pi * width) / (1 + 4 * square)
    gaussian = 2 / width * np.sqrt(np.log(2) / np.pi) * np.exp(-4 * np.log(2) * np.minimum(square, FARTHEST))
    return eta * lorentzian + (1 - eta) * gaussian


def caglioti(two_theta: ArrayLike, u: float, v: float, w: float) -> NDArray[np.float64]:
    """Full width at half maximum in degrees, ``w² = U tan² θ + V tan θ + W`` with U, V, W in degrees²."""
    tangent = np.tan(np.radians(two_theta) / 2)
    return np.sqrt(np.clip(u * tangent**2 + v * tangent + w, 1e-8, None))


def render(
    grid: NDArray[np.float64],
    centres: NDArray[np.float64],
    areas: NDArray[np.float64],
    fwhm: float,
    eta: float = 0.5,
) -> NDArray[np.float64]:
    """Sum lines of one common width on an even `grid` by one Fourier convolution.

    Args:
        grid: (M,) evenly spaced, ascending (degrees, Å⁻¹ or ln q alike).
        centres: (K,) line positions in the unit of `grid`; those outside are ignored.
        areas: (K,) integrated intensities.
        fwhm: full width at half maximum in the unit of `grid`.
        eta: Lorentzian share, 0 to 1.

    Returns:
        (M,) profile; its sum times the step is the total area of the lines inside, up to the tails that leave the grid.
    """
    step = (grid[-1] - grid[0]) / (len(grid) - 1)
    if not np.allclose(np.diff(grid), step, rtol=1e-2, atol=0):
        raise UserError("this renderer needs an even grid; use render_each for any other")
    from scipy.fft import irfft, next_fast_len, rfft

    sticks = _split_onto(grid[0], step, len(grid), centres, areas)
    reach = min(len(grid), int(np.ceil(REACH * fwhm / 2 / step)) + 1)
    kernel = pseudo_voigt(np.arange(-reach, reach + 1) * step, fwhm, eta)
    size = next_fast_len(len(grid) + 2 * reach, real=True)
    full = irfft(rfft(sticks, size) * rfft(kernel, size), size)
    return full[reach : reach + len(grid)]


def render_each(
    grid: NDArray[np.float64],
    centres: NDArray[np.float64],
    areas: NDArray[np.float64],
    fwhm: ArrayLike,
    eta: float = 0.5,
) -> NDArray[np.float64]:
    """Sum lines whose widths differ on any `grid`: exact, (M,) from (K,) centres, areas and widths (broadcast)."""
    widths = np.broadcast_to(np.asarray(fwhm, dtype=float), centres.shape)
    total = np.zeros(len(grid))
    for first in range(0, len(centres), BLOCK):
        part = slice(first, first + BLOCK)
        for start in range(0, len(grid), BLOCK):
            near = slice(start, start + BLOCK)
            total[near] += pseudo_voigt(grid[near, None] - centres[part], widths[part], eta) @ areas[part]
    return total


def line_shape(omega: NDArray, parameters: NDArray, sharp: float, blur: float) -> tuple[NDArray, NDArray, NDArray]:
    """(R, F) Fourier transform of the pseudo-Voigt, blurred, and its derivatives by ln width and share."""
    width = (sharp * np.exp(parameters[:, 7])).astype(np.float32)[:, None]
    share = np.clip(0.5 + parameters[:, 8], 0, 1).astype(np.float32)[:, None]
    scaled = omega * width
    gauss_power, lorentz_power = scaled**2 / (16 * np.log(2)), scaled / 2
    gauss, lorentz = np.exp(-gauss_power), np.exp(-lorentz_power).astype(np.float64)
    if blur:
        blurring = np.exp(-((omega * blur) ** 2) / (16 * np.log(2)))
        gauss, lorentz = gauss * blurring, lorentz * blurring
    shape = (1 - share) * gauss + share * lorentz
    return shape, -2 * (1 - share) * gauss_power * gauss - share * lorentz_power * lorentz, lorentz - gauss


def _split_onto(start: float, step: float, length: int, centres: NDArray, areas: NDArray) -> NDArray[np.float64]:
    """(length,) sticks per step: each line shared between its two neighbouring grid points in proportion."""
    place = (centres - start) / step
    inside = (place >= 0) & (place <= length - 1)
    place, areas = place[inside], areas[inside]
    low = np.minimum(place.astype(np.int64), length - 2)
    part = place - low
    sticks = np.bincount(low, areas * (1 - part), length) + np.bincount(low + 1, areas * part, length)
    return sticks.astype(np.float64)
