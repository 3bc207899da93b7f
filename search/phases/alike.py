"""Which of several structures with the same lines a phase is, and which others it may as well be.

Of several entries that are one structure it is the one that stands among the hits: an answer calls it by one name.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from search.phases.find import Finder, State
from search.verdict.lookalikes import nearest_lookalikes
from xtal.physics.fit import prior_precision

MISFIT_SHARE = 0.05  # of χ², taken off the log posterior, as where near ties are settled
MOST = 6  # that are fitted with the other phases
TIED = 2.0  # in ln p: worse by less, one may be as right as the best


def settled(finder: Finder, state: State) -> tuple[State, list[tuple[int, ...]]]:
    """Put the likeliest of all that look alike in the place of each phase; also return the others that may be it."""
    others: list[tuple[int, ...]] = []
    group = finder.index.entries.group
    for place in range(len(state.rows)):
        (named,) = _as_hits(finder, [state.rows[place]])
        if named != state.rows[place]:
            (state,) = finder.in_place(state, place, np.array([named]), 1)
        alike = np.unique(_as_hits(finder, nearest_lookalikes(finder.index, named)))
        taken = group[[row for n, row in enumerate(state.rows) if n != place]]
        alike = alike[~np.isin(group[alike], taken)]
        if finder.allowed is not None:
            alike = alike[np.isin(alike, finder.allowed)]
        if len(np.unique(group[alike])) < 2:
            others.append(())
            continue
        tried = {state.rows[place]: state, **{s.rows[place]: s for s in finder.in_place(state, place, alike, MOST)}}
        cost = {row: _cost(finder, one, place) for row, one in tried.items()}
        ranked = sorted(cost, key=lambda row: cost[row])
        state = tried[ranked[0]]
        near = (row for row in ranked[1:] if cost[row] < cost[ranked[0]] + TIED and group[row] != group[ranked[0]])
        others.append(tuple(near))
    return state, others


def _as_hits(finder: Finder, rows: Sequence[int] | NDArray[np.int64]) -> NDArray[np.int64]:
    """Return entries (R,), those that are the structure of a hit exchanged for that hit."""
    group = finder.index.entries.group
    hits = {int(group[hit.row]): hit.row for hit in reversed(finder.answer.hits)}
    return np.array([hits.get(int(group[row]), int(row)) for row in rows], np.int64)


def _cost(finder: Finder, state: State, place: int) -> float:
    """Minus the log posterior of a state, up to what all states share; the strain of one phase has its full price."""
    own = state.fit.parameters[place]
    prior = float(own @ prior_precision(finder.wavelength) @ own)
    return MISFIT_SHARE * state.fit.chi_square + 0.5 * prior
