"""Trials that the pattern dresses: all that may be right briefly, and those that it agrees with best with more care."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from generate.known.dressing import Attempt, Dresser
from generate.known.trials import Trial
from xtal.crystals import Crystal
from xtal.interrupt import look_up

BEST_SETS = 10  # of linkers, that are tried in every way
BRIEF_BEGINS = 3  # of a first attempt, which are not disturbed
CAREFULLY = 40  # frameworks in nets that are dressed with care,
OF_ONE_SET = 8  # and of these, that differ in how linkers are turned
MISFIT = 0.1  # of a framework that cannot be dressed, over the share of the profile that it leaves unexplained


@dataclass(frozen=True, eq=False)
class Built:
    """What a trial gave, its cell fitted; `fit` is the share of the profile explained, `zero` a shift in degrees."""

    fit: float
    trial: Trial
    crystal: Crystal
    zero: float


def of_built(dresser: Dresser | None, built: Sequence[Built]) -> list[tuple[Trial, Attempt | None]]:
    """Let the pattern arrange the groups of frameworks; the best first, those that cannot be dressed by their fit."""
    tried, seen = [], set[Hashable]()
    for one in built:
        attempt = None
        if dresser is not None and one.trial.bare not in seen:
            seen.add(one.trial.bare)
            naked = one.trial.undressed()
            attempt = dresser.attempt(naked.in_cell(one.crystal.lattice), one.zero) if naked is not None else None
        tried.append((one, attempt))
    tried.sort(key=lambda pair: pair[1].misfit if pair[1] is not None else MISFIT * (1 - pair[0].fit))
    return [(one.trial, attempt) for one, attempt in tried]


def chosen_in_nets(
    dresser: Dresser, trials: Iterable[Trial], every: Callable[[Trial], Iterable[Trial]]
) -> list[tuple[Trial, Attempt]]:
    """Let the pattern choose among frameworks in nets of indexed cells, where nothing but their groups is unknown.

    Args:
        dresser: of the pattern.
        trials: one way to build each.
        every: all ways to build what one of them builds.

    Returns:
        Attempts, best first.
    """
    first = _briefly(dresser, trials)
    sets: dict[Hashable, Trial] = {}
    for trial, _ in first:
        sets.setdefault(trial.set, trial)
    ways = [_briefly(dresser, every(trial))[:OF_ONE_SET] for trial in list(sets.values())[:BEST_SETS]]
    chosen = sorted((pair for found in ways for pair in found), key=lambda pair: pair[1])[:CAREFULLY]
    carefully = [(trial, attempt) for trial, _ in chosen if (attempt := _attempt(dresser, trial)) is not None]
    return sorted(carefully, key=lambda pair: pair[1].misfit)


def _briefly(dresser: Dresser, trials: Iterable[Trial]) -> list[tuple[Trial, float]]:
    """Return those trials that can be dressed with how far they are from the pattern, best first."""
    found = []
    for trial in {trial.bare: trial for trial in trials}.values():
        look_up()
        attempt = _attempt(dresser, trial, BRIEF_BEGINS, 0)
        if attempt is not None:
            found.append((trial, attempt.misfit))
    return sorted(found, key=lambda pair: pair[1])


def _attempt(dresser: Dresser, trial: Trial, *work: int) -> Attempt | None:
    naked = trial.undressed()
    return dresser.attempt(naked, trial.net.zero, *work) if naked is not None and trial.net is not None else None
