"""Trial lattices fitted to the profile: the first of each system, those of half and twice the volume, and symmetry."""

from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from xtal.crystals.lattices import strain_onto
from xtal.interrupt import look_up
from xtal.physics.indexing.bravais import LETTERS, free_parameters, neighbours, symmetric
from xtal.physics.indexing.groups import ln_admitted
from xtal.physics.indexing.metric import MONOCLINIC, TRICLINIC
from xtal.physics.indexing.pawley import fit
from xtal.physics.indexing.probability import TEMPER
from xtal.physics.indexing.resolving import Resolved, first_lines
from xtal.physics.indexing.strays import ln_strays
from xtal.physics.indexing.trial import LINES, Trial

FIRST, MONOCLINICS = 12, 30  # of each system, and of the monoclinic one, that are fitted to the first lines,
BEHIND, LEAST = 25.0, -25.0  # unless their score is so far behind the system's best, or below this
SECOND = 12  # of all of them that are then fitted to all lines and to convergence,
KEPT = 12  # and of all that ever were
SMALL, SPREAD = 100.0, 0.7  # Å³ below which primitive cells are rarer, and over which ln of it
MULTIPLES = 2  # of them, whose cells are multiples of the best one's
MOST_TIMES = 4
FAR_BEHIND = 2000.0  # of ln evidence: more is not made up for by space groups and stray lines
QUICK, LONG = 3, 10  # steps of these fits
DERIVED = 2  # of all whose half and double lattices are tried
LOOSEST = 0.5  # Å, for the most symmetric lattice that the best one may be a strained form of
TOLERANCES = (0.03, 0.1, 0.25)  # Å, within which a lattice may have more symmetry
SAME = 0.01  # strain within which two lattices are one


def fitted(resolved: Resolved, trials: list[Trial]) -> list[Trial]:
    """Fit the best trials of each system to the first lines, monoclinic ones also without symmetry: strain."""
    out = []
    few = replace(resolved, profile=first_lines(resolved.profile, resolved.angle, LINES))
    for system in range(6):
        own = [t for t in trials if t.system == system]
        own = [t for t in own if t.score > max(own[0].score - BEHIND, LEAST)]
        if system == MONOCLINIC:
            own = own[:MONOCLINICS] + [_triclinic(t.lattice, t) for t in own[:FIRST]]
        else:
            own = own[:FIRST]
        out += [_with_fit(few, t, QUICK) for t in own]
    return [t for t in out if t is not None]


def judged(resolved: Resolved, before: list[Trial], trials: list[Trial], volume: tuple[float, float]) -> list[Trial]:
    """Fit the best trials to convergence, as they are and with the symmetry that they nearly have, and drop equal ones.

    Those of `before` are kept as they are: their evidence is that of the whole profile, that of `trials` is not.
    """
    every = sorted(trials, key=_order)[:SECOND]
    for trial in list(every):
        seen = {trial.system}
        for tolerance in TOLERANCES:
            found = symmetric(trial.lattice, tolerance)
            if found is not None and found[0] not in seen:
                system, letter, parameters = found
                seen.add(system)
                every.append(Trial(system, LETTERS.index(letter), parameters, trial.zero, trial.score))
    done = [t for t in (_with_fit(resolved, t, LONG) for t in every) if t is not None]
    done = [t for t in done if 0.9 * volume[0] < abs(np.linalg.det(t.lattice)) < 1.1 * volume[1]]
    least = -min(map(_order, before + done), default=0.0) - FAR_BEHIND
    kept: list[Trial] = []
    multiples = 0
    for trial in sorted((_weighed(resolved, t, least) for t in before + done), key=_order):
        if any(_equal(trial.lattice, other.lattice) for other in kept):
            continue
        if not kept or not _is_multiple(trial.lattice, kept[0].lattice):
            kept.append(trial)
        elif multiples < MULTIPLES:
            kept.append(trial)
            multiples += 1
        if len(kept) == KEPT:
            break
    return kept


def _weighed(resolved: Resolved, trial: Trial, least: float = -np.inf) -> Trial:
    """Add to a fitted trial's evidence, not below `least`, what groups forbid, stray lines and how rare its size is."""
    if trial.fit is None or trial.weighed or trial.fit.evidence < least:
        return trial
    more = ln_admitted(resolved.profile, trial.fit, trial.system, trial.centring) + ln_strays(resolved, trial.fit)
    smaller = max(0.0, float(np.log(SMALL / abs(np.linalg.det(trial.lattice)))))
    more -= TEMPER / 2 * (smaller / SPREAD) ** 2
    return replace(trial, fit=replace(trial.fit, evidence=trial.fit.evidence + more), weighed=True)


def near(resolved: Resolved, fits: list[Trial]) -> list[Trial]:
    """Lattices of half and twice the volume: lines that are absent or too weak mislead by just that."""
    out = []
    for trial in fits:
        out += [_with_fit(resolved, _triclinic(lattice, trial), 1) for lattice in neighbours(trial.lattice)]
    return [t for t in out if t is not None]


def idealised(resolved: Resolved, trial: Trial) -> Trial | None:
    """The same lattice with the most symmetry that it nearly has, however much worse it fits.

    A strained crystal keeps the space group of the unstrained one, which needs the symmetric cell.
    """
    for tolerance in (LOOSEST, *reversed(TOLERANCES)):
        found = symmetric(trial.lattice, tolerance)
        if found is None or found[0] <= trial.system:
            continue
        start = Trial(found[0], LETTERS.index(found[1]), found[2], trial.zero, trial.score)
        done = _with_fit(resolved, start, LONG)
        if done is not None and _equal(done.lattice, trial.lattice):
            return _weighed(resolved, done)
    return None


def _triclinic(lattice: NDArray[np.float64], trial: Trial) -> Trial:
    """Return a primitive lattice (3, 3) Å without symmetry, as a trial that comes from another."""
    return Trial(TRICLINIC, LETTERS.index("P"), free_parameters(TRICLINIC, lattice), trial.zero, trial.score)


def _with_fit(resolved: Resolved, trial: Trial, steps: int) -> Trial | None:
    """Fit a trial to the profile."""
    look_up()
    found = fit(resolved.profile, trial.system, trial.centring, trial.parameters, trial.zero, steps)
    if found is None:
        return None
    return Trial(trial.system, trial.centring, found.parameters, found.zero, trial.score, found)


def _equal(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether two lattices differ by a strain below `SAME` only."""
    growth = np.log(np.linalg.det(one) / np.linalg.det(other))
    return bool(abs(growth) < 3 * SAME and strain_onto(one, other, SAME) is not None)


def _is_multiple(lattice: NDArray[np.float64], one: NDArray[np.float64]) -> bool:
    """Whether the cell of a lattice is a multiple of that of one: any pattern that suits one suits it, too."""
    times = round(float(np.linalg.det(lattice) / np.linalg.det(one)))
    return 1 < times <= MOST_TIMES and any(_equal(larger @ one, lattice) for larger in _multiples(times))


@cache
def _multiples(times: int) -> NDArray[np.float64]:
    """(N, 3, 3) all cells of so many times the volume, as rows of multiples of the edges: Hermite's normal forms."""
    every = [
        [[a, 0, 0], [b, c, 0], [d, e, times // a // c]]
        for a in range(1, times + 1)
        for c in range(1, times // a + 1)
        if times % (a * c) == 0
        for b, d, e in product(range(a), range(a), range(c))
    ]
    return np.array(every, dtype=float)


def _order(trial: Trial) -> float:
    return -trial.fit.evidence if trial.fit is not None else np.inf
