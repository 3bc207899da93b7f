"""What a refinement ends with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xtal.crystals.conventional import Conventional
from xtal.refinement.asked import Mode

RADIUS = 217.5  # mm, of a usual goniometer: a displacement of the sample in mm is in proportion to it
FEW_DIGITS, MOST_DIGITS = 4, 7  # decimals of a value without, and at most of one with an uncertainty
LARGE = 19  # an uncertainty is written with two digits up to 19 units of the last one: the rule of 19


@dataclass(frozen=True)
class Value:
    """A number with its standard uncertainty; None where it was not refined or the data do not fix it."""

    value: float
    error: float | None = None

    def __str__(self) -> str:
        """Write as crystallographers do: ``20.7465(12)``."""
        return with_uncertainty(self.value, self.error)


def with_uncertainty(value: float, error: float | None, digits: int = FEW_DIGITS) -> str:
    """Write a number with its uncertainty in brackets by the rule of 19, without one to so many `digits`."""
    if error is None or not np.isfinite(error) or error <= 0:
        return f"{value:.{digits}f}"
    for places in range(MOST_DIGITS + 1):
        shown = round(error * 10**places)
        if shown >= 2:
            finer = round(error * 10 ** (places + 1))
            if finer <= LARGE and places < MOST_DIGITS:
                places, shown = places + 1, finer
            return f"{value:.{places}f}({shown})" if places else f"{value:.0f}({round(error)})"
    return f"{value:.{MOST_DIGITS}f}"


@dataclass(frozen=True)
class Texture:
    """Preferred orientation by the March-Dollase function (Dollase, 1986): r < 1 plates, r > 1 needles.

    Attributes:
        axis: hkl of the direction that crystallites turn to or from.
        r: March's parameter; 1 is none.
    """

    axis: tuple[int, int, int]
    r: Value


@dataclass(frozen=True, eq=False)
class RefinedPhase:
    """One phase of a refined model.

    Attributes:
        structure: in the refined cell.
        cell: a, b, c in Å, α, β, γ in degrees.
        errors: (S, 3) standard uncertainties of the fractional coordinates, NaN where they were not refined.
        displacement: (S,) U_iso in Å².
        share: of the weight of all phases; None where intensities were free.
        r_bragg: of its reflections; None where intensities were free.
        texture: None where none was needed.
        ticks: (K,) degrees, places of its reflections, of the first wavelength.
        porous: whether a molecule of a solvent fits into its voids.
        moved: whether its atoms were.
    """

    structure: Conventional
    cell: tuple[Value, ...]
    errors: NDArray[np.float64]
    displacement: tuple[Value, ...]
    share: Value | None
    r_bragg: float | None
    texture: Texture | None
    ticks: NDArray[np.float64]
    porous: bool
    moved: bool

    @property
    def volume(self) -> Value:
        """Of the cell in Å³; its uncertainty as if the parameters of the cell were independent."""
        cell = np.array([value.value for value in self.cell])
        volume = _volume(cell)
        by_symmetry = _free_columns(cell, self.cell)
        squares = [
            ((_volume(cell + step * columns) - volume) / step * error) ** 2 for columns, error, step in by_symmetry
        ]
        return Value(volume, float(np.sqrt(sum(squares))) if squares else None)


@dataclass(frozen=True, eq=False)
class Profile:
    """The refined profile; (M,) arrays over the refined points: degrees, and intensities as measured."""

    two_theta: NDArray[np.float64]
    observed: NDArray[np.float64]
    calculated: NDArray[np.float64]
    background: NDArray[np.float64]
    sigma: NDArray[np.float64]

    @property
    def r_p(self) -> float:
        """``Σ |y - y_c| / Σ y``."""
        return float(np.abs(self.difference).sum() / np.abs(self.observed).sum())

    @property
    def difference(self) -> NDArray[np.float64]:
        """(M,) observed - calculated."""
        return self.observed - self.calculated


@dataclass(frozen=True)
class Agreement:
    """How well a model fits (Toby, Powder Diffr. 21 (2006) 67).

    Attributes:
        r_wp: ``sqrt(Σ w (y - y_c)² / Σ w y²)``.
        r_wp_net: the same with the background taken off y in the denominator; None where it was not computed.
        r_exp: ``sqrt((N - P) / Σ w y²)``.
        gof: ``r_wp / r_exp``.
        points: N.
        parameters: P.
        reflections: independent ones in range, of all phases.
    """

    r_wp: float
    r_wp_net: float | None
    r_exp: float
    gof: float
    points: int
    parameters: int
    reflections: int


@dataclass(frozen=True, eq=False)
class Refinement:
    """A refined model, or the last good state of one.

    Attributes:
        program: that refined, with its version.
        mode: see `xtal.refinement.asked.Choices`.
        finished: whether every step came to its end within the time.
        phases: in the order given.
        agreement: of the whole profile.
        zero_shift: degrees 2θ.
        displacement: of the sample from the goniometer's axis in mm; None where a zero shift was refined instead.
        profile: observed and calculated.
        steps: what was set free, in order.
        at_bounds: parameters that stopped at the end of what is possible.
        correlations: pairs of parameters with their coefficient, above 0.95.
        remarks: what must be known to read the numbers, in sentences.
        wavelengths: Å, the strongest first.
        seconds: that it took.
    """

    program: str
    mode: Mode
    finished: bool
    phases: tuple[RefinedPhase, ...]
    agreement: Agreement
    zero_shift: Value
    displacement: Value | None
    profile: Profile
    steps: tuple[str, ...]
    at_bounds: tuple[str, ...]
    correlations: tuple[tuple[str, str, float], ...]
    remarks: tuple[str, ...]
    wavelengths: tuple[float, ...]
    seconds: float


STEP = 1e-4  # Å or degrees, of a numerical derivative


def _volume(cell: NDArray[np.float64]) -> float:
    """``V = abc sqrt(1 - cos²α - cos²β - cos²γ + 2 cos α cos β cos γ)`` in Å³."""
    cosine = np.cos(np.radians(cell[3:]))
    return float(np.prod(cell[:3]) * np.sqrt(max(0.0, 1 - (cosine**2).sum() + 2 * np.prod(cosine))))


def _free_columns(
    cell: NDArray[np.float64], values: tuple[Value, ...]
) -> list[tuple[NDArray[np.float64], float, float]]:
    """Return which parameters of a cell move together, their uncertainty, and a step: equal lengths are one."""
    found: list[tuple[NDArray[np.float64], float, float]] = []
    taken = np.zeros(6, dtype=bool)
    for i, value in enumerate(values):
        if taken[i] or value.error is None:
            continue
        alike = np.abs(cell - cell[i]) < 1e-9
        alike &= (np.arange(6) < 3) == (i < 3)
        alike &= np.array([other.error == value.error for other in values])
        taken |= alike
        found.append((alike.astype(np.float64), value.error, STEP))
    return found
