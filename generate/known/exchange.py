"""Put other linkers into a framework.

Each new linker is turned until its ends look as those of the old one did, whatever lies between them. Then nodes and
cell are moved until the nodes lie to each other as those that the new linkers had. With the middle x of a node, the
lattice L and, for each end of a linker, its node, the whole cells s that this is away and the place o of what it binds,

    (x' + s L + o)_end - (x' + s L + o)_first end = arm'_end - arm'_first end

in least squares, held weakly where no linker says anything. Nodes keep their shape; the linkers are put between them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from generate.known.centring import centrings
from generate.known.ways import Way, twisted, ways
from xtal.crystals import Crystal
from xtal.crystals.linkers import Framework, Linker

LOOSE = 0.05  # weight of the old cell and places beside the arms of the linkers
MOST_PLANS = 16  # for the same linkers
SAME_PLACE = 0.3  # Å between the atoms of two ways that are one
TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Plan:
    """How a framework gets other linkers.

    Attributes:
        host: the framework.
        ways: for each row of its linkers that is replaced.
        lattice: (3, 3) Å of what is built.
        middle: (B, 3) Å of the bodies there.
        ends: what each linker of the host holds.
    """

    host: Framework
    ways: Mapping[int, Way]
    lattice: NDArray[np.float64]
    middle: NDArray[np.float64]
    ends: "Sequence[Ends]"

    @cached_property
    def cells(self) -> list[NDArray[np.float64]]:
        """The lattices (3, 3) Å that it may be built in: that of one net, and those of nets in each other."""
        return list(centrings(self.lattice, len(self.host.crystal)))

    @cached_property
    def missed(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(W,) Å by which new linkers of two ends miss the nodes that they join, and (W,) Å between these."""
        two = [(self.ends[row], way.arms) for row, way in self.ways.items() if len(way.arms) == 2]
        pairs = [(arms, _nodes(held, self.lattice)) for held, arms in two]
        made, wanted = (np.linalg.norm(np.diff(side, axis=1)[:, 0], axis=1) for side in np.array(pairs).swapaxes(0, 1))
        return np.abs(made - wanted), wanted


@dataclass(frozen=True, eq=False)
class Ends:
    """What the ends of a linker hold: for each of E ends a body, the whole cells that it is away, and where.

    Attributes:
        body: (E,) rows of bodies.
        cell: (E, 3) whole cells.
        offset: (E, 3) Å, the node of the end from the middle of the body.
        inner: the linker's own body.
        inner_cell: (3,) whole cells that this is away.
    """

    body: NDArray[np.int64]
    cell: NDArray[np.int64]
    offset: NDArray[np.float64]
    inner: int
    inner_cell: NDArray[np.int64]


Ways = Callable[[Linker, Linker], list[Way]]


def plans(
    host: Framework, fills: Sequence[tuple[Sequence[int], Linker]], find: Ways | None = None, cells_only: bool = False
) -> list[Plan]:
    """Find the ways to put a linker in the place of each of certain rows of linkers, the best first.

    Args:
        host: the framework.
        fills: rows of its linkers, and what replaces them, in the same way in all of these rows.
        find: a `ways` that remembers, if any.
        cells_only: leave out ways that give the cell of another.

    Returns:
        None where the ends differ too much.
    """
    find = find or ways
    found = [[find(host.linkers[row], new) for row in rows] for rows, new in fills]
    turns = [list(range(min(map(len, places)))) for places in found]
    if cells_only:
        turns = [_unlike([way.arms for way in places[0]], turn) for places, turn in zip(found, turns, strict=True)]
    made = []
    ends, middle = held_by(host)
    for turn in sorted(product(*turns), key=sum)[:MOST_PLANS]:
        picked = zip(turn, fills, found, strict=True)
        chosen = {row: places[n][k] for k, (rows, _), places in picked for n, row in enumerate(rows)}
        arms = [chosen[row].arms if row in chosen else None for row in range(len(host.linkers))]
        made.append(Plan(host, chosen, *_settled(host.crystal.lattice, middle, ends, arms), ends))
    return made


def in_net(plan: Plan, lattice: NDArray[np.float64]) -> Plan:
    """Carry a plan out in a net of a given lattice (3, 3) Å, and turn linkers of two ends to where these nodes are."""
    turn = Rotation.align_vectors(plan.lattice, lattice)[0].as_matrix()
    placed = lattice @ turn.T
    led = {row: _led(way, plan.ends[row], placed) for row, way in plan.ways.items()}
    return replace(plan, lattice=placed, ways=led)


def _stretched(
    position: NDArray[np.float64], onwards: NDArray[np.int64], old: NDArray[np.float64], new: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Bring atoms (n, 3) Å of a body from an old lattice to a new one: only a rod, along itself, and layers stretch."""
    if not len(onwards):
        return position
    if np.linalg.matrix_rank(onwards) > 1:
        return np.asarray(position @ np.linalg.inv(old) @ new)
    before, after = onwards[0] @ old, onwards[0] @ new
    longer = float(np.linalg.norm(after) / np.linalg.norm(before)) - 1
    stretch = np.outer(position @ before, before) * longer / (before @ before)
    return np.asarray((position + stretch) @ _turn(before, after))


def _turn(old: NDArray[np.float64], new: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the least rotation R (3, 3) with ``old @ R`` along `new`."""
    axis = np.cross(old, new)
    sine = float(np.linalg.norm(axis))
    angle = np.arctan2(sine, old @ new)
    return np.asarray(Rotation.from_rotvec(axis * angle / max(sine, TINY)).as_matrix().T)


def _led(way: Way, held: Ends, lattice: NDArray[np.float64]) -> Way:
    """Turn a linker of two ends, the shorter way, to where the nodes that it joins are."""
    if len(way.arms) != 2:
        return way
    turn = _turn(np.diff(way.arms, axis=0)[0], np.diff(_nodes(held, lattice), axis=0)[0])
    return replace(way, rotation=way.rotation @ turn, arms=way.arms @ turn)


def _nodes(held: Ends, lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    """(E, 3) Å of the nodes of a linker whose ends hold one body, from the middle of this."""
    return held.cell @ lattice + held.offset


def held_by(host: Framework) -> tuple[list[Ends], NDArray[np.float64]]:
    """Return what the ends of each linker hold, and the middles (B, 3) Å of bodies."""
    crystal = host.crystal
    body, cell = np.empty(len(crystal), dtype=np.int64), np.empty((len(crystal), 3), dtype=np.int64)
    middle = np.empty((len(host.bodies), 3))
    for index, one in enumerate(host.bodies):
        body[one.atoms], cell[one.atoms] = index, one.cell
        middle[index] = ((crystal.frac_coords[one.atoms] + one.cell) @ crystal.lattice).mean(axis=0)
    found = []
    for linker in host.linkers:
        donor = [int(np.flatnonzero(linker.bound & (linker.end == end))[0]) for end in range(len(linker.node))]
        away = linker.cell[donor] - cell[linker.atoms[donor]]
        row = body[linker.atoms[donor]]
        offset = linker.node - middle[row] - away @ crystal.lattice
        own = int(np.flatnonzero(linker.core)[0])
        inner = int(linker.atoms[own])
        found.append(Ends(row, away, offset, int(body[inner]), linker.cell[own] - cell[inner]))
    return found, middle


def _settled(
    lattice: NDArray[np.float64],
    middle: NDArray[np.float64],
    ends: Sequence[Ends],
    arms: Sequence[NDArray[np.float64] | None],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lattice (3, 3) and middles of bodies (B, 3) Å between which the arms of all linkers fit best.

    A linker that stays, of no new arms, keeps its place to each of its nodes.
    """
    count = len(middle)
    rows, wanted = [LOOSE * np.eye(count + 3)], [LOOSE * np.concatenate([middle, lattice])]
    for held, arm in zip(ends, arms, strict=True):
        place = np.zeros((len(held.body), count + 3))
        place[np.arange(len(held.body)), held.body] += 1
        place[:, count:] = held.cell
        if arm is None:
            base = np.append(np.eye(count)[held.inner], held.inner_cell)
            rows.append(place - base)
            wanted.append(rows[-1] @ np.concatenate([middle, lattice]))
        else:
            rows.append(place[1:] - place[0])
            wanted.append(arm[1:] - arm[0] - held.offset[1:] + held.offset[0])
    found = np.linalg.lstsq(np.concatenate(rows), np.concatenate(wanted), rcond=None)[0]
    return found[count:], found[:count]


def _unlike(arms: Sequence[NDArray[np.float64]], rows: Sequence[int]) -> list[int]:
    """Rows whose arms differ, by more than a shift, from those of rows before."""
    arms = [arm - arm.mean(axis=0) for arm in arms]
    chosen: list[int] = []
    for row in rows:
        if all(np.abs(arms[row] - arms[other]).max(initial=0) > SAME_PLACE for other in chosen):
            chosen.append(row)
    return chosen


def exchanged(plan: Plan, linkers: Mapping[int, Linker]) -> Crystal:
    """Carry a plan out with the new linkers of its rows, or with these in other groups."""
    host, lattice = plan.host, plan.lattice
    crystal = host.crystal
    place = np.empty((len(crystal), 3))
    for body, middle in zip(host.bodies, plan.middle, strict=True):
        position = (crystal.frac_coords[body.atoms] + body.cell) @ crystal.lattice
        position -= position.mean(axis=0)
        place[body.atoms] = middle + _stretched(position, body.onwards, crystal.lattice, lattice)
    kept = np.ones(len(crystal), dtype=bool)
    placed, numbers = [], []
    for row, new in linkers.items():
        way, held = plan.ways[row], plan.ends[row]
        kept[host.linkers[row].atoms] = False
        node = plan.middle[held.body] + held.cell @ lattice + held.offset
        placed.append(twisted(new, way.twist).position @ way.rotation + (node - way.arms).mean(axis=0))
        numbers.append(new.numbers)
    where = np.concatenate([place[kept], *placed])
    return Crystal(lattice, where @ np.linalg.inv(lattice), np.concatenate([crystal.numbers[kept], *numbers]))
