"""Twists of linkers and places of groups under which a framework shows the measured pattern.

Many begins, each followed downhill; then the best ones are disturbed again and again.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generate.known.dressing.descent import GAIN, Scattering, State, descend
from generate.known.dressing.tables import Tables
from generate.solving.roots import FLOOR, Roots
from xtal.interrupt import look_up

BEGINS, KICKS = 16, 24  # arrangements begun with, and disturbances of the best one
PARENTS = 3  # best ones that are disturbed
MOVED = 2  # groups and linkers put elsewhere by a disturbance
# s on a core of an AMD EPYC server: a descent; a reflection of a change; a point of the profile of a piece
BASE_COST, CHANGE_COST, POINT_COST = 1.3e-4, 5.9e-9, 9.3e-8


@dataclass(frozen=True, eq=False)
class Arrangement:
    """How a framework is dressed.

    Attributes:
        misfit: 0 where the pattern is explained.
        twist: (V,) of each rotor.
        group: (P,) kind on each place, -1 hydrogen.
        turn: (P,) of it.
    """

    misfit: float
    twist: NDArray[np.int64]
    group: NDArray[np.int64]
    turn: NDArray[np.int64]

    def untwisted(self) -> "Arrangement":
        """Return it for linkers that are twisted already."""
        return replace(self, twist=np.zeros_like(self.twist))


def arranged(
    tables: Tables,
    wanted: NDArray[np.int64],
    roots: Roots,
    rng: Generator,
    begin: Arrangement | None = None,
    begins: int = BEGINS,
    kicks: int = KICKS,
) -> list[Arrangement]:
    """Return arrangements of the groups of kinds `wanted` (G,), G <= P, best first; `begin` is tried first."""
    found, fixed = [], scattering(tables, roots)
    many = len(tables.owner), len(tables.twists)
    for count in range(begins):
        state = begin if begin is not None and not count else _random(tables, wanted, rng, still=not count)
        found.append(_downhill(fixed, state, rng))
    found.sort(key=lambda one: one.misfit)
    for _ in range(kicks if sum(many) > 1 else 0):
        parent = found[rng.integers(min(len(found), PARENTS))]
        found.append(_downhill(fixed, _disturbed(tables, parent, rng), rng))
        found.sort(key=lambda one: one.misfit)
    return _different(found)


def _random(tables: Tables, wanted: NDArray[np.int64], rng: Generator, still: bool) -> Arrangement:
    """Put groups anywhere; `still` leaves linkers as they are."""
    group = np.full(len(tables.owner), -1, np.int64)
    places = rng.permutation(len(group))[: len(wanted)]
    group[places] = wanted
    turn = np.zeros(len(group), np.int64)
    turn[places] = rng.integers(tables.turns[wanted]) if len(wanted) else 0
    twist = np.zeros(len(tables.twists), np.int64) if still else rng.integers(tables.twists)
    return Arrangement(np.inf, twist.astype(np.int64), group, turn)


def _disturbed(tables: Tables, one: Arrangement, rng: Generator) -> Arrangement:
    """Exchange what is on two places, and twist a linker."""
    twist, group, turn = one.twist.copy(), one.group.copy(), one.turn.copy()
    for _ in range(MOVED):
        on, others = np.flatnonzero(group >= 0), np.flatnonzero(group < 0)
        if len(on) and len(others):
            here, there = rng.choice(on), rng.choice(others)
            group[there], turn[there], group[here] = group[here], turn[here], -1
    unit = rng.integers(len(twist))
    twist[unit] = rng.integers(tables.twists[unit])
    return Arrangement(np.inf, twist, group, turn)


def _downhill(fixed: Scattering, state: Arrangement, rng: Generator) -> Arrangement:
    """Follow one arrangement to the next minimum."""
    look_up()
    new = State(state.twist.copy(), state.group.copy(), state.turn.copy())
    cost = descend(fixed, new, rng.permutation(len(new.twist) + len(new.group)))
    return Arrangement(float(cost), *new)


def descent_seconds(tables: Tables, wanted: NDArray[np.int64], roots: Roots) -> float:
    """Return what one descent takes of a usual core."""
    changes = int(tables.twists.sum()) + len(tables.owner) * int(tables.turns[wanted].sum())
    moving = int((tables.twists > 1).sum()) + len(wanted)
    return BASE_COST + CHANGE_COST * changes * len(roots.q) + POINT_COST * moving * len(roots.root)


def scattering(tables: Tables, roots: Roots) -> Scattering:
    """Return tables and profile as compiled code takes them."""
    pieces = tables.still, tables.turned, tables.strain, tables.groups, tables.owner, tables.twists, tables.turns
    return Scattering(*pieces, roots.strength, roots.start, roots.shape, roots.root, roots.high, roots.trust, FLOOR)


def _different(found: list[Arrangement]) -> list[Arrangement]:
    kept: list[Arrangement] = []
    for one in found:
        if not any(one.misfit - other.misfit < GAIN for other in kept):
            kept.append(one)
    return kept
