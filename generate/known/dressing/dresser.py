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

from generate.known.dressing.arrange import Arrangement, arranged
from generate.known.dressing.settle import Settled, settled
from generate.known.dressing.tables import Tables
from generate.known.dressing.undressed import Undressed
from generate.known.pendants import Group
from generate.parts import Chemistry
from generate.solving.roots import Roots
from xtal.errors import UserError
from xtal.patterns.sample import Sample

SETTLED = 14  # frameworks that are moved
TRIED = 2  # arrangements of each
AGAIN, KICKED = 12, 60  # begins and disturbances where a move led
ROUNDS = 4  # of moves
IDENTITY = np.eye(3, dtype=np.int64)[None]


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

    def settled(self, chemistry: Chemistry, rng: Generator) -> Settled:
        """Move it to where bonds and pattern are best, arrange it anew there, and again, as long as that helps."""
        tables = Tables.of(self.framework, self.kinds, self.roots)
        every = [settled(self.framework, self.kinds, tables, one, self.roots, chemistry) for one in self.found]
        best = min(every, key=lambda one: one.misfit)
        for _ in range(ROUNDS - 1):
            tables = Tables.of(best.framework, self.kinds, self.roots)
            better = arranged(tables, self.wanted, self.roots, rng, best.arrangement.untwisted(), AGAIN, KICKED)[0]
            new = settled(best.framework, self.kinds, tables, better, self.roots, chemistry)
            if new.misfit >= best.misfit:
                break
            best = new
        return best


class Dresser:
    """Dresses frameworks for one pattern, with one line shape for all."""

    def __init__(self, sample: Sample, rng: Generator) -> None:
        self.sample, self.rng = sample, rng
        self._line: tuple[float, float] | None = None

    def attempt(self, framework: Undressed, zero: float) -> Attempt | None:
        """Arrange the groups of a framework in a cell that fits, `zero` degrees being added to calculated angles.

        Returns:
            None where it has too few places, or its cell no line in the range of the pattern.
        """
        kinds, wanted = _kinds(framework.groups)
        if len(wanted) > framework.places:
            return None
        try:
            roots = Roots.of(self.sample, framework.lattice, IDENTITY, zero, self._line)
        except UserError:
            return None
        self._line = roots.line
        found = arranged(Tables.of(framework, kinds, roots), wanted, roots, self.rng)
        return Attempt(framework, kinds, wanted, tuple(found[:TRIED]), roots)


def _kinds(groups: Sequence[Group]) -> tuple[tuple[Group, ...], NDArray[np.int64]]:
    """Return the different groups, and for each group (G,) which of them it is."""
    kinds = {group.key: group for group in groups}
    rows = {key: row for row, key in enumerate(kinds)}
    return tuple(kinds.values()), np.array([rows[group.key] for group in groups], np.int64)
