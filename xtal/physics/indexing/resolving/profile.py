"""A pattern made ready for fits of lines: binned, weighed, with what its lines look like."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xtal.patterns import Lines, two_theta_from_q
from xtal.patterns.linefinder import line_points
from xtal.patterns.noise import counting_variance
from xtal.patterns.sample import Sample
from xtal.patterns.wavelengths import spectrum
from xtal.physics.indexing.resolving.shape import FAR, Light, columns, halves

POINTS_PER_LINE = 6  # finer steps than this within a width are binned
MOST_LINES = 60  # from low angles on: beyond, lines of a large cell overlap beyond use
MODEL_ERROR = 0.02  # of the intensity: no line has exactly the common shape
FLOOR = 5e-4  # of the strongest point
# widths from which on a doublet has two maxima; of its second one: widths from its place, height over that of the first
SPLIT, MEETS, WEAKER = 0.8, 0.4, 0.8


@dataclass(frozen=True, eq=False)
class Profile:
    """A pattern made ready for fits. Angles in degrees 2θ.

    Attributes:
        x: (M,) angles, ascending.
        net: (M,) intensity above the background, without tails beyond `shape.REACH` widths once lines are known.
        weight: (M,) 1 / variance.
        noise: (M,) standard deviation by counting alone.
        light: what its lines look like.
    """

    x: NDArray[np.float64]
    net: NDArray[np.float64]
    weight: NDArray[np.float64]
    noise: NDArray[np.float64]
    light: Light

    @property
    def wavelength(self) -> float:
        """Å, as stated."""
        return self.light.wavelength

    @property
    def width(self) -> float:
        """Degrees, of a line in the middle."""
        return self.light.width

    @property
    def step(self) -> float:
        """Degrees between points, usually."""
        return float(np.median(np.diff(self.x)))

    def halves(self, angles: NDArray[np.float64]) -> NDArray[np.float64]:
        """(2, N) degrees: widths of the lower and the upper half of lines at `angles` (N,); see `shape.halves`."""
        return np.array([halves(angle, self.light) for angle in angles.tolist()]).reshape(-1, 2).T

    def columns(self, angles: NDArray[np.float64], widths: float = FAR) -> tuple[NDArray, NDArray]:
        """Lines that stand at `angles` (N,) in the stated wavelength, within `widths` of it; see `shape.columns`."""
        slope = np.degrees(2 * np.tan(np.radians(angles) / 2))
        light = self.light
        return columns(self.x, angles + slope * (light.first - 1), angles + slope * (light.second - 1), light, widths)


def prepared(sample: Sample) -> Profile:
    """Bin the pattern and weigh its points; the width is a first estimate."""
    pattern, lines = sample.pattern, sample.lines
    wavelength = pattern.wavelength
    points = line_points(pattern, pattern.intensity - sample.under)
    step = float(np.median(np.diff(pattern.two_theta)))
    sigma = pattern.sigma if pattern.sigma is not None and pattern.sigma.any() else None
    window = max(3, 2 * round(points / 4) + 1)
    variance = counting_variance(pattern.intensity, sample.under, sigma, window, points)
    width = float(np.clip(_usual_width(lines, wavelength), 2 * step, max(points, 2) * step))
    size = max(1, int(width / step / POINTS_PER_LINE))
    last = np.inf
    if len(lines) > MOST_LINES:
        last = float(two_theta_from_q(lines.q[MOST_LINES], wavelength))
    count = int((pattern.two_theta <= last).sum()) // size
    rows = [
        column[: count * size].reshape(count, size).mean(axis=1)
        for column in (pattern.two_theta, pattern.intensity - sample.under, variance / size)
    ]
    x, net, variance = rows
    level = np.clip(net, 0, None)
    weight = 1 / (variance + (MODEL_ERROR * level) ** 2 + (FLOOR * level.max()) ** 2)
    middle = float(np.tan(np.radians(x[len(x) // 2]) / 2))
    light = Light(wavelength, *spectrum(wavelength), 0.0, width, 0.5, 0.0, 0.0, middle)
    return Profile(x, net, weight, np.sqrt(variance), light)


def seeds(sample: Sample, start: Profile) -> NDArray[np.float64]:
    """Angles of the found lines; of a doublet taken apart only the first, where the stated wavelength has it."""
    light = start.light
    angles = two_theta_from_q(sample.lines.q, start.wavelength)
    inside = angles < start.x[-1]
    angles, height = angles[inside], np.interp(angles[inside], start.x, start.net)
    if not light.share:
        return np.asarray(angles)
    slope = np.degrees(2 * np.tan(np.radians(angles) / 2))
    apart = slope * (light.second - light.first) > SPLIT * light.width
    partner = angles + slope * (light.second - light.first)
    near = np.abs(partner[:, None] - angles) < MEETS * light.width
    weaker = height < WEAKER * height[:, None]
    second = (near & weaker & apart[:, None]).any(axis=0)
    return np.asarray(np.where(apart, angles - slope * (light.first - 1), angles)[~second])


def first_lines(profile: Profile, angles: NDArray[np.float64], count: int) -> Profile:
    """Return the part of a profile up to its line number `count`, of those at `angles`."""
    if len(angles) <= count:
        return profile
    keep = profile.x <= angles[count] - profile.width
    columns = (profile.x, profile.net, profile.weight, profile.noise)
    x, net, weight, noise = (column[keep] for column in columns)
    return replace(profile, x=x, net=net, weight=weight, noise=noise)


def _usual_width(lines: Lines, wavelength: float) -> float:
    """Degrees, that a quarter of the intensity of the found lines is narrower than; 0 where no width is known."""
    if lines.width is None or not len(lines):
        return 0.0
    low, high = (two_theta_from_q(lines.q + side * lines.width / 2, wavelength) for side in (-1, 1))
    order = np.argsort(high - low)
    part = np.cumsum(lines.intensity[order])
    return float((high - low)[order][np.searchsorted(part, part[-1] / 4)])
