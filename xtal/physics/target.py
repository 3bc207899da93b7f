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

LEAST_REACH = 2.25  # Å⁻¹: every database entry has lines up to here,
FARTHEST_REACH = 5.85  # and none beyond 6: farther, entries would be compared by how far strain moves their last lines
ENOUGH_LINES = 80  # once so many lines were found, higher angles add cost, not evidence
FINE = 2000  # points of the table that stretches the axis
COLUMNS = ("two_theta", "stretched", "net", "under", "variance", "measured")
WHOLLY = 0.98  # measured: a blurred point that a gap adds so little to is one still
POINTS_PER_LINE = 4  # finer steps than this within a line's width are binned


@dataclass(frozen=True, eq=False)
class Target:
    """What a candidate's calculated profile is compared with. Arrays are (M,), angles in degrees 2θ.

    Lines may grow wider with the angle, ``w² = fwhm² (1 + growth · tan² θ)`` (Caglioti et al., 1958, without its middle
    term). The axis is then stretched such that all of them have one width: u with ``du = d2θ fwhm / w``.

    Attributes:
        two_theta: evenly spaced where nothing grows.
        stretched: u, evenly spaced, degrees at small angles.
        net: intensity above the background.
        under: the background.
        variance: of `net`, from counting alone.
        fwhm: usual line width, at small angles where it grows.
        wavelength: Å.
        measured: False in gaps of the scan: nothing is known there, and `net` is 0.
        computed: whether the pattern is without any noise, as no measurement is.
        growth: of the line width, see above.
        source: pattern, lines and background that it was made of.
    """

    two_theta: NDArray[np.float64]
    stretched: NDArray[np.float64]
    net: NDArray[np.float64]
    under: NDArray[np.float64]
    variance: NDArray[np.float64]
    fwhm: float
    wavelength: float
    measured: NDArray[np.bool_]
    computed: bool
    growth: float
    source: tuple[Pattern, Lines, NDArray[np.float64]]

    @classmethod
    def of(cls, pattern: Pattern, lines: Lines, under: NDArray[np.float64], growth: float = 0.0) -> Self:
        """Prepare a pattern with its `lines` and background `under` (M,); only the range that the fit uses is kept."""
        net = pattern.intensity - under
        steps = np.diff(pattern.two_theta)
        points = line_points(pattern, net)
        window = max(3, 2 * round(points / 4) + 1)
        sigma = pattern.sigma if pattern.sigma is not None and pattern.sigma.any() else None
        variance = counting_variance(pattern.intensity, under, sigma, window, points)
        usual = np.average(widening(pattern.two_theta, growth), weights=np.clip(net, 0, None) + 1e-9 * net.max())
        fwhm, computed = float(points * np.median(steps) / usual), is_smooth(pattern.intensity, points)
        reach = lines.q[ENOUGH_LINES] if len(lines) > ENOUGH_LINES else np.inf
        last = two_theta_from_q(min(max(LEAST_REACH, reach), FARTHEST_REACH), pattern.wavelength)
        used = pattern.two_theta <= (last if np.isfinite(last) else np.inf)
        if used.sum() < 2:
            used = np.ones(len(pattern), dtype=bool)
        grid, stretched = _even(pattern.two_theta[used], fwhm, growth)
        net_at, under_at, variance_at = (_rebin(pattern.two_theta, column, grid) for column in (net, under, variance))
        measured = ~in_gap(grid, gaps(pattern))
        per_bin = np.maximum(1.0, np.gradient(grid) / float(np.median(steps)))
        return cls(
            two_theta=grid,
            stretched=stretched,
            net=np.where(measured, net_at, 0.0),
            under=under_at,
            variance=variance_at / per_bin,
            fwhm=fwhm,
            wavelength=pattern.wavelength,
            measured=measured,
            computed=computed,
            growth=growth,
            source=(pattern, lines, under),
        )

    def grown(self, growth: float) -> Self:
        """Return the same pattern with lines that grow wider with the angle."""
        return self if growth == self.growth else self.of(*self.source, growth)

    @property
    def step(self) -> float:
        """Distance of neighbouring points in degrees, stretched."""
        return float((self.stretched[-1] - self.stretched[0]) / (len(self.stretched) - 1))

    def place(self, two_theta: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return where angles lie on the grid, in steps from its start; outside of it before -1 or beyond M - 1."""
        count = len(self.two_theta)
        if not self.growth:
            return (two_theta - self.two_theta[0]) / self.step
        return np.interp(two_theta, self.two_theta, np.arange(count), left=-1, right=count)

    def density(self, two_theta: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ``du/d2θ`` at angles."""
        return 1 / widening(two_theta, self.growth)

    @property
    def points(self) -> int:
        """Number of measured points."""
        return int(self.measured.sum())

    def shortened(self, count: int) -> Self:
        """Return the first `count` points."""
        return replace(self, **{name: getattr(self, name)[:count] for name in COLUMNS})

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
        net, under, variance, whole = (
            _merged(gaussian_filter1d(column, sigma, mode="nearest"), merge)
            for column in (self.net, self.under, self.variance, seen)
        )
        return replace(
            self,
            two_theta=_merged(self.two_theta, merge),
            stretched=_merged(self.stretched, merge),
            net=np.where(whole > WHOLLY, net, 0.0),
            under=under,
            variance=variance / merge,
            fwhm=fwhm,
            measured=whole > WHOLLY,
        )


def widening(two_theta: NDArray[np.float64], growth: float) -> NDArray[np.float64]:
    """Return the line width at angles (degrees) over that at small angles, see `Target`."""
    if not growth:
        return np.ones_like(two_theta)
    return np.sqrt(1 + growth * np.tan(np.radians(two_theta) / 2) ** 2)


def _merged(values: NDArray, merge: int) -> NDArray[np.float64]:
    """Return means over `merge` neighbours."""
    size = len(values) // merge
    return np.asarray(values[: size * merge].reshape(size, merge).mean(axis=1))


def _even(two_theta: NDArray, fwhm: float, growth: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a grid over the measured range, and the same stretched: even, and no finer than the line width needs."""
    step = max(float(np.median(np.diff(two_theta))), fwhm / POINTS_PER_LINE)
    first, last = two_theta[0], two_theta[-1]
    angles = np.linspace(first, last, FINE)
    slowness = 1 / widening(angles, growth)
    along = first + np.concatenate([[0], np.cumsum((slowness[1:] + slowness[:-1]) / 2)]) * (angles[1] - angles[0])
    stretched = np.linspace(along[0], along[-1], max(2, round((along[-1] - along[0]) / step) + 1))
    return (np.interp(stretched, along, angles) if growth else stretched), stretched


def _rebin(two_theta: NDArray, values: NDArray, grid: NDArray) -> NDArray[np.float64]:
    """Mean of `values` around each grid point: the difference of the running integral between bin edges."""
    integral = np.concatenate([[0], np.cumsum((values[1:] + values[:-1]) / 2 * np.diff(two_theta))])
    midway, (before, *_, beyond) = (grid[1:] + grid[:-1]) / 2, np.diff(grid, prepend=2 * grid[0] - grid[1]) / 2
    edges = np.concatenate([[grid[0] - before], midway, [grid[-1] + beyond]])
    edges = np.clip(edges, two_theta[0], two_theta[-1])
    return np.diff(np.interp(edges, two_theta, integral)) / np.maximum(np.diff(edges), 1e-12)
