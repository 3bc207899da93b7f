"""Frameworks built from known ones, dressed and settled by the pattern.

A formula tells which groups there are, not where. Each framework is stripped of its groups; these, and the twists of
straight linkers, are then arranged as the pattern wants them (`arrange`), and the best frameworks are moved to where
bonds and pattern agree (`settle`), arranged again from there, and moved again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generate.known.dressing.arrange import BEGINS, KICKS, Arrangement, arranged, descent_seconds
from generate.known.dressing.settle import Settled, settled
from generate.known.dressing.tables import Tables
from generate.known.dressing.undressed import Undressed
from generate.known.pendants import Group
from generate.parts import Chemistry
from generate.solving.roots import Roots
from xtal.errors import UserError
from xtal.patterns.sample import Sample
from xtal.physics.indexing import IndexedCell
from xtal.physics.indexing.bravais import reduced

SETTLED = 14  # frameworks that are moved,
THOROUGHLY = 3  # and those of them that are worth more work
SAME = 1e-5  # of the misfit: frameworks as near count as one
AGAIN, KICKED = 12, 60  # begins and disturbances where a move led
IDENTITY = np.eye(3, dtype=np.int64)[None]
METRIC = 6  # decimals of Å², to which the metrics of a cell that is turned agree


@dataclass(frozen=True)
class Effort:
    """How often a framework is moved: `tried` arrangements, then, in `rounds`, `new` ones around the `kept` best.

    It ends after about so many `seconds` of a usual core, counted by what is done.
    """

    tried: int
    kept: int
    new: int
    rounds: int
    seconds: float


BRIEF = Effort(tried=2, kept=1, new=1, rounds=3, seconds=1.5)
THOROUGH = Effort(tried=12, kept=8, new=4, rounds=7, seconds=4.0)


@dataclass(frozen=True, eq=False)
class Attempt:
    """A framework whose groups have been arranged.

    Attributes:
        framework: bare.
        kinds: its different groups.
        wanted: (G,) which of them each group is.
        found: arrangements, best first.
        roots: the profile in its cell.
    """

    framework: Undressed
    kinds: tuple[Group, ...]
    wanted: NDArray[np.int64]
    found: tuple[Arrangement, ...]
    roots: Roots

    @property
    def misfit(self) -> float:
        """The least one."""
        return self.found[0].misfit

    def settled(self, chemistry: Chemistry, rng: Generator, effort: Effort = BRIEF) -> list[Settled]:
        """Move it to where bonds and pattern are best, arrange it anew there, and again, as long as that helps.

        Returns:
            What agrees with the pattern best, best first.
        """
        tables = Tables.of(self.framework, self.kinds, self.roots)
        pool = waiting = _best(self._moved(self.framework, tables, self.found[: effort.tried], chemistry), effort.kept)
        once = (AGAIN + KICKED) * descent_seconds(tables, self.wanted, self.roots)
        left = int(effort.seconds / once)
        for _ in range(effort.rounds):
            begun, left = waiting[:left], left - len(waiting[:left])
            new = [one for state in begun for one in self._rearranged(state, chemistry, rng, effort.new)]
            pool = _best([*pool, *new], effort.kept)
            waiting = [one for one in pool if any(one is other for other in new)]
        return pool

    def _rearranged(self, state: Settled, chemistry: Chemistry, rng: Generator, count: int) -> list[Settled]:
        """Arrange the groups anew where a move led, and move on."""
        tables, begin = Tables.of(state.framework, self.kinds, self.roots), state.arrangement.untwisted()
        found = arranged(tables, self.wanted, self.roots, rng, begin, AGAIN, KICKED)
        return self._moved(state.framework, tables, found[:count], chemistry)

    def _moved(
        self, framework: Undressed, tables: Tables, found: Sequence[Arrangement], chemistry: Chemistry
    ) -> list[Settled]:
        """Move a framework dressed in each way."""
        return [settled(framework, self.kinds, tables, one, self.roots, chemistry) for one in found]


class Dresser:
    """Dresses frameworks for one pattern.

    Each of the indexed `cells` has the line shape that fits there, and others that of the first of them.
    """

    def __init__(self, sample: Sample, rng: Generator, cells: Sequence[IndexedCell] = ()) -> None:
        self.sample, self.rng = sample, rng
        self._roots: dict[bytes, Roots] = {}
        own = [self._profile(reduced(cell.lattice), cell.zero_shift, None) for cell in cells]
        self._line = own[0].line if own else None

    def attempt(self, framework: Undressed, zero: float, begins: int = BEGINS, kicks: int = KICKS) -> Attempt | None:
        """Arrange the groups of a framework in a cell that fits, `zero` degrees being added to calculated angles.

        Returns:
            None where it has too few places, or its cell no line in the range of the pattern.
        """
        kinds, wanted = _kinds(framework.groups)
        if len(wanted) > framework.places:
            return None
        try:
            roots = self._profile(framework.lattice, zero, self._line)
        except UserError:
            return None
        self._line = self._line or roots.line
        found = arranged(Tables.of(framework, kinds, roots), wanted, roots, self.rng, None, begins, kicks)
        return Attempt(framework, kinds, wanted, tuple(found[: THOROUGH.tried]), roots)

    def _profile(self, lattice: NDArray[np.float64], zero: float, line: tuple[float, float] | None) -> Roots:
        """Remember the profile in a cell, whichever way this is turned; without a `line` with that which fits there."""
        key = (np.append(np.round(lattice @ lattice.T, METRIC), zero) + 0.0).tobytes()
        if key not in self._roots:
            self._roots[key] = Roots.of(self.sample, lattice, IDENTITY, zero, line)
        return self._roots[key]


def _best(pool: Sequence[Settled], count: int) -> list[Settled]:
    """Return the best `count` that differ, best first."""
    kept: list[Settled] = []
    for one in sorted(pool, key=lambda one: one.misfit):
        if len(kept) < count and not any(one.misfit - other.misfit < SAME for other in kept):
            kept.append(one)
    return kept


def _kinds(groups: Sequence[Group]) -> tuple[tuple[Group, ...], NDArray[np.int64]]:
    """Return the different groups, and for each group (G,) which of them it is."""
    kinds = {group.key: group for group in groups}
    rows = {key: row for row, key in enumerate(kinds)}
    return tuple(kinds.values()), np.array([rows[group.key] for group in groups], np.int64)
