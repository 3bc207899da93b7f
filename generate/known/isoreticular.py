"""Crystals that nobody has: a known framework with other linkers, of one or several other frameworks.

Frameworks of one net that differ in their linkers are called isoreticular (Eddaoudi et al., 2002). Given the contents
of a cell, each known framework is asked which linkers would have to stand in its slots. They are sought among linkers
as they are, and among bare ones that some group dresses in the places of hydrogen: there are too many of those to have
been seen all. `generate.known.exchange` puts them in.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from generate.known.exchange import Ends, held_by
from generate.known.fillings import MOST_SLOTS, Fill, Shape, in_nets, solutions
from generate.known.nets import Net, across
from generate.known.shelf import Shelf, weight
from xtal.crystals.linkers import METALS, Framework, Grips, Linker
from xtal.interrupt import look_up

PARALLEL = 0.97  # cosine of the directions of linkers that share a slot
MOST_CHOICES = 12  # ways to choose the slots to be filled, of a framework with more than `MOST_SLOTS`
MOST_HOSTS = 4  # of those alike, which get the same linkers
Key = tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]


@dataclass(frozen=True, eq=False)
class Slot:
    """Linkers of a framework that are alike, and so replaced together.

    Attributes:
        rows: of its linkers.
        donors: of these.
        beyond: Å, by how much a linker that joins a node to the same one in the next cell is shorter than the way to
            that cell, along which it lies, or of rods the way across; NaN for others.
        axis: the lattice vector that leads to that cell; -1 for others.
    """

    rows: tuple[int, ...]
    donors: Grips
    beyond: float = np.nan
    axis: int = -1


@dataclass(frozen=True, eq=False)
class Recipe:
    """Give a framework other linkers.

    Attributes:
        host: row of the framework.
        slots: which of its linkers.
        fills: what comes into each slot.
        key: the bare linkers and the groups that there will be, wherever; equal for the same set.
        nets: of indexed cells, in which the linkers reach from node to node; none where that is not known.
    """

    host: int
    slots: tuple[Slot, ...]
    fills: tuple[Fill, ...]
    key: Key
    nets: tuple[Net, ...] = ()

    @property
    def mixed(self) -> int:
        """How many kinds of groups there are beyond one."""
        return max(len({fill.key[1] for fill in self.fills} - {0}) - 1, 0)

    @property
    def rarity(self) -> float:
        """Sum of ln of the places of its linkers among those of their donors, the most frequent of which is the first.

        Frequencies fall about as the inverse of such places (Zipf): it is how unlikely the set is.
        """
        return float(np.log([fill.place + 1 for fill in self.fills]).sum())

    @property
    def pairs(self) -> list[tuple[Slot, Fill]]:
        """Each slot with what comes into it."""
        return list(zip(self.slots, self.fills, strict=True))


def with_metal(framework: Framework, numbers: NDArray[np.integer]) -> Framework:
    """Return a framework of one metal with that of the atoms (N,), where those hold one metal and as much of it."""
    crystal, metals = framework.crystal, METALS[framework.crystal.numbers]
    wanted = numbers[METALS[numbers]]
    if len(set(wanted.tolist())) != 1 or len(set(crystal.numbers[metals].tolist())) != 1 or metals.sum() != len(wanted):
        return framework
    return replace(framework, crystal=replace(crystal, numbers=np.where(metals, wanted[0], crystal.numbers)))


def slots(framework: Framework) -> tuple[Slot, ...]:
    """Group linkers by kind and, where that leaves no more than `MOST_SLOTS` groups, by direction."""
    fine: dict[tuple[int, int], list[int]] = defaultdict(list)
    coarse: dict[int, list[int]] = defaultdict(list)
    directions: list[NDArray[np.float64]] = []
    for row, linker in enumerate(framework.linkers):
        along = _direction(linker)
        which = next((k for k, d in enumerate(directions) if abs(float(d @ along)) > PARALLEL), len(directions))
        if which == len(directions):
            directions.append(along)
        fine[linker.kind, which].append(row)
        coarse[linker.kind].append(row)
    groups = [*fine.values()] if len(fine) <= MOST_SLOTS else [*coarse.values()]
    ends = held_by(framework)[0]
    return tuple(
        Slot(tuple(rows), framework.linkers[rows[0]].donors, *_beyond(framework, rows[0], ends[rows[0]]))
        for rows in groups
    )


def _beyond(framework: Framework, row: int, ends: Ends) -> tuple[float, int]:
    """Å, see `Slot`, to 0.1, and the lattice vector."""
    nothing = float("nan"), -1
    if len(ends.body) != 2 or ends.body[0] != ends.body[1]:
        return nothing
    linker, step, lattice = framework.linkers[row], ends.cell[1] - ends.cell[0], framework.crystal.lattice
    way, arm, onwards = step @ lattice, linker.node[1] - linker.node[0], framework.bodies[ends.body[0]].onwards
    if len(onwards):
        way, arm = across(np.stack([way, arm]), onwards[0] @ lattice)
        step = step * (onwards[0] == 0)
    length, reach = float(np.linalg.norm(way)), float(np.linalg.norm(arm))
    if len(onwards) > 1 or np.abs(step).sum() != 1 or abs(way @ arm) < PARALLEL * length * reach:
        return nothing
    return round(length - 2 * linker.arm, 1), int(np.abs(step).argmax())


def recipes(
    frameworks: Sequence[Framework],
    shelf: Shelf,
    numbers: NDArray[np.integer],
    nets: Sequence[Net] = (),
    ruled: int = 0,
) -> Iterator[Recipe]:
    """Yield what gives a framework the atoms (N,), host by host; frameworks alike in their slots are solved once.

    The first `ruled` frameworks are there for any linker: where `nets` of indexed cells are known, those that reach in
    one of these, ruled ones too.
    """
    wanted = weight(numbers)
    solved: dict[tuple[int, Shape], list[tuple[Fill, ...]]] = {}
    used = Counter[tuple[int, Shape]]()
    for host, framework in enumerate(frameworks):
        look_up()
        every = slots(framework)
        if weight(framework.crystal.numbers) == wanted:  # it needs no others
            yield Recipe(host, (), (), _pooled([(len(s.rows), framework.linkers[s.rows[0]].kind, 0, 0) for s in every]))
        for chosen in [*combinations(every, min(MOST_SLOTS, len(every)))][:MOST_CHOICES] if every else []:
            ordered = tuple(sorted(chosen, key=lambda slot: (len(slot.rows), slot.donors)))
            gone = sum(weight(framework.linkers[row].numbers) for slot in ordered for row in slot.rows)
            lacking = wanted - weight(framework.crystal.numbers) + gone
            shape = tuple((len(slot.rows), slot.donors, 0) for slot in ordered)
            rest = Counter(linker.kind for row, linker in enumerate(framework.linkers) if not _in(row, ordered))
            axes = sorted(slot.axis for slot in ordered)
            if host < ruled and nets and axes in ([0, 1, 2], [1, 2]):
                along = [slot.beyond for slot in ordered], [slot.axis for slot in ordered]
                alike = [net for net in nets if net.rod == (axes == [1, 2])]
                for fills, where in in_nets(lacking, shape, *along, shelf, alike):
                    yield Recipe(host, ordered, fills, _key(ordered, fills, rest), where)
                continue
            used[lacking, shape] += 1
            if used[lacking, shape] > MOST_HOSTS:
                continue
            if (lacking, shape) not in solved:
                solved[lacking, shape] = solutions(lacking, shape, shelf)
            for fills in solved[lacking, shape]:
                yield Recipe(host, ordered, fills, _key(ordered, fills, rest))


def _key(chosen: Sequence[Slot], fills: Sequence[Fill], rest: Counter[int]) -> Key:
    """Describe what is in slots, and so many of other kinds beside them."""
    filled = [(len(slot.rows), *fill.key) for slot, fill in zip(chosen, fills, strict=True)]
    return _pooled([*filled, *((n, kind, 0, 0) for kind, n in rest.items())])


def _pooled(linkers: Sequence[tuple[int, int, int, int]]) -> Key:
    """Describe a set of linkers, so many of each bare kind, and their groups: who has which does not count."""
    bare_kinds, groups = Counter[int](), Counter[int]()
    for n, kind, group, count in linkers:
        bare_kinds[kind] += n
        groups[group] += n * count
    return tuple(sorted((+bare_kinds).items())), tuple(sorted((+groups).items()))


def _in(row: int, chosen: Sequence[Slot]) -> bool:
    return any(row in slot.rows for slot in chosen)


def _direction(linker: Linker) -> NDArray[np.float64]:
    """Return the unit vector from end to end; of a linker held otherwise, the direction of its longest axis."""
    along = linker.node[-1] - linker.node[0]
    if np.linalg.norm(along) < 1:
        along = np.linalg.svd(linker.position - linker.position.mean(axis=0))[2][0]
    return along / np.linalg.norm(along)
