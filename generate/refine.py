"""Fit the cells of generated crystals to the measured profile.

A generated cell is off by several per cent, where one of a database is off by a fraction of one per cent, so that the
fit of a search alone would start out of reach. Here each crystal starts from many cells around its own; wide lines
tell which of them may lead anywhere, Gauss-Newton steps follow under narrower and narrower lines, and the best remain:

    lattice' = lattice · D,   g' = g · D⁻ᵀ,   D ← D (1 + ε)

with the strain ε of each fit (Voigt order: `Lines.direction`). Positions follow the cell exactly, however
far it moves; fractional coordinates and with them |F|² stay, but for form factors at a slightly different angle.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from xtal.crystals import Crystal
from xtal.interrupt import look_up
from xtal.patterns import q_from_two_theta
from xtal.patterns.lorentz import lorentz_polarisation_ratio
from xtal.patterns.sample import Sample
from xtal.physics import Sticks, reflections
from xtal.physics.fit import PARAMETERS, Fit, refine
from xtal.physics.target import Target


@dataclass(frozen=True)
class Stage:
    """Fit under `blur` Å⁻¹ of extra line width: `rounds` times `steps` Gauss-Newton steps; the best `keep` go on."""

    blur: float
    steps: int
    rounds: int
    keep: int


# A line at 1 Å⁻¹ in a cell 6 % wrong is 0.06 Å⁻¹ away from its place: wide lines first.
STAGES = (
    Stage(0.06, 0, 1, 24),
    Stage(0.06, 2, 2, 16),
    Stage(0.03, 2, 2, 8),
    Stage(0.015, 2, 2, 6),
    Stage(0.005, 1, 2, 4),
    Stage(0.0, 1, 2, 1),
)
STARTS = 128  # cells tried around each generated one
START_STRAIN = 0.03  # standard deviation of their strains,
START_SCALE = 0.06  # on top of a scale of up to this much either way
REACH = 1.15  # reflections this far beyond the measured range may be strained into it
STRAIN_MARGIN = 1.02  # lines within this much of its end show their flanks
MOST_REFLECTIONS = 256
VOIGT_ROWS, VOIGT_COLUMNS = (0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1)


@dataclass(frozen=True, eq=False)
class Refined:
    """R crystals after the fit of their cells, in the order given.

    Attributes:
        crystals: with the fitted cells; fractional coordinates unchanged.
        change: (R, 3, 3) ``lattice = generated lattice @ change``.
        fit: its strains are 0, being in the crystals.
        width: (R,) degrees, full width at half maximum of the lines.
    """

    crystals: tuple[Crystal, ...]
    change: NDArray[np.float64]
    fit: Fit
    width: NDArray[np.float64]


def fit_crystals(sample: Sample, crystals: Sequence[Crystal]) -> Refined:
    """Fit cell, zero shift and line shape of each crystal to the sample's profile; 0.05 s for each crystal."""
    target = Target.of(sample.pattern, sample.lines, sample.under)
    starts = _starts()
    rows = [_best(target, _Spots.of(crystal, target), starts) for crystal in crystals]
    change = np.array([row.change[0] for row in rows]).reshape(-1, 3, 3)
    columns = zip(*(vars(row.fit).values() for row in rows), strict=True)
    fit = Fit(*map(np.concatenate, columns)) if rows else Fit.start(0)
    moved = tuple(replace(c, lattice=c.lattice @ d) for c, d in zip(crystals, change, strict=True))
    return Refined(moved, change, fit, target.fwhm * np.exp(fit.parameters[:, 7]))


@dataclass(frozen=True, eq=False)
class _Spots:
    """The strongest reflections of a crystal as generated: `g` (L, 3) Å⁻¹ and squared structure factor (L,)."""

    g: NDArray[np.float64]
    intensity: NDArray[np.float64]
    wavelength: float
    q_max: float

    @classmethod
    def of(cls, crystal: Crystal, target: Target) -> Self:
        """Compute what the target may show of a crystal, even after its cell has changed."""
        q_max = float(q_from_two_theta(target.two_theta[-1], target.wavelength))
        found = reflections(crystal, q_max * REACH, wavelength=target.wavelength)
        strength = found.intensity / np.einsum("rx,rx->r", found.g, found.g)
        best = np.argsort(-strength, kind="stable")[:MOST_REFLECTIONS]
        limit = min(q_max * STRAIN_MARGIN, 0.999 * 4 * np.pi / target.wavelength)
        return cls(found.g[best], found.intensity[best], target.wavelength, limit)

    def sticks(self, change: NDArray[np.float64]) -> Sticks:
        """Return the lines of the crystal in the cells ``lattice @ change`` (S, 3, 3)."""
        g = np.einsum("lx,syx->sly", self.g, np.linalg.inv(change))
        length = np.linalg.norm(g, axis=2)
        seen = 2 * np.pi * length < self.q_max
        q = np.where(seen, 2 * np.pi * length, self.q_max)
        area = np.where(seen, self.intensity, 0) / q**2 / lorentz_polarisation_ratio(q, self.wavelength)
        area /= np.maximum(area.sum(axis=1, keepdims=True), 1e-30)
        x, y, z = np.moveaxis(g / length[..., None], 2, 0)
        return Sticks(q, area, np.stack([x * x, y * y, z * z, 2 * y * z, 2 * x * z, 2 * x * y], axis=2))


@dataclass(frozen=True, eq=False)
class _Trial:
    """S cells of one crystal, as changes (S, 3, 3) of the generated one, and their fits, with strains 0."""

    change: NDArray[np.float64]
    fit: Fit

    def take(self, rows: NDArray[np.integer]) -> Self:
        """Return the chosen cells."""
        return type(self)(self.change[rows], self.fit.take(rows))


def _best(target: Target, spots: _Spots, starts: NDArray[np.float64]) -> _Trial:
    """Follow the stages from the cells `starts` (S, 3, 3) to the best one."""
    look_up()
    trial = _Trial(starts, Fit.start(len(starts)))
    for stage in STAGES:
        blur = float(np.degrees(stage.blur * target.wavelength / (2 * np.pi)))
        for _ in range(stage.rounds if stage.steps else 0):
            trial = _moved(trial, refine(target, spots.sticks(trial.change), blur, stage.steps, trial.fit))
        trial = _Trial(trial.change, refine(target, spots.sticks(trial.change), blur, 0, trial.fit))
        trial = trial.take(np.argsort(trial.fit.chi_square, kind="stable")[: stage.keep])
    return trial


def _moved(trial: _Trial, fit: Fit) -> _Trial:
    """Put the strains of a fit into the cells: the prior on strains then only keeps single steps short."""
    strain = np.empty((len(fit.scale), 3, 3))
    strain[:, VOIGT_ROWS, VOIGT_COLUMNS] = strain[:, VOIGT_COLUMNS, VOIGT_ROWS] = fit.parameters[:, :6]
    rest = fit.parameters * (np.arange(PARAMETERS) >= 6)
    return _Trial(trial.change @ (np.eye(3) + strain), replace(fit, parameters=rest))


def _starts() -> NDArray[np.float64]:
    """(STARTS, 3, 3) cells to begin with; the first is as generated."""
    rng = np.random.default_rng(0)
    noise = rng.normal(0, START_STRAIN, (STARTS, 3, 3))
    strain = (noise + noise.swapaxes(1, 2)) / 2
    strain += rng.uniform(-START_SCALE, START_SCALE, (STARTS, 1, 1)) * np.eye(3)
    strain[0] = 0
    return np.eye(3) + strain
