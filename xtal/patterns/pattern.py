"""The powder pattern as measured, and the lines found in it or computed from a crystal.

Conventions: ``q = 4π sin θ / λ`` in Å⁻¹, ``g = q / 2π = 1/d``.

`Lines.intensity` never depends on the wavelength: it is ``m |F|² / q²``, the short-wavelength limit of
multiplicity x structure factor x Lorentz-polarisation. A measured intensity is brought to this scale by
`xtal.patterns.lorentz.lorentz_polarisation_ratio`. So one set of lines serves every instrument.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xtal.arrays import frozen
from xtal.errors import UserError

SHORTEST_WAVELENGTH, LONGEST_WAVELENGTH = 0.01, 10.0  # Å: beyond these no powder diffractometer works


def q_from_two_theta(two_theta: ArrayLike, wavelength: float) -> NDArray[np.float64]:
    """``q = 4π sin(2θ/2) / λ`` in Å⁻¹ from `two_theta` in degrees and `wavelength` in Å."""
    return 4 * np.pi * np.sin(np.radians(two_theta) / 2) / wavelength


def two_theta_from_q(q: ArrayLike, wavelength: float) -> NDArray[np.float64]:
    """``2θ = 2 asin(q λ / 4π)`` in degrees; NaN where no angle reaches `q`."""
    sine = np.asarray(q, dtype=float) * wavelength / (4 * np.pi)
    return np.degrees(2 * np.arcsin(np.where(sine <= 1, sine, np.nan)))


@dataclass(frozen=True, eq=False)
class Pattern:
    """A measured or simulated powder pattern. All arrays are read-only.

    Attributes:
        two_theta: (M,) degrees, strictly ascending, within (0, 180).
        intensity: (M,) counts or arbitrary units, >= 0, not all equal.
        wavelength: Å.
        sigma: (M,) standard uncertainty of `intensity`, or None when the file gives none.
        source: where it came from (a file name), for people to read.
    """

    two_theta: NDArray[np.float64]
    intensity: NDArray[np.float64]
    wavelength: float
    sigma: NDArray[np.float64] | None = None
    source: str = ""

    def __post_init__(self) -> None:
        """Freeze the arrays; raise UserError on anything that is no pattern."""
        two_theta, intensity = frozen(self.two_theta), frozen(self.intensity)
        if two_theta.ndim != 1 or two_theta.shape != intensity.shape or len(two_theta) < 10:
            raise UserError(
                f"a pattern needs at least 10 points of 2θ and as many intensities, "
                f"got {two_theta.shape} and {intensity.shape}"
            )
        if not (np.isfinite(two_theta).all() and np.isfinite(intensity).all()):
            raise UserError("2θ and intensity must be finite numbers; the pattern holds NaN or infinity")
        if two_theta[0] <= 0 or two_theta[-1] >= 180 or (np.diff(two_theta) <= 0).any():
            raise UserError("2θ must rise strictly within 0 to 180 degrees")
        if intensity.min() < 0:
            raise UserError(f"intensities must not be negative, got {intensity.min():g}")
        if intensity.max() == intensity.min():
            raise UserError(f"the pattern is constant ({intensity[0]:g} everywhere): it holds no diffraction")
        if not SHORTEST_WAVELENGTH <= self.wavelength <= LONGEST_WAVELENGTH:
            raise UserError(
                f"wavelength must lie in {SHORTEST_WAVELENGTH} to {LONGEST_WAVELENGTH} Å, got {self.wavelength:g}"
            )
        object.__setattr__(self, "two_theta", two_theta)
        object.__setattr__(self, "intensity", intensity)
        object.__setattr__(self, "wavelength", float(self.wavelength))
        if self.sigma is not None:
            sigma = frozen(self.sigma)
            if sigma.shape != two_theta.shape or not np.isfinite(sigma).all() or (sigma < 0).any():
                raise UserError("sigma must be finite, not negative, and as long as 2θ")
            object.__setattr__(self, "sigma", sigma)

    def __len__(self) -> int:
        """Return the number of measured points."""
        return len(self.two_theta)

    @property
    def q(self) -> NDArray[np.float64]:
        """(M,) momentum transfer in Å⁻¹, ascending."""
        return q_from_two_theta(self.two_theta, self.wavelength)

    @property
    def q_range(self) -> tuple[float, float]:
        """First and last measured q in Å⁻¹."""
        first, last = q_from_two_theta(self.two_theta[[0, -1]], self.wavelength)
        return float(first), float(last)


@dataclass(frozen=True, eq=False)
class Lines:
    """Diffraction lines, found in a pattern or computed from a crystal. All arrays are read-only.

    Attributes:
        q: (K,) Å⁻¹, ascending.
        intensity: (K,) > 0, relative, wavelength-free (see the module's text); the strongest is 1.
        width: (K,) full width at half maximum in Å⁻¹, or None for computed lines.
        q_range: Å⁻¹, what was measured or computed: no line outside is known.
        direction: (K, 6) mean of xx, yy, zz, 2yz, 2xz, 2xy over the unit vectors g/|g| of a computed line's
            reflections; a small strain ε (Voigt order) moves it by ``δ ln q = -direction · ε``. None for found lines.
    """

    q: NDArray[np.floating]
    intensity: NDArray[np.floating]
    width: NDArray[np.floating] | None = field(default=None)
    q_range: tuple[float, float] = (0.0, np.inf)
    direction: NDArray[np.floating] | None = None

    def __post_init__(self) -> None:
        """Freeze the arrays and scale the strongest line to 1."""
        q, intensity = frozen(self.q), np.array(self.intensity, dtype=np.float64)
        if q.ndim != 1 or q.shape != intensity.shape or (np.diff(q) < 0).any():
            raise ValueError(f"q and intensity must be equally long and q ascending, got {q.shape}, {intensity.shape}")
        if len(intensity):
            intensity /= intensity.max()
        object.__setattr__(self, "q", q)
        object.__setattr__(self, "intensity", frozen(intensity))
        object.__setattr__(self, "q_range", (float(self.q_range[0]), float(self.q_range[1])))
        if self.width is not None:
            object.__setattr__(self, "width", frozen(self.width))
        if self.direction is not None:
            object.__setattr__(self, "direction", frozen(self.direction))

    def __len__(self) -> int:
        """Return the number of lines."""
        return len(self.q)

    def strongest(self, count: int) -> "Lines":
        """Return the `count` strongest lines, still in ascending q."""
        if len(self) <= count:
            return self
        keep = np.sort(np.argpartition(-self.intensity, count - 1)[:count])
        width = None if self.width is None else self.width[keep]
        direction = None if self.direction is None else self.direction[keep]
        return Lines(self.q[keep], self.intensity[keep], width, self.q_range, direction)
