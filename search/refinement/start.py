"""Where a refinement starts: cells, zero shift and width of lines as the search's own fit has them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from search.answer import Overlay
from search.overlay import drawn
from search.ranking import STRAIN_MARGIN, rerank
from search.ranking.rerank import Ranking
from xtal.crystals import Crystal
from xtal.crystals.conventional import Conventional, conventional
from xtal.errors import UserError
from xtal.patterns import Pattern
from xtal.patterns.linefinder import find_lines
from xtal.patterns.sample import Sample
from xtal.physics import LineTable, Sticks, crystal_lines, powder_lines
from xtal.physics.fit import refine
from xtal.physics.powder import expected_reflections
from xtal.physics.target import Target
from xtal.refinement import Start

VOIGT_ROWS, VOIGT_COLUMNS = (0, 1, 2, 1, 0, 0), (0, 1, 2, 2, 2, 1)
MOST_WAVES = 3e7  # reflections times atoms, of which lines to the end of the scan are computed
MORE_STEPS = 6  # of the fit, which a search has no time for
MOST_LINES = 512


@dataclass(frozen=True, eq=False)
class Fitted:
    """Structures fitted to a pattern, one after the other on what those before left over.

    Attributes:
        start: of their refinement.
        overlay: of all of them together, as the search would draw them.
        explained: share of the intensity above the background that they explain, 0 to 1.
    """

    start: Start
    overlay: Overlay
    explained: float


def fitted(pattern: Pattern, crystals: Sequence[Crystal]) -> Fitted:
    """Fit crystals to a pattern as the search does, the first to all of it.

    Raises:
        UserError: there is no line in the pattern, or no structure.
    """
    if not crystals:
        raise UserError("there is no structure to refine")
    whole = Sample.of(pattern)
    if not len(whole.lines):
        raise UserError(f"{pattern.source or 'the pattern'} has no lines above its noise: nothing can be refined")
    sample, phases, overlays, rankings = whole, [], [], []
    for crystal in crystals:
        table = _lines(crystal, pattern)
        ranking = _fit(sample, table)
        phases.append(strained(crystal, ranking.fit.parameters[0]))
        overlays.append(_drawn(sample, table, ranking))
        rankings.append(ranking)
        sample = _rest(sample, overlays[-1])
    first, start = rankings[0], _start(tuple(phases), rankings[0])
    calculated = whole.under + sum(overlay.calculated - overlay.background for overlay in overlays)
    difference = pattern.intensity - calculated
    ticks = np.sort(np.concatenate([overlay.ticks for overlay in overlays]))
    together = Overlay(pattern.two_theta, pattern.intensity, calculated, whole.under, difference, ticks)
    return Fitted(start, together, float(first.fit.explained[0]))


def strained(crystal: Crystal, parameters: NDArray[np.float64]) -> Conventional:
    """Return a crystal in its conventional setting, its cell as fitted `parameters` (9,) or more have it.

    ``lattice' = lattice (1 + ε)``, the strain ε in Voigt order (`Lines.direction`), less what breaks the symmetry.
    """
    strain = np.zeros((3, 3))
    strain[VOIGT_ROWS, VOIGT_COLUMNS] = strain[VOIGT_COLUMNS, VOIGT_ROWS] = parameters[:6]
    return conventional(crystal, crystal.lattice @ (np.eye(3) + strain))


def _start(phases: tuple[Conventional, ...], ranking: Ranking) -> Start:
    parameters, target = ranking.fit.parameters[0], ranking.target
    return Start(
        phases,
        zero_shift=float(parameters[6]),
        width=float(target.fwhm * np.exp(parameters[7])),
        growth=float(ranking.fit.growth[0]),
        second=float(ranking.fit.second[0]),
    )


def _lines(crystal: Crystal, pattern: Pattern) -> LineTable:
    """Return a crystal's lines to the end of the scan, or as far as an index keeps them where that takes long."""
    last = STRAIN_MARGIN * pattern.q_range[1]
    if expected_reflections(crystal, last) * len(crystal) > MOST_WAVES:
        return LineTable.stack([crystal_lines(crystal)])
    return LineTable.stack([powder_lines(crystal, last, wavelength=pattern.wavelength)])


def _fit(sample: Sample, table: LineTable) -> Ranking:
    """Fit one crystal to the end."""
    target = Target.of(sample.pattern, sample.lines, sample.under)
    ranking = rerank(target, table, np.array([0]))
    q_max = float(sample.pattern.q_range[1]) * STRAIN_MARGIN
    sticks = Sticks.of(table, np.array([0]), target.wavelength, q_max, MOST_LINES)
    second = float(ranking.fit.second[0])
    longer = refine(ranking.target, sticks, 0.0, MORE_STEPS, ranking.fit, second=second)
    better = np.isfinite(longer.chi_square[0]) and longer.chi_square[0] < ranking.fit.chi_square[0]
    return replace(ranking, fit=longer) if better else ranking


def _drawn(sample: Sample, table: LineTable, ranking: Ranking) -> Overlay:
    fit = ranking.fit
    width = float(ranking.target.fwhm * np.exp(fit.parameters[0, 7]))
    growth, second = float(fit.growth[0]), float(fit.second[0])
    return drawn(sample.pattern, sample.under, table, fit.parameters[0], width, growth, second)


def _rest(sample: Sample, overlay: Overlay) -> Sample:
    """Return what a fit leaves of a pattern, over the same background."""
    pattern = sample.pattern
    left = np.maximum(pattern.intensity - (overlay.calculated - overlay.background), 0.0)
    if left.max() <= left.min():
        return sample
    rest = replace(pattern, intensity=left)
    lines = find_lines(rest, under=sample.under)
    return Sample(rest, sample.under, lines if len(lines) else sample.lines)
