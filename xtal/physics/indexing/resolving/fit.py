"""A sum of lines of one shape, fitted to a profile by Gauss and Newton."""

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from xtal.patterns.wavelengths import K_ALPHA_2
from xtal.physics.indexing.resolving.profile import Profile

STRONG, COMMON = 16, 0.3  # lines that show how wrong the shape is, and of which share it must be
ASTRAY = 0.02  # widths: displacement, transparency and the goniometer put no line where it belongs
FEWEST_TERMS, MOST_TERMS, APART = 6, 24, 40.0  # of the polynomial that corrects the background; widths for each
FAINT = 1e-3  # of the strongest line: one that is added
FARTHEST = 0.3  # widths by which a step moves a line
CLOSEST = 0.35  # widths between two lines: nearer ones are one
PLACE_FLOOR = 0.01  # of a width


class Term(NamedTuple):
    """A parameter of the shape: how it is varied, what it usually is (None: what it is now), and between what."""

    name: str
    step: float
    usual: float | None
    spread: float
    bounds: tuple[float, float]


SHAPE = (
    Term("width", 1e-4, None, 0.1, (0.0, np.inf)),
    Term("eta", 1e-3, None, 0.2, (0.0, 1.4)),
    Term("growth", 1e-3, 0.0, 0.5, (-0.5, 0.9)),
    Term("lean", 1e-4, 0.0, 0.15, (-0.1, 0.8)),
    Term("share", 1e-3, K_ALPHA_2, 0.05, (0.1, 0.45)),
)


@dataclass(frozen=True, eq=False)
class Resolved:
    """A profile and its K lines, ascending.

    Attributes:
        profile: background corrected, shape of the lines refined.
        angle: (K,) degrees 2θ.
        sigma: (K,) their standard uncertainties.
        area: (K,) intensity times degrees.
        area_sigma: (K,).
        under: (T,) coefficients of the polynomial that corrects the background.
        misfit: mean square of the weighted residual.
    """

    profile: Profile
    angle: NDArray[np.float64]
    sigma: NDArray[np.float64]
    area: NDArray[np.float64]
    area_sigma: NDArray[np.float64]
    under: NDArray[np.float64]
    misfit: float

    @classmethod
    def of(cls, profile: Profile, angle: NDArray[np.float64]) -> Self:
        """Begin with lines at `angle` (K,) that are as high as the profile is there."""
        area = np.interp(angle, profile.x, profile.net) * profile.width
        terms = int(np.clip((profile.x[-1] - profile.x[0]) / (APART * profile.width), FEWEST_TERMS, MOST_TERMS))
        return cls(profile, angle, 0 * angle, area, 0 * angle, np.zeros(terms), np.inf)

    @property
    def background(self) -> NDArray[np.float64]:
        """(M,) what the polynomial adds to it."""
        return np.asarray(_basis(self.profile.x, len(self.under)) @ self.under)

    def residual(self, value: NDArray[np.float64]) -> NDArray[np.float64]:
        """(M,) what lines with columns `value` (K, M) leave of the profile."""
        return np.asarray(self.profile.net - self.area @ value - self.background)

    def with_more(self, angle: NDArray[np.float64]) -> "Resolved":
        """Add faint lines at `angle`."""
        angles = np.concatenate([self.angle, angle])
        areas = np.concatenate([self.area, np.full(len(angle), FAINT * self.area.max(initial=0))])
        order = np.argsort(angles)
        return replace(self, angle=angles[order], area=areas[order])


def step(found: Resolved) -> Resolved:
    """One damped step of Gauss and Newton in places, areas, shape and background."""
    profile, count = found.profile, len(found.angle)
    light, width = profile.light, profile.width
    value, slope = profile.columns(found.angle)
    root, curve = np.sqrt(profile.weight), found.area @ value
    residual = found.residual(value) * root
    free = [term for term in SHAPE if term.name != "share" or light.share]
    by_shape = np.empty((len(free), len(profile.x)))
    for row, term in zip(by_shape, free, strict=True):
        moved = replace(profile, light=light._replace(**{term.name: getattr(light, term.name) + term.step}))
        row[:] = (found.area @ moved.columns(found.angle)[0] - curve) / term.step
    rows = np.concatenate([value, slope * found.area[:, None], by_shape, _basis(profile.x, len(found.under)).T]) * root
    normal, gradient = rows @ rows.T, rows @ residual
    # places are known to a fraction of a width before anything is fitted, the shape to what is usual
    prior = np.zeros(len(normal))
    prior[count : 2 * count] = 1 / (FARTHEST * width) ** 2
    for at, term in enumerate(free, 2 * count):
        prior[at] = 1 / (term.spread * (width if term.name == "width" else 1)) ** 2
        if term.usual is not None:
            gradient[at] += prior[at] * (term.usual - getattr(light, term.name))
    scale = np.diag(normal) + 1e-24
    covariance = np.linalg.inv(normal + np.diag(prior + 1e-6 * scale))
    change, deviation = covariance @ gradient, np.sqrt(np.diag(covariance))
    area, area_sigma = found.area + change[:count], deviation[:count]
    angle = found.angle + np.clip(change[count : 2 * count], -FARTHEST * width, FARTHEST * width)
    sigma = deviation[count : 2 * count] + PLACE_FLOOR * width
    new = {}
    for term, by in zip(free, change[2 * count :], strict=False):
        old = getattr(light, term.name)
        low, high = (0.8 * old, 1.25 * old) if term.name == "width" else term.bounds
        new[term.name] = float(np.clip(old + by, low, high))
    keep = _distinct(angle, area, area_sigma, profile)
    kept = (angle[keep], sigma[keep], area[keep], area_sigma[keep])
    changed = replace(profile, light=light._replace(**new))
    return Resolved(changed, *kept, found.under + change[2 * count + len(free) :], float((residual**2).mean()))


def doubted(found: Resolved) -> Resolved:
    """Weigh the profile anew: what the common shape misses of most strong lines, it may miss of any; so with places."""
    profile = found.profile
    value = profile.columns(found.angle)[0]
    curve, residual = found.area @ value, found.residual(value)
    strong = found.angle[np.argsort(-found.area)[:STRONG]]
    near = np.abs(profile.x - strong[:, None]) < profile.width
    missed = (near @ (residual**2 - profile.noise**2)) / (near @ curve**2 + 1e-30)
    error = np.sqrt(max(0.0, float(np.quantile(missed, COMMON)))) if len(missed) else 0.0
    level = maximum_filter1d(curve, 2 * round(profile.width / 2 / profile.step) + 1)
    astray = ASTRAY * profile.width * np.gradient(curve, profile.x)
    weight = 1 / (1 / profile.weight + (error * level) ** 2 + astray**2)
    return replace(found, profile=replace(profile, weight=weight))


def _distinct(angle: NDArray, area: NDArray, sigma: NDArray, profile: Profile) -> NDArray[np.intp]:
    """Rows, by angle, of lines inside the pattern that are there and stand apart from stronger ones."""
    good = (area > 2 * sigma) & (angle > profile.x[0]) & (angle < profile.x[-1])
    kept: list[int] = []
    for row in np.argsort(-area):
        if good[row] and all(abs(angle[row] - angle[k]) > CLOSEST * profile.width for k in kept):
            kept.append(int(row))
    rows = np.array(kept, dtype=np.intp)
    return rows[np.argsort(angle[rows])]


def _basis(x: NDArray[np.float64], terms: int) -> NDArray[np.float64]:
    """(M, T) Chebyshev polynomials over the axis."""
    return np.polynomial.chebyshev.chebvander(2 * (x - x[0]) / (x[-1] - x[0]) - 1, terms - 1)
