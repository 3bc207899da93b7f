"""A framework with other linkers, whose groups have no places yet and whose linkers may be twisted."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from generate.known.centring import in_lattice
from generate.known.exchange import Plan
from generate.known.pendants import Bare, Group
from generate.known.ways import twisted
from xtal.crystals import Crystal
from xtal.crystals.linkers import Linker
from xtal.crystals.parts import Part, cut

STRAIGHT = np.cos(np.radians(20))  # of the angle between a linker's axis and the bonds that it may be turned about
SHORTEST_AXIS = 2.0  # Å
ASIDE = 0.3  # Å from the axis: nearer atoms do not turn


@dataclass(frozen=True, eq=False)
class Axis:
    """What a linker of two ends is twisted about: a `point` (3,) Å, a unit vector (3,), and which atoms (n,) turn."""

    point: NDArray[np.float64]
    along: NDArray[np.float64]
    turning: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Unit:
    """A bare linker where it stands.

    Attributes:
        position: (n, 3) Å of its atoms.
        linker: what it is; positions and nodes of its own do not count.
        places: (P, 2) rows of a carbon and of the hydrogen on it that a group may replace.
    """

    position: NDArray[np.float64]
    linker: Linker
    places: NDArray[np.int64]

    @cached_property
    def axis(self) -> Axis | None:
        """The line through what a straight linker of two ends hangs on; None for others.

        A carboxylate stays and the rest turns about its carbon; a single donor lies on the axis itself.
        """
        linker = self.linker
        if len(linker.node) != 2:
            return None
        held, after = [], []
        for end in range(2):
            donors, clasps = linker.bound & (linker.end == end), ~linker.bound & (linker.end == end)
            hinge = np.flatnonzero(donors if donors.sum() == 1 else clasps)
            if len(hinge) != 1:
                return None
            mine = linker.bonds[linker.bonds[:, 0] == hinge[0], 1]
            held.append(self.position[hinge[0]])
            after.append(self.position[mine[~linker.bound[mine]]])
        along = held[1] - held[0]
        length = float(np.linalg.norm(along))
        if length < SHORTEST_AXIS or not all(map(len, after)):
            return None
        out = [around.mean(axis=0) - start for around, start in zip(after, held, strict=True)]
        cosines = [float(way @ along) / length / max(float(np.linalg.norm(way)), 1e-9) for way in out]
        straight = cosines[0] > STRAIGHT and -cosines[1] > STRAIGHT
        return Axis(held[0], along / length, ~linker.bound) if straight else None

    @cached_property
    def rotors(self) -> tuple[NDArray[np.bool_], ...]:
        """(n,) masks of atoms that turn together about the axis: rings on single bonds along it turn by themselves."""
        if self.axis is None:
            return ()
        from_point = self.position - self.axis.point
        aside = np.linalg.norm(from_point - np.outer(from_point @ self.axis.along, self.axis.along), axis=1) > ASIDE
        bonds = self.linker.bonds
        kept = bonds[(aside[bonds] | ~self.axis.turning[bonds]).any(axis=1)]
        graph = coo_array((np.ones(len(kept)), kept.T), shape=(len(aside), len(aside)))
        _, label = connected_components(graph, directed=False)
        turning = self.axis.turning & aside
        return tuple((label == k) & turning for k in np.unique(label[turning]))


@dataclass(frozen=True, eq=False)
class Undressed:
    """A framework as rigid bodies.

    Attributes:
        lattice: (3, 3) Å.
        nodes: what is no linker, each with the places (n, 3) Å of its atoms.
        units: the linkers, bare.
        groups: to be put on them.
    """

    lattice: NDArray[np.float64]
    nodes: tuple[tuple[Part, NDArray[np.float64]], ...]
    units: tuple[Unit, ...]
    groups: tuple[Group, ...]

    @property
    def places(self) -> int:
        """How many hydrogens there are that a group may replace."""
        return sum(len(unit.places) for unit in self.units)

    def in_cell(self, lattice: NDArray[np.float64]) -> "Undressed":
        """Return it in a cell (3, 3) that is strained a little; bodies keep their shapes."""
        strain = np.linalg.inv(self.lattice) @ lattice

        def shifted(position: NDArray[np.float64]) -> NDArray[np.float64]:
            """Move a body with its middle."""
            middle = position.mean(axis=0)
            return position + middle @ strain - middle

        return replace(
            self,
            lattice=lattice,
            nodes=tuple((part, shifted(position)) for part, position in self.nodes),
            units=tuple(replace(unit, position=shifted(unit.position)) for unit in self.units),
        )


def undressed(
    plan: Plan,
    bare: Mapping[int, Bare],
    groups: tuple[Group, ...],
    crystal: Crystal,
    lattice: NDArray[np.float64],
) -> Undressed | None:
    """Take apart what a plan gave with bare linkers for its rows.

    Args:
        plan: how the framework got them.
        bare: for each row of its linkers that is replaced.
        groups: to be put on.
        crystal: what was built (`exchanged`).
        lattice: (3, 3) Å that repeats it.

    Returns:
        None where the rest of the framework is endless.
    """
    at = len(crystal) - sum(len(one.linker.numbers) for one in bare.values())
    rest = Crystal(crystal.lattice, crystal.frac_coords[:at], crystal.numbers[:at])
    parts = cut(in_lattice(rest, lattice))
    if any(piece.endless for piece in parts.pieces):
        return None
    nodes = tuple((p.part, (parts.crystal.frac_coords[p.atoms] + p.cell) @ lattice) for p in parts.pieces)
    units = []
    for row, one in bare.items():
        position = twisted(one.linker, plan.ways[row].twist).position @ plan.ways[row].rotation
        position += crystal.frac_coords[at] @ crystal.lattice - position[0]
        units.append(Unit(position, one.linker, one.places))
        at += len(position)
    return Undressed(lattice, nodes, tuple(units), groups)
