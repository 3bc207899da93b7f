"""One way to build a crystal: a recipe in one host, turned one way, in one cell."""

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generate.known.centring import centrings, in_lattice
from generate.known.dressing import Undressed, undressed
from generate.known.exchange import Plan, exchanged
from generate.known.isoreticular import Key, Recipe
from generate.known.nets import Net
from xtal.crystals import Crystal
from xtal.interrupt import look_up

OFF, OF_LENGTH = 0.1, 0.01  # Å, and of its length, by which a linker usually misses its node
WHOLE = 1 - 1e-6  # of a cell that holds one net


@dataclass(frozen=True, eq=False)
class Trial:
    """A recipe carried out by one plan, in one of the cells of `centrings` or in that of a net.

    Attributes:
        recipe: what is built.
        plan: how.
        cell: which of the `centrings`, where there is no net.
        net: in which the nodes are.
        turn: of the ways to share out the groups of a linker.
    """

    recipe: Recipe
    plan: Plan
    cell: int
    net: Net | None = None
    turn: int = 0

    @property
    def place(self) -> Hashable:
        """How the nets stand in each other."""
        return self.cell if self.net is None else self.net

    @property
    def set(self) -> tuple[Key, Hashable]:
        """The linkers and how the nets stand in each other."""
        return self.recipe.key, self.place

    @property
    def bare(self) -> Hashable:
        """The same for trials that differ in which linker has which groups alone."""
        return self.plan, self.place, self.recipe.key

    @property
    def lattice(self) -> NDArray[np.float64]:
        """(3, 3) Å of the crystal."""
        return self.plan.cells[self.cell] if self.net is None else self.net.cell @ self.plan.lattice

    @property
    def strain(self) -> float:
        """-ln p of how far the nodes of a net are from where the linkers put them, to each other."""
        if self.net is None:
            return 0.0
        off, length = self.plan.missed
        return float(0.5 * np.square(off / (OFF + OF_LENGTH * length)).sum())

    @property
    def interpenetrated(self) -> bool:
        """Whether several nets stand in each other."""
        return bool(self.cell) if self.net is None else bool(abs(np.linalg.det(self.net.cell)) < WHOLE)

    def crystal(self) -> Crystal | None:
        """Build it, unless its atoms have no room."""
        look_up()
        linkers = {row: fill.linker(self.turn) for slot, fill in self.recipe.pairs for row in slot.rows}
        crystal = exchanged(self.plan, linkers)
        lattice = self._repeated(crystal)
        return in_lattice(crystal, lattice) if lattice is not None else None

    def undressed(self) -> Undressed | None:
        """Build it without its groups; None where nothing can be put elsewhere."""
        stripped = {row: fill.stripped() for slot, fill in self.recipe.pairs for row in slot.rows}
        if not stripped:
            return None
        groups = tuple(group for _, on in stripped.values() for group in on)
        naked = {row: one for row, (one, _) in stripped.items()}
        crystal = exchanged(self.plan, {row: one.linker for row, one in naked.items()})
        lattice = self._repeated(crystal)
        return undressed(self.plan, naked, groups, crystal, lattice) if lattice is not None else None

    def _repeated(self, crystal: Crystal) -> NDArray[np.float64] | None:
        """Return the lattice that repeats what is built in one net; None where that leaves its atoms no room."""
        if self.net is not None:
            return self.lattice
        cells = list(centrings(crystal.lattice, len(crystal)))
        return cells[self.cell] if self.cell < len(cells) else None
