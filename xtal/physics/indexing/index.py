"""Which lattices may belong to a powder pattern: search, refinement, judgement."""

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray

from xtal.errors import UserError
from xtal.interrupt import look_up
from xtal.patterns.sample import Sample
from xtal.physics.indexing import metric, search
from xtal.physics.indexing.bravais import LETTERS, NAMES, conventional, primitive, usual
from xtal.physics.indexing.cell import IndexedCell, Indexing
from xtal.physics.indexing.fits import DERIVED, fitted, idealised, judged, near
from xtal.physics.indexing.flat import monoclinic_flat, triclinic_flat
from xtal.physics.indexing.groups import space_groups
from xtal.physics.indexing.metric import (
    CUBIC,
    HEXAGONAL,
    MONOCLINIC,
    ORTHORHOMBIC,
    TETRAGONAL,
    TRICLINIC,
    refine,
    score,
)
from xtal.physics.indexing.probability import TEMPER, probabilities
from xtal.physics.indexing.resolving import Resolved, first_lines, resolve
from xtal.physics.indexing.trial import Found, Trial, merit_of

FEWEST_LINES = 5
USUAL = (15.0, 12_000.0)  # Å³ of a primitive cell where nothing is known
REFINED = 250  # trial metrics of each system that are refined to the lines
SHIFT = np.radians(0.02)  # what a zero shift may differ by from the one that was taken off
EDGE_SHARE, VOLUME_SHARE = 0.004, 0.01  # lattices that differ less are one before the fits
LEAST_MISFIT = 0.3  # of free lines; below, the noise is overestimated
JUDGED = 36  # lines up to which the profile is fitted
NARROW = 3.0  # a range of volumes below this ratio leaves time to try more lines
# zero shifts in degrees 2θ that are taken off in turn, and whether more lines are used, until a cell is found
PASSES = ((0.0, 0), (0.03, 0), (-0.03, 0), (0.0, 1), (0.06, 0), (-0.06, 0), (0.1, 0), (-0.1, 0))
SETTLED = 0.85  # probability at which the search ends
PART = 0.6  # of the time, after which no pass is begun: a pass may take the rest
PASS = 2.0  # s of an idle core that a pass counts for: on a busy one, or when code is compiled first, it finds the same


@dataclass(frozen=True)
class Reach:
    """From how many of the first lines trial metrics are made; `halved`: where one line of a basis is absent.

    `ways`: how many of those in which a monoclinic zone may be part of the one that shows.
    """

    triclinic: int
    halved: int
    monoclinic: int
    sums: int
    ways: int
    orthorhombic: int


REACHES = Reach(14, 12, 11, 16, 5, 7), Reach(18, 14, 14, 20, 7, 9), Reach(20, 16, 16, 22, 7, 10)


def index_pattern(
    sample: Sample, volume: tuple[float, float] | None = None, seconds: float = 10, limit: int = 20
) -> list[IndexedCell]:
    """Find the lattices that a pattern may have, the most probable first.

    Args:
        sample: a pattern with its background and lines.
        volume: Å³, range of the primitive cell, where the composition tells.
        seconds: of a core, about; counted by what is done, so that the answer is always the same.
        limit: keep this many cells.

    Raises:
        UserError: fewer than `FEWEST_LINES` lines stand out.
    """
    if len(sample.lines) < FEWEST_LINES:
        raise UserError(
            f"{len(sample.lines)} lines stand out in the pattern, indexing needs at least {FEWEST_LINES}; "
            "measure longer, or over a wider range of angles"
        )
    resolved = resolve(sample)
    resolved = replace(resolved, profile=first_lines(resolved.profile, resolved.angle, JUDGED))
    fits: list[Trial] = []
    within = volume or USUAL
    narrow = within[1] < NARROW * within[0]
    for (zero, wide), made_of in product(PASSES[: 1 + int(PART * seconds / PASS)], (_search, _one_absent)):
        trials = made_of(Found.of(resolved, float(np.radians(zero))), within, REACHES[wide + narrow])
        before, fits = fits[:DERIVED], judged(resolved, fits, fitted(resolved, trials), within)
        fresh = [trial for trial in fits[:DERIVED] if not any(trial is known for known in before)]
        fits = judged(resolved, fits, near(resolved, fresh), within)
        if _chances(resolved, fits)[:1].sum() > SETTLED:
            break
    return _answers(resolved, fits[:limit])


def indexing_of(
    sample: Sample,
    volume: tuple[float, float] | None = None,
    seconds: float = 10,
    limit: int = 5,
    groups: int = 5,
) -> Indexing:
    """Find the lattices of a pattern, see `index_pattern`, and the likeliest space groups of the first."""
    cells = index_pattern(sample, volume, seconds)[:limit]
    return Indexing(tuple(cells), tuple(space_groups(sample, cells[0], groups)) if cells else ())


def _search(found: Found, volume: tuple[float, float], reach: Reach) -> list[Trial]:
    """Best trial metrics of all systems, refined to the found lines."""
    q, bounds = found.q, np.array(volume, float)
    count, trials = len(q), []
    for system in range(6):
        pool = search.Pool.empty()
        room = found.grids, found.work, pool.rows, pool.count
        if system == TRICLINIC and count >= 8:
            search.triclinic(q, 0, min(reach.triclinic, count), bounds, *room)
            look_up()
            triclinic_flat(q, bounds, *room)
        elif system == MONOCLINIC and count >= 6:
            within = min(reach.monoclinic, count), min(reach.sums, count), reach.ways
            search.monoclinic(q, within, bounds, *room)
            look_up()
            monoclinic_flat(q, bounds, *room)
        elif system == ORTHORHOMBIC:
            search.orthorhombic(
                q, min(reach.orthorhombic, count), metric.ORTHORHOMBIC_DESIGNS, metric.CENTRINGS[system], bounds, *room
            )
        elif system in (TETRAGONAL, HEXAGONAL, CUBIC):
            low = {TETRAGONAL: metric.TETRAGONAL_DESIGNS, HEXAGONAL: metric.HEXAGONAL_DESIGNS}
            search.few_parameters(
                system,
                q,
                min(8, count),
                low.get(system, metric.SQUARES_CUBIC),
                metric.CENTRINGS[system],
                bounds,
                *room,
            )
        trials += _refined(found, system, pool)
    return trials


def _one_absent(found: Found, volume: tuple[float, float], reach: Reach) -> list[Trial]:
    """Best trial metrics where one line of a triclinic basis is absent."""
    pool, lines = search.Pool.empty(), min(reach.halved, len(found.q))
    search.triclinic_halved(found.q, lines, np.array(volume, float), found.grids, found.work, pool.rows, pool.count)
    return _refined(found, TRICLINIC, pool)


def _refined(found: Found, system: int, pool: search.Pool) -> list[Trial]:
    """Refine the best metrics of a system to the lines, drop those that become one, best first."""
    trials: list[Trial] = []
    seen: set[tuple] = set()
    look_up()
    for row in pool.best(REFINED):
        centring = int(row[6])
        p, shift = refine(system, centring, row[:6].copy(), 0.0, SHIFT, found.grid, found.sigma, found.work[0])
        value = score(system, centring, p, shift, found.grid, *found.work)
        trials.append(Trial(system, centring, p, found.zero + shift, value))
    trials.sort(key=lambda t: -t.score)
    out = []
    for trial in trials:
        lengths = np.sort(np.linalg.norm(trial.lattice, axis=1))
        filled = float(np.linalg.det(trial.lattice) / lengths.prod())
        key = *np.round(np.log(lengths) / EDGE_SHARE).astype(int).tolist(), round(filled / VOLUME_SHARE)
        if key in seen:
            continue
        seen.add(key)
        out.append(trial)
    return out


def _chances(resolved: Resolved, fits: list[Trial]) -> NDArray[np.float64]:
    """Probabilities of fitted trials, the best first."""
    done = [t.fit for t in fits if t.fit is not None]
    if not done:
        return np.zeros(0)
    best, lines = fits[0], Found.of(resolved, fits[0].zero)
    agreement = score(best.system, best.centring, best.parameters, 0.0, lines.grid, *lines.work)
    misfit = done[0].chi2 / len(resolved.profile.x) / max(resolved.misfit, LEAST_MISFIT)
    return probabilities(np.array([one.evidence for one in done]), agreement, misfit)


def _answers(resolved: Resolved, fits: list[Trial]) -> list[IndexedCell]:
    """Hand the fitted trials on, with merits and probabilities."""
    done = [(trial, trial.fit) for trial in fits if trial.fit is not None]
    if not done:
        return []
    best, chances, profile = done[0][0], _chances(resolved, fits), resolved.profile
    total = (profile.weight * profile.net**2).sum()
    ideal = idealised(resolved, best)
    if ideal is not None and ideal.fit is not None:
        share = float(np.exp(min(0.0, ideal.fit.evidence - done[0][1].evidence) / TEMPER)) / 2
        done.insert(1, (ideal, ideal.fit))
        chances = np.concatenate([[chances[0] * (1 - share), chances[0] * share], chances[1:]])
    out = []
    for (trial, one), chance in zip(done, chances, strict=True):
        cell = usual(trial.system, conventional(trial.system, trial.parameters))
        letter = LETTERS[trial.centring]
        lattice = primitive(cell, letter)
        found = Found.of(resolved, trial.zero)
        merit, count = merit_of(trial, found)
        out.append(
            IndexedCell(
                lattice=lattice,
                conventional=cell,
                centring=letter,
                system=NAMES[trial.system],
                volume=float(np.linalg.det(lattice)),
                zero_shift=float(np.degrees(trial.zero)),
                merit=merit,
                lines=count,
                fit=float(np.sqrt(one.chi2 / total)),
                evidence=one.evidence,
                probability=float(chance),
            )
        )
    return out
