"""What a refinement begins with: the measured points with their weights, the phases, and where they stand."""

from dataclasses import dataclass, field, replace
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray

from xtal.crystals.conventional import Conventional
from xtal.errors import UserError
from xtal.patterns import Pattern
from xtal.patterns.background import background
from xtal.patterns.linefinder import line_points
from xtal.patterns.noise import counting_variance, is_smooth
from xtal.patterns.wavelengths import doublet

Mode = Literal["rietveld", "lebail", "pawley"]
MODES: tuple[Mode, ...] = ("rietveld", "lebail", "pawley")
MOST_PHASES = 4
MOST_POINTS, LEAST_PER_LINE = 20_000, 8  # more points are averaged, as long as so many are left in a line's width
QUICK_POINTS, QUICK_PER_LINE = 3_000, 5  # the same for steps that others follow (McCusker et al., section 3)
FLOOR = 2e-4  # of the strongest point, below which no standard uncertainty is believed
KA2_TO_KA1 = 0.5
BLOCK, LIKE_COUNTS = 24, (0.8, 1.2)  # points, and the ratio of their scatter to that of counts
STATED = "points were weighted by the uncertainties that the file states"
COUNTS = "the points are counts, and were weighted by counting statistics"
ESTIMATED = "the file states no uncertainties: they were estimated from the scatter of the points"


@dataclass(frozen=True)
class Beam:
    """The wavelengths that a pattern was measured with.

    Attributes:
        lines: (wavelength in Å, weight relative to the first) of each.
        laboratory: from an X-ray tube, so that it is not polarised and the sample is flat; else from a synchrotron.
    """

    lines: tuple[tuple[float, float], ...]
    laboratory: bool

    @classmethod
    def of(cls, wavelength: float, second: float) -> Self:
        """Return the beam of a stated `wavelength` (Å), with Kα2 where its share `second` is not 0."""
        pair = doublet(wavelength)
        if pair is None or not second:
            return cls(((wavelength, 1.0),), pair is not None)
        return cls(((pair[0], 1.0), (pair[1], KA2_TO_KA1)), laboratory=True)


@dataclass(frozen=True, eq=False)
class Observed:
    """The points that are refined against; (M,) arrays.

    Attributes:
        two_theta: degrees, ascending.
        intensity: as measured, the background in it.
        sigma: standard uncertainty of each, > 0: the file's, or what counting noise was found to be.
        background: a first estimate.
        weights: where the uncertainties come from, in a sentence.
        computed: whether the pattern has no noise, so that nobody measured it.
        merged: how many measured points make one.
        per_line: points in the width of a line.
        source: the pattern.
    """

    two_theta: NDArray[np.float64]
    intensity: NDArray[np.float64]
    sigma: NDArray[np.float64]
    background: NDArray[np.float64]
    weights: str
    computed: bool
    merged: int
    per_line: float
    source: Pattern

    @classmethod
    def of(cls, pattern: Pattern) -> Self:
        """Weigh the points of a pattern; where there are more than are needed, neighbours are averaged."""
        under = background(pattern)
        points = line_points(pattern, pattern.intensity - under)
        window = max(3, 2 * round(points / 4) + 1)
        stated = pattern.sigma is not None and bool(pattern.sigma.any())
        given = pattern.sigma if stated else None
        counts = not stated and are_counts(pattern.intensity)
        variance = counting_variance(pattern.intensity, under, given, window, 1.0 if counts else points)
        if stated and given is not None:
            variance = np.where(given > 0, given**2, variance)
        merge = _merge(len(pattern), points, MOST_POINTS, LEAST_PER_LINE)
        two_theta, intensity, level = (average(v, merge) for v in (pattern.two_theta, pattern.intensity, under))
        sigma = np.sqrt(average(variance, merge) / merge)
        sigma = np.maximum(sigma, FLOOR * float(intensity.max()))
        said = STATED if stated else COUNTS if counts else ESTIMATED
        computed = is_smooth(pattern.intensity, points)
        return cls(two_theta, intensity, sigma, level, said, computed, merge, points / merge, pattern)

    def quick(self) -> Self:
        """Return the points as steps take them that others follow: as few as the width of the lines allows."""
        merge = _merge(len(self.two_theta), self.per_line, QUICK_POINTS, QUICK_PER_LINE)
        if merge == 1:
            return self
        return replace(
            self,
            two_theta=average(self.two_theta, merge),
            intensity=average(self.intensity, merge),
            background=average(self.background, merge),
            sigma=np.sqrt(average(self.sigma**2, merge) / merge),
            merged=self.merged * merge,
            per_line=self.per_line / merge,
        )

    def r_wp(self, calculated: NDArray[np.float64]) -> float:
        """``sqrt(Σ w (y - y_c)² / Σ w y²)`` of a profile (N,) at all points that were measured."""
        calculated = average(calculated, self.merged)
        calculated = calculated[: len(self.intensity)]
        weight = self.sigma**-2
        left = weight @ (self.intensity - calculated) ** 2
        return float(np.sqrt(left / (weight @ self.intensity**2)))


@dataclass(frozen=True, eq=False)
class Start:
    """Where the model stands before its first step.

    Attributes:
        phases: 1 to 4, each in its conventional setting, with the cell that is to start from.
        zero_shift: degrees 2θ, added to every calculated angle.
        width: full width at half maximum of the lines at small angles, degrees.
        growth: of the width with the angle, see `xtal.physics.target.Target`.
        second: share of Kα2 in the beam.
    """

    phases: tuple[Conventional, ...]
    zero_shift: float = 0.0
    width: float = 0.15
    growth: float = 0.0
    second: float = 0.0

    def __post_init__(self) -> None:
        """Check the number of phases."""
        if not 1 <= len(self.phases) <= MOST_PHASES:
            raise UserError(f"1 to {MOST_PHASES} structures can be refined together, got {len(self.phases)}")


@dataclass(frozen=True)
class Choices:
    """What is refined, and for how long.

    Attributes:
        mode: with the structures' intensities (rietveld), or with free ones: lebail, pawley.
        seconds: after which no further step begins, and the one that runs is broken off.
        texture: whether preferred orientation is tried.
        coordinates: whether atoms may move where the data allow it.
    """

    mode: Mode = "rietveld"
    seconds: float = field(default=30.0)
    texture: bool = True
    coordinates: bool = True

    def __post_init__(self) -> None:
        """Check mode and time."""
        if self.mode not in MODES:
            raise UserError(f"the mode must be one of {', '.join(MODES)}, got {self.mode!r}")
        if not 0 < self.seconds <= 3600:
            raise UserError(f"a refinement may take up to 3600 seconds, got {self.seconds:g}")


def are_counts(intensity: NDArray[np.float64]) -> bool:
    """Tell whether intensities (M,) are whole numbers that scatter as counts do: second differences by 6 times them."""
    blocks = (len(intensity) - 2) // BLOCK
    if blocks < 1 or (intensity != np.rint(intensity)).any():
        return False
    size = blocks * BLOCK
    scatter = (np.diff(intensity, 2)[:size] ** 2 / 6).reshape(blocks, BLOCK).mean(axis=1)
    level = intensity[1 : size + 1].reshape(blocks, BLOCK).mean(axis=1)
    ratio = float(np.median(scatter / np.maximum(level, 1e-9)))
    return LIKE_COUNTS[0] < ratio < LIKE_COUNTS[1]


def average(values: NDArray[np.float64], merge: int) -> NDArray[np.float64]:
    """Return means over `merge` neighbours; what is left over at the end is dropped."""
    size = len(values) // merge
    return np.asarray(values[: size * merge].reshape(size, merge).mean(axis=1))


def _merge(count: int, points: float, most: int, least: int) -> int:
    """Return how many neighbours may become one: few enough that lines of so many `points` keep their shape."""
    return int(max(1, min(-(-count // most), points // least)))
