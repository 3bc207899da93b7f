"""Which lattices may belong to a powder pattern: search, refinement, judgement."""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xtal.crystals.lattices import strain_onto
from xtal.errors import UserError
from xtal.patterns.sample import Sample
from xtal.physics.indexing import search
from xtal.physics.indexing.bravais import LETTERS, NAMES, conventional, free_parameters, primitive, symmetric
from xtal.physics.indexing.cell import IndexedCell
from xtal.physics.indexing.metric import (
    CUBIC,
    HEXAGONAL,
    MONOCLINIC,
    ORTHORHOMBIC,
    TETRAGONAL,
    TRICLINIC,
    places,
    refine,
    score,
)
from xtal.physics.indexing.pawley import Fit, fit
from xtal.physics.indexing.resolved import Resolved, resolve

FEWEST_LINES = 5
USUAL = (100.0, 12_000.0)  # Å³ of a primitive cell where nothing is known
LINES = 22  # that judge trial metrics
FINEST = 0.03  # widths: no place is trusted more
SAME = 0.01  # strain within which two lattices are one
ZEROS = (0.0, 0.03, -0.03, 0.06, -0.06, 0.1, -0.1)  # degrees 2θ tried in turn


@dataclass(frozen=True, eq=False)
class Trial:
    """A metric with its score or its fit."""

    system: int
    centring: int
    parameters: NDArray[np.float64]
    zero: float
    score: float
    fit: Fit | None = None

    @property
    def lattice(self) -> NDArray[np.float64]:
        """(3, 3) Å primitive, reduced."""
        return primitive(conventional(self.system, self.parameters), LETTERS[self.centring])


@dataclass(frozen=True, eq=False)
class _Found:
    """Found lines as the search sees them: Q in Å⁻² and its uncertainty, and room to work in."""

    resolved: Resolved
    q: NDArray[np.float64]
    sigma: NDArray[np.float64]
    grid: tuple
    work: tuple
    zero: float

    @classmethod
    def of(cls, resolved: Resolved, zero: float) -> "_Found":
        """Lines with `zero` (radians) taken off."""
        wave = resolved.profile.wavelength
        theta = (np.radians(resolved.angle) - zero) / 2
        use = theta > 0
        theta = theta[use][:LINES]
        spread = np.radians(np.maximum(resolved.sigma[use], FINEST * resolved.profile.width))[:LINES]
        q = (2 / wave * np.sin(theta)) ** 2
        sigma = spread * 4 / wave**2 * np.sin(theta) * np.cos(theta)
        work = np.zeros((search.MOST_LINES, 3), np.int64), np.zeros(64), np.zeros(65, np.int64)
        return cls(resolved, q, sigma, places(q, sigma, wave), work, zero)


def index_pattern(
    sample: Sample, volume: tuple[float, float] | None = None, seconds: float = 10, limit: int = 20
) -> list[IndexedCell]:
    """Find the lattices that a pattern may have, the most probable first.

    Args:
        sample: a pattern with its background and lines.
        volume: Å³, range of the primitive cell, where the composition tells.
        seconds: after which no new search is begun.
        limit: keep this many cells.

    Raises:
        UserError: fewer than `FEWEST_LINES` lines stand out.
    """
    begun = time.perf_counter()
    if len(sample.lines) < FEWEST_LINES:
        raise UserError(
            f"{len(sample.lines)} lines stand out in the pattern, indexing needs at least {FEWEST_LINES}; "
            "measure longer, or over a wider range of angles"
        )
    resolved = resolve(sample)
    fits: list[Trial] = []
    for zero in np.radians(ZEROS):
        found = _Found.of(resolved, float(zero))
        trials = _search(found, volume or USUAL)
        fits = _judged(resolved, fits + _fitted(resolved, trials), volume or USUAL)
        if _explained(resolved, fits) or time.perf_counter() - begun > seconds / 2:
            break
    return _answers(resolved, fits[:limit])


def _search(found: _Found, volume: tuple[float, float]) -> list[Trial]:
    """Best trial metrics of all systems, refined to the found lines."""
    q, grid, work, bounds = found.q, found.grid, found.work, np.array(volume, float)
    count = len(q)
    trials = []
    for system in range(6):
        pool = search.Pool.empty()
        room = grid, work, pool.rows, pool.count
        if system == TRICLINIC and count >= 8:
            search.triclinic(q, 0, min(14, count), bounds, *room)
        elif system == MONOCLINIC and count >= 6:
            search.monoclinic(q, min(11, count), min(16, count), bounds, *room)
        elif system == ORTHORHOMBIC:
            search.orthorhombic(
                q, min(7, count), search.ORTHORHOMBIC_DESIGNS, search.CENTRINGS[system], bounds, *room
            )
        elif system in (TETRAGONAL, HEXAGONAL, CUBIC):
            designs = {TETRAGONAL: search.TETRAGONAL_DESIGNS, HEXAGONAL: search.HEXAGONAL_DESIGNS}
            search.few_parameters(
                system,
                q,
                min(8, count),
                designs.get(system, search.SQUARES_CUBIC),
                search.CENTRINGS[system],
                bounds,
                *room,
            )
        trials += _refined(found, system, pool)
    return trials


REFINED = 250  # of each system
SHIFT = np.radians(0.02)  # what a zero shift may differ by from the one that was taken off


def _refined(found: _Found, system: int, pool: search.Pool) -> list[Trial]:
    """Refine the best metrics of a system to the lines, drop those that become one, best first."""
    trials: list[Trial] = []
    seen: set[tuple] = set()
    for row in pool.best(REFINED):
        centring = int(row[6])
        p, shift = refine(system, centring, row[:6].copy(), 0.0, SHIFT, found.grid, found.sigma, found.work[0])
        value = score(system, centring, p, shift, found.grid, *found.work)
        trials.append(Trial(system, centring, p, found.zero + shift, value))
    trials.sort(key=lambda t: -t.score)
    out = []
    for trial in trials:
        lengths = np.sort(np.linalg.norm(trial.lattice, axis=1))
        key = tuple(np.round(np.log(lengths) / 0.004).astype(int)) + (round(abs(np.linalg.det(trial.lattice)) / lengths.prod() / 0.01),)
        if key in seen:
            continue
        seen.add(key)
        out.append(trial)
    return out


FIRST, SECOND = 16, 24
QUICK, LONG = 3, 12
TOLERANCES = (0.03, 0.1, 0.25)


def _fitted(resolved: Resolved, trials: list[Trial]) -> list[Trial]:
    """Fit the best trials of each system to the profile."""
    out = []
    for system in range(6):
        own = [t for t in trials if t.system == system][:FIRST]
        out += [_with_fit(resolved, t, QUICK) for t in own]
    return [t for t in out if t is not None]


def _with_fit(resolved: Resolved, trial: Trial, steps: int) -> Trial | None:
    """Fit a trial to the profile."""
    found = fit(resolved.profile, trial.system, trial.centring, trial.parameters, trial.zero, steps)
    if found is None:
        return None
    return Trial(trial.system, trial.centring, found.parameters, found.zero, trial.score, found)


def _judged(resolved: Resolved, trials: list[Trial], volume: tuple[float, float]) -> list[Trial]:
    """Fit the best to convergence, as they are and with the symmetry that they nearly have, and drop equal ones."""
    trials = sorted(trials, key=_order)[:SECOND]
    every = list(trials)
    for trial in trials:
        for tolerance in TOLERANCES:
            found = symmetric(trial.lattice, tolerance)
            if found is not None and found[0] != trial.system:
                system, letter, parameters = found
                every.append(Trial(system, LETTERS.index(letter), parameters, trial.zero, trial.score))
    done = [t for t in (_with_fit(resolved, t, LONG) for t in every) if t is not None]
    done = [t for t in done if 0.9 * volume[0] < abs(np.linalg.det(t.lattice)) < 1.1 * volume[1]]
    done.sort(key=_order)
    kept: list[Trial] = []
    for trial in done:
        if all(strain_onto(trial.lattice, other.lattice, SAME) is None for other in kept):
            kept.append(trial)
        if len(kept) == SECOND:
            break
    return kept


def _order(trial: Trial) -> float:
    return -trial.fit.evidence if trial.fit is not None else np.inf


def _explained(resolved: Resolved, fits: list[Trial]) -> bool:
    """Whether the best fit explains the pattern as well as single lines do."""
    if not fits or fits[0].fit is None:
        return False
    return fits[0].fit.chi2 / len(resolved.profile.x) < 1.3 * resolved.misfit + 0.1


def _answers(resolved: Resolved, fits: list[Trial]) -> list[IndexedCell]:
    """Hand the fitted trials on, with probabilities."""
    profile = resolved.profile
    total = (profile.weight * profile.net**2).sum()
    evidence = np.array([t.fit.evidence for t in fits if t.fit is not None])
    share = np.exp((evidence - evidence.max()) / 5) if len(evidence) else evidence
    out = []
    for trial, part in zip(fits, share / share.sum(), strict=True):
        done = trial.fit
        if done is None:
            continue
        cell, letter = conventional(trial.system, trial.parameters), LETTERS[trial.centring]
        lattice = primitive(cell, letter)
        out.append(
            IndexedCell(
                lattice,
                cell,
                letter,
                NAMES[trial.system],
                float(abs(np.linalg.det(lattice))),
                float(np.degrees(trial.zero)),
                0.0,
                0,
                float(np.sqrt(done.chi2 / total)),
                done.evidence,
                float(part),
            )
        )
    return out
