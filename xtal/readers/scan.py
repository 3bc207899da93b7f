"""What a file holds, before it is checked and becomes a `Pattern`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xtal.errors import UserError
from xtal.patterns import Pattern, two_theta_from_q
from xtal.patterns.pattern import LONGEST_WAVELENGTH, SHORTEST_WAVELENGTH

MOST_POINTS = 200_000  # a whole circle in steps of 0.001°; more is no powder pattern


@dataclass(frozen=True, eq=False)
class Scan:
    """One scan as a file states it. Nothing has been checked yet.

    Attributes:
        x: (M,) degrees 2θ, or Å⁻¹ where `on_q`.
        intensity: (M,) counts or arbitrary units.
        sigma: (M,) standard uncertainty of `intensity`, or None.
        wavelength: Å, or None where the file states none.
        on_q: whether `x` is q.
        note: what else people should know of the source, for example which scan of several was read.
    """

    x: NDArray[np.float64]
    intensity: NDArray[np.float64]
    sigma: NDArray[np.float64] | None = None
    wavelength: float | None = None
    on_q: bool = False
    note: str = ""

    def pattern(self, name: str, wavelength: float | None = None) -> Pattern:
        """Check the scan and return it as a `Pattern`; `wavelength` in Å wins over the file's own.

        A scan from high to low angles is turned round, points at or below 2θ = 0 are left out (no line is there), and
        the small negative values that subtracting a background leaves become 0.

        Raises:
            UserError: with the `name` of the file, on anything else that is no pattern.
        """
        given = self._wavelength(name) if wavelength is None else wavelength
        if len(self.x) > MOST_POINTS:
            raise UserError(f"{name}: {len(self.x):,} points; a pattern has at most {MOST_POINTS:,}")
        columns = [self.x, self.intensity] if self.sigma is None else [self.x, self.intensity, self.sigma]
        for column in columns:
            if not np.isfinite(column).all():
                raise UserError(
                    f"{name}: point {np.flatnonzero(~np.isfinite(column))[0] + 1} holds NaN or infinity; "
                    "every value must be a finite number"
                )
        x, intensity, *rest = _rising(name, columns)
        two_theta = _two_theta(name, x, given) if self.on_q else x
        try:
            return Pattern(
                two_theta, _not_negative(name, intensity), given, rest[0] if rest else None, f"{name}{self.note}"
            )
        except UserError as error:
            raise UserError(f"{name}: {error}") from error

    def _wavelength(self, name: str) -> float:
        """Return the wavelength that the file states, in Å; say how to give one where it states none."""
        if self.wavelength is None:
            raise UserError(
                f"no wavelength in {name}; give one: --wavelength CuKa "
                "(or MoKa, CoKa, ..., a number in Å, or an energy like 17.4 keV)"
            )
        return self.wavelength


def _rising(name: str, columns: list[NDArray]) -> list[NDArray]:
    """Turn a descending scan round, leave out x <= 0, and refuse any other order."""
    x = columns[0]
    if len(x) > 1 and (np.diff(x) < 0).all():
        columns = [column[::-1] for column in columns]
    columns = [column[columns[0] > 0] for column in columns]
    steps = np.diff(columns[0])
    if (steps > 0).all():
        return columns
    first = int(np.flatnonzero(steps <= 0)[0])
    before, after = columns[0][first : first + 2]
    problem = f"{before:g} appears twice" if before == after else f"{after:g} follows {before:g}"
    raise UserError(f"{name}: 2θ (or q) must rise from point to point, but {problem}; split or sort the scan")


def _two_theta(name: str, q: NDArray[np.float64], wavelength: float) -> NDArray[np.float64]:
    """Return 2θ in degrees of `q` (Å⁻¹); refuse what no angle reaches."""
    if not SHORTEST_WAVELENGTH <= wavelength <= LONGEST_WAVELENGTH:
        raise UserError(
            f"{name}: wavelength must lie in {SHORTEST_WAVELENGTH} to {LONGEST_WAVELENGTH} Å, got {wavelength:g}"
        )
    two_theta = two_theta_from_q(q, wavelength)
    if np.isnan(two_theta).any():
        raise UserError(
            f"{name}: its q axis reaches {q[-1]:g} Å⁻¹, but {wavelength:g} Å reaches {4 * np.pi / wavelength:.4g} Å⁻¹ "
            "at most; check the wavelength, and name the column q_nm^-1 if q is in nm⁻¹"
        )
    return two_theta


def _not_negative(name: str, intensity: NDArray[np.float64]) -> NDArray[np.float64]:
    """Set small negative values to 0; refuse a curve in which they outweigh the positive ones."""
    positive, negative = intensity[intensity > 0].sum(), -intensity[intensity < 0].sum()
    if negative > positive or (len(intensity) and -intensity.min() > intensity.max()):
        raise UserError(
            f"{name}: the intensities are mostly negative ({intensity.min():g} to {intensity.max():g}); "
            "give measured intensities, not a difference curve or logarithms"
        )
    return np.clip(intensity, 0, None)
