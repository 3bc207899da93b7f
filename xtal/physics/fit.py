"""Fit calculated line patterns to a measured one: lattice strain, zero shift and profile, all candidates at once.

    net(x) ≈ scale · Σ_k A_k φ(x - x_k; w, η) + background correction,      x_k = 2θ(q_k (1 - direction_k · ε)) + zero
    χ² = Σ_x r(x)² / v(x) + prior
    v  = counting + (3 % of the background)² + n (s(g) · net)²,   s² = s₀² + s₁² exp(-2 g / g₀)

The last term of v lets every line be wrong by a factor: s₀ for texture and statistics, s₁ at low angles for guests in
the pores; n, the points in a line, makes the sum over a line count once. The background correction is a linear spline
that is projected out, so that it costs no parameter. The nine parameters of a candidate (six strains, zero shift,
ln width, Lorentzian share) have normal priors and move by Gauss-Newton steps; the scale is solved for in each.
"""

from copy import copy
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.ndimage import uniform_filter1d

from xtal.patterns import q_from_two_theta
from xtal.physics.profile import line_shape
from xtal.physics.sticks import Sticks
from xtal.physics.target import Target

CU_DEGREE = 14.06  # degrees 2θ in 1 Å⁻¹, at small angles with Cu Kα: what laboratories see was learnt there
ANISOTROPIC_STRAIN = 0.004  # standard deviation of each strain component between database and sample
ISOTROPIC_STRAIN = 0.006  # on top, the same in all directions: temperature, calculated cells
ZERO_SHIFT = 0.06 / CU_DEGREE  # Å⁻¹ near 2θ = 0: short waves are measured on instruments as much finer
LOG_WIDTH, LORENTZIAN_SHARE = 0.5, 0.3  # about the width found in the pattern, and about a share of one half
GUEST_REACH = 0.15  # g₀, Å⁻¹
BACKGROUND_ERROR = 0.03
FLOOR = 1e-3  # of the strongest point: no pattern is known better, measured or computed
KNOT_SPACING = 2.0 / CU_DEGREE  # Å⁻¹ at least, between knots of the background correction
MOST_KNOTS = 40
ZERO_STEP = 0.08 / CU_DEGREE  # Å⁻¹, see `step_limit`
PARAMETERS = 9


@dataclass(frozen=True)
class Errors:
    """Relative errors of calculated intensities: of every `line` (s₀), and `guest` (s₁) on top at low angles."""

    line: float = 0.1
    guest: float = 0.2


SAMPLE = Errors()


@dataclass(frozen=True, eq=False)
class Fit:
    """The state of R candidates.

    Attributes:
        parameters: (R, 9) six strains (Voigt order), zero shift in degrees, ln(width / found width), share - 1/2.
        chi_square: (R,) with the prior.
        explained: (R,) ``1 - Σ|net - calculated| / Σ|net|``, one minus the profile R value above the background; 0 at
            least. Noise counts as unexplained, so that a weak measurement stays below 1 for the right crystal too.
        scale: (R,) area of all lines, intensity x degrees.
        second: (R,) share of Kα2 in the beam.
        growth: (R,) of the line width with the angle, see `Target`.
    """

    parameters: NDArray[np.float64]
    chi_square: NDArray[np.float64]
    explained: NDArray[np.float64]
    scale: NDArray[np.float64]
    second: NDArray[np.float64]
    growth: NDArray[np.float64]

    @classmethod
    def start(cls, count: int) -> Self:
        """Return `count` candidates as the database holds them, not compared yet."""
        blank = np.zeros(count)
        return cls(np.zeros((count, PARAMETERS)), blank + np.inf, blank, blank, blank, blank)

    def take(self, rows: NDArray[np.integer]) -> Self:
        """Return the chosen candidates."""
        return type(self)(*(column[rows] for column in vars(self).values()))


@dataclass(frozen=True, eq=False)
class Beside:
    """Phases that are known to be in the sample: their lines, with Kα2 where the beam has it, and (P, 9) parameters."""

    sticks: Sticks
    parameters: NDArray[np.float64]


class Weighted:
    """A target with its weights and without what the background correction can take up."""

    def __init__(self, target: Target, blur: float, errors: Errors = SAMPLE) -> None:
        """Weigh `target` after `blur` (degrees), see the module's text for v."""
        self.sharp, self.blur = target.fwhm, blur
        self.target = target.blurred(blur)
        t = self.target
        g = 2 * np.sin(np.radians(t.two_theta) / 2) / t.wavelength
        error = errors.line**2 + errors.guest**2 * np.exp(-2 * g / GUEST_REACH)
        points = max(1.0, t.fwhm / t.step)
        level = np.clip(_running_mean(t.net, max(1, round(points / 3))), 0, None)
        variance = t.variance + (BACKGROUND_ERROR * t.under) ** 2 + points * error * level**2
        root = t.measured / np.sqrt(variance + (FLOOR * level.max()) ** 2 + 1e-24)
        self.root, self.density = root.astype(np.float32), t.density(t.two_theta).astype(np.float32)
        self.basis = background_basis(t, root).astype(np.float32)
        self.data = self.project(t.net.astype(np.float32) * self.root)

    @classmethod
    @lru_cache(maxsize=16)
    def of(cls, target: Target, blur: float, errors: Errors = SAMPLE) -> Self:
        """Weigh a target once for all that is fitted to it."""
        return cls(target, blur, errors)

    def beside(self, phases: "Beside") -> Self:
        """Return the same without what phases in the sample may take up, whatever their scales."""
        known = self.project(weighted_profiles(self, phases.sticks, phases.parameters, False)[:, 0])
        without = copy(self)
        without.basis = np.concatenate([self.basis, np.linalg.qr(known.T)[0]], axis=1)
        without.data = without.project(self.target.net.astype(np.float32) * self.root)
        return without

    def project(self, weighted: NDArray) -> NDArray:
        """Remove the background correction's share of (..., M) curves in units of the standard deviation."""
        return weighted - (weighted @ self.basis) @ self.basis.T


def refine(
    target: Target,
    sticks: Sticks,
    blur: float,
    steps: int,
    start: Fit | None = None,
    errors: Errors = SAMPLE,
    second: float = 0.0,
    beside: Beside | None = None,
) -> Fit:
    """Move all candidates by `steps` Gauss-Newton steps and compare them.

    Args:
        target: the measured pattern.
        sticks: lines of R candidates.
        blur: degrees of extra line width.
        steps: to move.
        start: where to begin.
        errors: of the calculated intensities.
        second: share of Kα2 in the beam.
        beside: phases that each candidate is seen with; their lines stay where they are.
    """
    data, sticks = Weighted.of(target, blur, errors), sticks.doubled(target.wavelength, second)
    data = data if beside is None else data.beside(beside)
    precision, limit = prior_precision(target.wavelength), step_limit(target.wavelength)
    parameters = start.parameters if start else np.zeros((len(sticks), PARAMETERS))
    for _ in range(steps):
        move = _gauss_newton(data, weighted_profiles(data, sticks, parameters, True), parameters, precision)
        parameters = parameters + np.clip(move, -limit, limit)
    scale, residual = _scaled(data, weighted_profiles(data, sticks, parameters, False)[:, 0])
    chi = np.einsum("rm,rm->r", residual, residual)
    prior = np.einsum("rp,pq,rq->r", parameters, precision, parameters)
    seen = data.target.measured
    degrees = 1 / (data.root[seen] * data.density[seen])  # of a step, and back from units of the standard deviation
    left = (np.abs(residual[:, seen]) @ degrees) / (np.abs(data.data[seen]) @ degrees)
    shared = (np.full(len(scale), second), np.full(len(scale), target.growth))
    return Fit(parameters, chi + prior, np.clip(1 - left, 0, 1), scale, *shared)


@lru_cache(maxsize=64)
def prior_precision(wavelength: float) -> NDArray[np.float64]:
    """(9, 9) inverse covariance of the parameters at `wavelength` (Å): strains share an isotropic part."""
    covariance = np.diag([ANISOTROPIC_STRAIN**2] * 3 + [ANISOTROPIC_STRAIN**2 / 2] * 3)
    covariance[:3, :3] += ISOTROPIC_STRAIN**2
    zero = in_degrees(ZERO_SHIFT, wavelength)
    rest = np.diag([zero**-2, LOG_WIDTH**-2, LORENTZIAN_SHARE**-2])
    return np.block([[np.linalg.inv(covariance), np.zeros((6, 3))], [np.zeros((3, 6)), rest]])


@lru_cache(maxsize=64)
def step_limit(wavelength: float) -> NDArray[np.float64]:
    """(9,) farthest that one Gauss-Newton step may move the parameters: the model is linear no farther."""
    return np.array([0.006] * 6 + [in_degrees(ZERO_STEP, wavelength), 0.4, 0.3])


def in_degrees(q: float, wavelength: float) -> float:
    """Degrees 2θ that a small difference `q` (Å⁻¹) makes at small angles, at `wavelength` (Å)."""
    return float(np.degrees(q * wavelength / (2 * np.pi)))


def line_positions(sticks: Sticks, parameters: NDArray, wavelength: float) -> tuple[NDArray, NDArray]:
    """Return (R, L) 2θ in degrees and (R, L, 7) its derivatives by the six strains and the zero shift."""
    q = sticks.q * (1 - np.einsum("rls,rs->rl", sticks.direction, parameters[:, :6]))
    theta = np.arcsin(np.clip(q * wavelength / (4 * np.pi), 0, 0.9999))
    by_strain = -sticks.direction * np.degrees(2 * np.tan(theta))[..., None]
    ones = np.ones((*theta.shape, 1))
    return np.degrees(2 * theta) + parameters[:, 6:7], np.concatenate([by_strain, ones], axis=2)


def profiles(
    target: Target, sticks: Sticks, parameters: NDArray, sharp: float, blur: float, derivatives: bool
) -> NDArray[np.float32]:
    """Return (R, 10, M): the calculated profile of unit area, then its derivatives by the nine parameters.

    They are densities on the stretched axis of the target.

    Without `derivatives` only (R, 1, M), the profile. `sharp` is the line width found in the pattern and `blur` the
    width added by blurring it, in degrees.
    """
    step, size = target.step, len(target.net)
    length = next_fast_len(size + int(4 * target.fwhm / step) + 8, real=True)
    angles, slope = line_positions(sticks, parameters, target.wavelength)
    weights = sticks.area[..., None]
    if derivatives:
        weights = np.concatenate([weights, weights * slope * target.density(angles)[..., None]], axis=2)
    spectrum = rfft(_deposit(weights, target.place(angles), size, length), axis=2)  # complex64
    omega = (2 * np.pi * np.fft.rfftfreq(length, step)).astype(np.float32)
    shape, by_width, by_share = (part / np.float32(step) for part in line_shape(omega, parameters, sharp, blur))
    if not derivatives:
        return irfft(spectrum * shape[:, None], length, axis=2)[:, :, :size]
    rows = np.empty((len(spectrum), 1 + PARAMETERS, len(omega)), dtype=np.complex64)
    np.multiply(spectrum[:, 0], shape, out=rows[:, 0])
    np.multiply(spectrum[:, 1:], (np.complex64(-1j) * omega * shape)[:, None], out=rows[:, 1:8])
    np.multiply(spectrum[:, 0], by_width, out=rows[:, 8])
    np.multiply(spectrum[:, 0], by_share, out=rows[:, 9])
    return irfft(rows, length, axis=2)[:, :, :size]


def weighted_profiles(data: Weighted, sticks: Sticks, parameters: NDArray, derivatives: bool) -> NDArray[np.float32]:
    """`profiles` in units of the standard deviation."""
    curves = profiles(data.target, sticks, parameters, data.sharp, data.blur, derivatives)
    curves *= data.root * data.density
    return curves


def _scaled(data: Weighted, model: NDArray) -> tuple[NDArray, NDArray]:
    """Return the best scale (R,) of the profiles (R, M), and what they leave (R, M) of the data."""
    model = data.project(model)
    square = np.einsum("rm,rm->r", model, model)
    scale = np.clip(model @ data.data / np.maximum(square, 1e-30), 0, None)
    return scale, data.data - scale[:, None] * model


def _gauss_newton(data: Weighted, curves: NDArray, parameters: NDArray, precision: NDArray) -> NDArray[np.float64]:
    """(R, 9) step of the parameters from weighted profiles and derivatives (R, 10, M); ln scale is the free tenth.

    With the projection P and curves C the normal matrix is ``C P Cᵀ = C Cᵀ - (C Q)(C Q)ᵀ``, so that the derivatives
    themselves need not be projected.
    """
    scale, residual = _scaled(data, curves[:, 0])
    share = curves @ data.basis  # (R, 10, K)
    normal = (curves @ curves.transpose(0, 2, 1) - share @ share.transpose(0, 2, 1)).astype(np.float64)
    gradient = (curves @ residual[..., None])[..., 0] * scale[:, None].astype(np.float64)
    normal *= (scale**2)[:, None, None]
    normal[:, 1:, 1:] += precision
    gradient[:, 1:] -= parameters @ precision
    normal[:, 0, 0] += 1e-6 * normal[:, 0, 0] + 1e-9
    return np.linalg.solve(normal, gradient[..., None])[:, 1:, 0]


def _deposit(weights: NDArray, place: NDArray, size: int, length: int) -> NDArray[np.float32]:
    """(R, C, length) of weights (R, L, C) laid at `place` (R, L) in steps, each shared by its two neighbours.

    A line whose first weight, its area, is nothing has no others.
    """
    count, _, channels = weights.shape
    row, line = np.nonzero((place >= 0) & (place < size - 1) & weights[..., 0].astype(bool))
    place, value = place[row, line], weights[row, line].T
    low = place.astype(np.int64)
    base, upper = row * length + low, place - low
    both, shares = np.concatenate([base, base + 1]), np.concatenate([1 - upper, upper])
    result = np.empty((count, channels, length), dtype=np.float32)
    for channel in range(channels):
        total = np.bincount(both, np.concatenate([value[channel]] * 2) * shares, count * length)
        result[:, channel] = total.reshape(count, length)
    return result


def hats(two_theta: NDArray, wavelength: float) -> NDArray[np.float64]:
    """(M, K) linear spline basis over the measured range, its knots evenly spaced in q."""
    q = q_from_two_theta(two_theta, wavelength)
    knots = np.linspace(q[0], q[-1], int(np.clip((q[-1] - q[0]) / KNOT_SPACING, 1, MOST_KNOTS)) + 1)
    return np.clip(1 - np.abs(q[:, None] - knots) / (knots[1] - knots[0]), 0, None)


def background_basis(target: Target, root: NDArray) -> NDArray[np.float64]:
    """(M, K) orthonormal curves, in units of the standard deviation, that the background correction may add."""
    weighted = hats(target.two_theta, target.wavelength) * root[:, None]
    return np.asarray(np.linalg.qr(weighted[:, weighted.any(axis=0)])[0])


def _running_mean(values: NDArray, points: int) -> NDArray[np.float64]:
    """Mean over `points` neighbours; the ends are continued level."""
    return uniform_filter1d(values, 2 * points + 1, mode="nearest")
