"""A pattern taken apart into single lines, with places far finer than their widths, for indexing.

The found lines of a sample are maxima; here a sum of lines of one common shape is fitted to the pattern, lines are
added where something is left over, and every place gets its standard uncertainty.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xtal.patterns import two_theta_from_q
from xtal.patterns.linefinder import line_points
from xtal.patterns.noise import counting_variance
from xtal.patterns.sample import Sample
from xtal.patterns.wavelengths import K_ALPHA_2, is_mean_of_doublet, spectrum
from xtal.physics.indexing.shape import FAR, REACH, columns

POINTS_PER_LINE = 6  # finer steps than this within a width are binned
MOST_LINES = 60  # from low angles on: beyond, lines of a large cell overlap beyond use
MODEL_ERROR = 0.02  # of the intensity: no line has exactly the common shape
FLOOR = 5e-4  # of the strongest point
TERMS = 6  # of the polynomial that corrects the background
ROUNDS, STEPS = 3, 5
SIGNIFICANT = 4.5  # standard deviations of a line that is added
CLOSEST = 0.35  # widths between two lines: nearer ones are one
PLACE_FLOOR = 0.01  # of a width


@dataclass(frozen=True, eq=False)
class Profile:
    """A pattern made ready for fits. Angles in degrees 2θ.

    Attributes:
        x: (M,) angles, ascending.
        net: (M,) intensity above the background, without tails beyond `shape.REACH` widths once lines are known.
        weight: (M,) 1 / variance.
        noise: (M,) standard deviation by counting alone.
        wavelength: Å.
        first, second: the two wavelengths of a doublet over `wavelength`; (1, 1) without.
        share: of the second.
        width, eta: of a line: full width at half maximum and Lorentzian share.
    """

    x: NDArray[np.float64]
    net: NDArray[np.float64]
    weight: NDArray[np.float64]
    noise: NDArray[np.float64]
    wavelength: float
    first: float
    second: float
    share: float
    width: float
    eta: float

    def places(self, q: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
        """Degrees 2θ where lines at `q` (Å⁻¹) stand in the light of a wavelength `factor` times the stated one."""
        sine = np.clip(q * factor * self.wavelength / (4 * np.pi), 0, 0.9999)
        return np.asarray(np.degrees(2 * np.arcsin(sine)))

    def columns(self, angles: NDArray[np.float64], widths: float = FAR) -> tuple[NDArray, NDArray, NDArray, NDArray]:
        """Lines whose mean stands at `angles` (N,), within `widths` of it; see `shape.columns`."""
        slope = np.degrees(2 * np.tan(np.radians(angles) / 2))
        a, b = angles + slope * (self.first - 1), angles + slope * (self.second - 1)
        return columns(self.x, a, b, self.share, self.width, self.eta, widths)


@dataclass(frozen=True, eq=False)
class Resolved:
    """A profile and its K lines, ascending.

    Attributes:
        profile: background corrected, shape of the lines refined.
        angle: (K,) degrees 2θ.
        sigma: (K,) their standard uncertainties.
        area: (K,) intensity times degrees.
        area_sigma: (K,).
        misfit: mean square of the weighted residual.
    """

    profile: Profile
    angle: NDArray[np.float64]
    sigma: NDArray[np.float64]
    area: NDArray[np.float64]
    area_sigma: NDArray[np.float64]
    misfit: float


def resolve(sample: Sample) -> Resolved:
    """Take the pattern of a sample apart into lines."""
    start = _prepared(sample)
    angles = two_theta_from_q(sample.lines.q, start.wavelength)
    angles = angles[angles < start.x[-1]]
    area = np.interp(angles, start.x, start.net) * start.width
    found = Resolved(start, angles, np.zeros(0), area, np.zeros(0), np.inf)
    under = np.zeros(TERMS)
    for turn in range(ROUNDS):
        for _ in range(STEPS):
            found, under = _step(found, under)
        extra = _left_over(found, under) if turn < ROUNDS - 1 else np.zeros(0)
        if not len(extra):
            break
        angles = np.concatenate([found.angle, extra])
        area = np.concatenate([found.area, np.full(len(extra), 1e-3 * found.area.max())])
        order = np.argsort(angles)
        found = replace(found, angle=angles[order], area=area[order])
    profile = found.profile
    tails = found.area @ (profile.columns(found.angle)[0] - profile.columns(found.angle, REACH)[0])
    return replace(found, profile=replace(profile, net=profile.net - _basis(profile.x) @ under - tails))


def _prepared(sample: Sample) -> Profile:
    """Bin the pattern and weigh its points; the width is a first estimate."""
    pattern, lines = sample.pattern, sample.lines
    wavelength = pattern.wavelength
    points = line_points(pattern, pattern.intensity - sample.under)
    step = float(np.median(np.diff(pattern.two_theta)))
    sigma = pattern.sigma if pattern.sigma is not None and pattern.sigma.any() else None
    window = max(3, 2 * round(points / 4) + 1)
    variance = counting_variance(pattern.intensity, sample.under, sigma, window, points)
    size = max(1, int(points / POINTS_PER_LINE))
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
    first, second = spectrum(wavelength)
    share = K_ALPHA_2 if is_mean_of_doublet(wavelength) else 0.0
    if not share:
        first = second = 1.0
    width = max(float(points * step), 2 * step)
    return Profile(x, net, weight, np.sqrt(variance), wavelength, first, second, share, width, 0.5)


def _basis(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """(M, T) Chebyshev polynomials over the axis."""
    return np.polynomial.chebyshev.chebvander(2 * (x - x[0]) / (x[-1] - x[0]) - 1, TERMS - 1)


def _step(found: Resolved, under: NDArray) -> tuple[Resolved, NDArray]:
    """One damped step of Gauss and Newton in places, areas, shape and background."""
    profile, count = found.profile, len(found.angle)
    value, slope, by_width, by_eta = profile.columns(found.angle)
    basis = _basis(profile.x)
    root = np.sqrt(profile.weight)
    residual = (profile.net - found.area @ value - basis @ under) * root
    rows = np.concatenate(
        [value, slope * found.area[:, None], (found.area @ by_width)[None], (found.area @ by_eta)[None], basis.T]
    )
    rows = rows * root
    normal, gradient = rows @ rows.T, rows @ residual
    scale = np.sqrt(np.diag(normal)) + 1e-12
    # places are known to a fraction of a width, the share to a third, before anything is fitted
    prior = np.zeros(len(normal))
    prior[count : 2 * count] = 1 / (0.3 * profile.width) ** 2
    prior[2 * count], prior[2 * count + 1] = 1 / (0.1 * profile.width) ** 2, 1 / 0.2**2
    damped = normal + np.diag(prior + 1e-6 * scale**2)
    covariance = np.linalg.inv(damped)
    change, inverse = covariance @ gradient, np.diag(covariance)
    area = found.area + change[:count]
    move = np.clip(change[count : 2 * count], -0.3 * profile.width, 0.3 * profile.width)
    width = profile.width * float(np.clip(1 + change[2 * count] / profile.width, 0.8, 1.25))
    eta = float(np.clip(profile.eta + change[2 * count + 1], 0, 1))
    angle = found.angle + move
    sigma, area_sigma = np.sqrt(inverse[count : 2 * count]), np.sqrt(inverse[:count])
    keep = _distinct(angle, area, area_sigma, profile)
    misfit = float((residual**2).mean())
    kept = (angle[keep], sigma[keep] + PLACE_FLOOR * width, area[keep], area_sigma[keep])
    return Resolved(replace(profile, width=width, eta=eta), *kept, misfit), under + change[2 * count + 2 :]


def _distinct(angle: NDArray, area: NDArray, sigma: NDArray, profile: Profile) -> NDArray[np.intp]:
    """Rows, by angle, of lines inside the pattern that are there and stand apart from stronger ones."""
    good = (area > 2 * sigma) & (angle > profile.x[0]) & (angle < profile.x[-1])
    kept: list[int] = []
    for row in np.argsort(-area):
        if good[row] and all(abs(angle[row] - angle[k]) > CLOSEST * profile.width for k in kept):
            kept.append(int(row))
    rows = np.array(kept, dtype=np.intp)
    return rows[np.argsort(angle[rows])]


def _left_over(found: Resolved, under: NDArray) -> NDArray[np.float64]:
    """Angles at which a line more would explain what is left over."""
    profile = found.profile
    value = profile.columns(found.angle)[0]
    residual = profile.net - found.area @ value - _basis(profile.x) @ under
    step = float(np.median(np.diff(profile.x)))
    reach = int(2 * profile.width / step) + 1
    kernel = np.exp(-4 * np.log(2) * (np.arange(-reach, reach + 1) * step / profile.width) ** 2)
    above = np.convolve(residual * profile.weight, kernel, "same")
    size = np.sqrt(np.convolve(profile.weight, kernel**2, "same"))
    score = above / size
    top = np.flatnonzero((score[1:-1] > score[:-2]) & (score[1:-1] >= score[2:]) & (score[1:-1] > SIGNIFICANT)) + 1
    apart = np.abs(profile.x[top, None] - found.angle[None]).min(axis=1, initial=np.inf) > CLOSEST * profile.width
    return profile.x[top[apart]]


def first_lines(profile: Profile, angles: NDArray[np.float64], count: int) -> Profile:
    """Return the part of a profile up to its line number `count`, of those at `angles`."""
    if len(angles) <= count:
        return profile
    keep = profile.x <= angles[count] - profile.width
    columns = (profile.x, profile.net, profile.weight, profile.noise)
    x, net, weight, noise = (column[keep] for column in columns)
    return replace(profile, x=x, net=net, weight=weight, noise=noise)
