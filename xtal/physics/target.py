"""A measured pattern made ready to be fitted: even steps, background off, and how far each point may be trusted."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from xtal.patterns import Lines, Pattern, two_theta_from_q
from xtal.patterns.linefinder import line_points
from xtal.patterns.noise import counting_variance, is_smooth
from xtal.patterns.segments import gaps, in_gap

LEAST_REACH = 2.25  # Å⁻¹: every database entry has lines up to here
ENOUGH_LINES = 80  # once so many lines were found, higher angles add cost, not evidence
WHOLLY = 0.98  # measured: a blurred point that a gap adds so little to is one still
POINTS_PER_LINE = 4  # finer steps than this within a line's width are binned


@dataclass(frozen=True, eq=False)
class Target:
    """What a candidate's calculated profile is compared with. Arrays are (M,), angles in degrees 2θ.

    Attributes:
        two_theta: evenly spaced.
        net: intensity above the background.
        under: the background.
        variance: of `net`, from counting alone.
        fwhm: usual line width.
        wavelength: Å.
        measured: False in gaps of the scan: nothing is known there, and `net` is 0.
        computed: whether the pattern is without any noise, as no measurement is.
    """

    two_theta: NDArray[np.float64]
    net: NDArray[np.float64]
    under: NDArray[np.float64]
    variance: NDArray[np.float64]
    fwhm: float
    wavelength: float
    measured: NDArray[np.bool_]
    computed: bool = False

    @classmethod
    def of(cls, pattern: Pattern, lines: Lines, under: NDArray[np.float64]) -> Self:
        """Prepare a pattern with its `lines` and background `under` (M,); only the range that the fit uses is kept."""
        net = pattern.intensity - under
        steps = np.diff(pattern.two_theta)
        points = line_points(pattern, net)
        window = max(3, 2 * round(points / 4) + 1)
        sigma = pattern.sigma if pattern.sigma is not None and pattern.sigma.any() else None
        variance = counting_variance(pattern.intensity, under, sigma, window, points)
        fwhm, computed = float(points * np.median(steps)), is_smooth(pattern.intensity, points)
        reach = lines.q[ENOUGH_LINES] if len(lines) > ENOUGH_LINES else np.inf
        last = two_theta_from_q(max(LEAST_REACH, reach), pattern.wavelength)
        used = pattern.two_theta <= (last if np.isfinite(last) else np.inf)
        if used.sum() < 2:
            used = np.ones(len(pattern), dtype=bool)
        grid = _even(pattern.two_theta[used], fwhm)
        columns = [_rebin(pattern.two_theta, column, grid) for column in (net, under, variance)]
        measured = ~in_gap(grid, gaps(pattern))
        per_bin = max(1.0, (grid[1] - grid[0]) / float(np.median(steps)))
        columns[0][~measured] = 0.0
        return cls(grid, columns[0], columns[1], columns[2] / per_bin, fwhm, pattern.wavelength, measured, computed)

    @property
    def step(self) -> float:
        """Distance of neighbouring points in degrees."""
        return float((self.two_theta[-1] - self.two_theta[0]) / (len(self.two_theta) - 1))

    @property
    def points(self) -> int:
        """Number of measured points."""
        return int(self.measured.sum())

    def shortened(self, count: int) -> Self:
        """Return the first `count` points."""
        columns = (self.two_theta, self.net, self.under, self.variance, self.measured)
        two_theta, net, under, variance, measured = (column[:count] for column in columns)
        return replace(self, two_theta=two_theta, net=net, under=under, variance=variance, measured=measured)

    def blurred(self, blur: float) -> Self:
        """Return the target as an instrument with `blur` degrees more line width would see it, on a coarser grid."""
        if blur <= 0:
            return self
        fwhm = float(np.hypot(self.fwhm, blur))
        merge = max(1, int(fwhm / POINTS_PER_LINE / self.step))
        size = len(self.net) // merge
        if size < 2:
            return self
        sigma = blur / 2.3548 / self.step
        seen = self.measured.astype(np.float64)
        columns = [
            gaussian_filter1d(column, sigma, mode="nearest")[: size * merge].reshape(size, merge).mean(axis=1)
            for column in (self.net, self.under, self.variance, seen)
        ]
        grid = self.two_theta[: size * merge].reshape(size, merge).mean(axis=1)
        measured = columns[3] > WHOLLY
        net = np.where(measured, columns[0], 0.0)
        return type(self)(grid, net, columns[1], columns[2] / merge, fwhm, self.wavelength, measured)


def _even(two_theta: NDArray, fwhm: float) -> NDArray[np.float64]:
    """Even grid over the measured range, no finer than the line width needs."""
    steps = np.diff(two_theta)
    step = max(float(np.median(steps)), fwhm / POINTS_PER_LINE)
    return np.linspace(two_theta[0], two_theta[-1], max(2, round((two_theta[-1] - two_theta[0]) / step) + 1))


def _rebin(two_theta: NDArray, values: NDArray, grid: NDArray) -> NDArray[np.float64]:
    """Mean of `values` around each grid point: the difference of the running integral between bin edges."""
    step = grid[1] - grid[0]
    integral = np.concatenate([[0], np.cumsum((values[1:] + values[:-1]) / 2 * np.diff(two_theta))])
    edges = np.clip(np.append(grid - step / 2, grid[-1] + step / 2), two_theta[0], two_theta[-1])
    return np.diff(np.interp(edges, two_theta, integral)) / np.maximum(np.diff(edges), 1e-12)
