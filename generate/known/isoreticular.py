"""Crystals that nobody has: a known framework with other linkers, of one or several other frameworks.

Frameworks of one net that differ in their linkers are called isoreticular (Eddaoudi et al., 2002). Given the contents
of a cell, each known framework is asked which linkers would have to stand in its slots. They are sought among linkers
as they are, and among bare ones that some group dresses in the places of hydrogen: there are too many of those to have
been seen all. `generate.known.exchange` puts them in.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

from generate.known.exchange import Ends, held_by
from generate.known.pendants import HYDROGEN, Bare, Group, bare, dressed
from generate.known.shelf import WEIGHTS, Shelf, weight
from generate.known.shelf import Key as LinkerKey
from xtal.crystals.linkers import METALS, Framework, Grips, Linker

MOST_SLOTS = 3  # that are filled anew at once
PARALLEL = 0.97  # cosine of the directions of linkers that share a slot
MOST_CHOICES = 12  # ways to choose the slots to be filled, of a framework with more than `MOST_SLOTS`
MOST_RECIPES = 20_000  # of one kind of framework
MOST_HOSTS = 4  # of those alike, which get the same linkers
NOWHERE = np.empty((0, 2), dtype=np.int64)
OFF, STRETCHED = 0.3, 0.02  # Å, and share of its length, by which a linker may miss its node
Shape = tuple[tuple[int, Grips, float | None], ...]
"""Of slots: how many linkers, their donors, and what is beyond these, see `Slot`."""

Key = tuple[tuple[tuple[int, int], ...], tuple[tuple[int, int], ...]]


@dataclass(frozen=True, eq=False)
class Slot:
    """Linkers of a framework that are alike, and so replaced together.

    Attributes:
        rows: of its linkers.
        donors: of these.
        beyond: Å, by how much a linker that joins a node to the same one in another cell is shorter than the way to
            that cell; NaN for others.
    """

    rows: tuple[int, ...]
    donors: Grips
    beyond: float = np.nan


@dataclass(frozen=True, eq=False)
class Fill:
    """What comes into a slot: a bare linker with so many groups, or a linker as it is, with a key of its own."""

    bare: Bare
    group: Group | None = None
    count: int = 0
    known: LinkerKey | None = None

    @property
    def key(self) -> LinkerKey:
        """Tell it from others, wherever the groups are."""
        return self.known or (self.bare.linker.kind, self.group.key if self.group and self.count else 0, self.count)

    def linker(self, turn: int = 0) -> Linker:
        """Put the groups on, spread over the places; other turns begin at other places."""
        if self.group is None or not self.count:
            return self.bare.linker
        places = len(self.bare.places)
        at = (np.arange(self.count) * places // self.count + turn) % places
        return dressed(self.bare, dict.fromkeys(at.tolist(), self.group))

    def stripped(self) -> tuple[Bare, tuple[Group, ...]]:
        """Return the bare linker, and the groups that belong on it somewhere."""
        if self.known is not None:
            naked = bare(self.bare.linker)
            return naked, naked.groups
        return self.bare, (self.group,) * self.count if self.group is not None else ()


@dataclass(frozen=True, eq=False)
class Recipe:
    """Give a framework other linkers.

    Attributes:
        host: row of the framework.
        slots: which of its linkers.
        fills: what comes into each slot.
        key: the bare linkers and the groups that there will be, wherever; equal for the same set.
    """

    host: int
    slots: tuple[Slot, ...]
    fills: tuple[Fill, ...]
    key: Key

    @property
    def mixed(self) -> int:
        """How many kinds of groups there are beyond one."""
        return max(len({fill.key[1] for fill in self.fills} - {0}) - 1, 0)

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
        Slot(tuple(rows), framework.linkers[rows[0]].donors, _beyond(framework, rows[0], ends[rows[0]]))
        for rows in groups
    )


def _beyond(framework: Framework, row: int, ends: Ends) -> float:
    """Å, see `Slot`, to 0.1."""
    if len(ends.body) != 2 or ends.body[0] != ends.body[1]:
        return float("nan")
    way = np.linalg.norm((ends.cell[1] - ends.cell[0]) @ framework.crystal.lattice)
    return round(float(way) - 2 * framework.linkers[row].arm, 1)


def recipes(
    frameworks: Sequence[Framework],
    shelf: Shelf,
    numbers: NDArray[np.integer],
    lengths: NDArray[np.float64] | None = None,
) -> Iterator[Recipe]:
    """Yield what gives a framework the atoms (N,), host by host; frameworks alike in their slots are solved once.

    Where the lengths (V,) Å of lattice vectors are known, sorted, a linker that joins a node to the same one in another
    cell must be as long as one of them says.
    """
    wanted = weight(numbers)
    solved: dict[tuple[int, Shape], list[tuple[Fill, ...]]] = {}
    used = Counter[tuple[int, Shape]]()
    for host, framework in enumerate(frameworks):
        every = slots(framework)
        if weight(framework.crystal.numbers) == wanted:  # it needs no others
            yield Recipe(host, (), (), _pooled([(len(s.rows), framework.linkers[s.rows[0]].kind, 0, 0) for s in every]))
        for chosen in [*combinations(every, min(MOST_SLOTS, len(every)))][:MOST_CHOICES] if every else []:
            ordered = tuple(sorted(chosen, key=lambda slot: (len(slot.rows), slot.donors)))
            gone = sum(weight(framework.linkers[row].numbers) for slot in ordered for row in slot.rows)
            lacking = wanted - weight(framework.crystal.numbers) + gone
            known = [slot.beyond if lengths is not None else np.nan for slot in ordered]
            shape = tuple(
                (len(slot.rows), slot.donors, None if np.isnan(beyond) else beyond)
                for slot, beyond in zip(ordered, known, strict=True)
            )
            used[lacking, shape] += 1
            if used[lacking, shape] > MOST_HOSTS:
                continue
            if (lacking, shape) not in solved:
                solved[lacking, shape] = _solutions(lacking, shape, shelf, lengths)
            rest = Counter(linker.kind for row, linker in enumerate(framework.linkers) if not _in(row, ordered))
            for fills in solved[lacking, shape]:
                key = [(len(s.rows), *fill.key) for s, fill in zip(ordered, fills, strict=True)]
                yield Recipe(host, ordered, fills, _pooled([*key, *((n, kind, 0, 0) for kind, n in rest.items())]))


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


def _solutions(lacking: int, shape: Shape, shelf: Shelf, lengths: NDArray[np.float64] | None) -> list[tuple[Fill, ...]]:
    """Fillings of slots of this `shape` that weigh what is `lacking`."""
    found: list[tuple[Fill, ...]] = []
    bare = [
        [Fill(k) for k in shelf.bare.get(donors, ()) if _reaches(k.linker, beyond, lengths)]
        for _, donors, beyond in shape
    ]
    most = sum(
        n * max((len(f.bare.places) for f in fills), default=0) for (n, *_), fills in zip(shape, bare, strict=True)
    )
    offers = [(group, count) for group in shelf.groups for count in range(1, most + 1)]
    gains = [weight(group.numbers) - int(WEIGHTS[HYDROGEN]) for group in shelf.groups]
    totals = [lacking, *(lacking - count * gain for gain in gains for count in range(1, most + 1))]
    for fills, which in _summing(bare, shape, totals):
        if not which:
            found.append(fills)
            continue
        group, count = offers[which - 1]
        shared = _shares(count, [(n, len(f.bare.places)) for (n, *_), f in zip(shape, fills, strict=True)])
        if shared:
            found.append(tuple(replace(f, group=group, count=k) for f, k in zip(fills, shared, strict=True)))
    plain = [
        [
            Fill(Bare(k, NOWHERE, ()), known=key)
            for k, key in shelf.linkers.get(donors, ())
            if _reaches(k, beyond, lengths)
        ]
        for _, donors, beyond in shape
    ]
    return [*found, *(fills for fills, _ in _summing(plain, shape, [lacking]))]


def _reaches(linker: Linker, beyond: float | None, lengths: NDArray[np.float64] | None) -> bool:
    """Whether a linker leads to the same node in some other cell."""
    if beyond is None or lengths is None:
        return True
    reach = 2 * linker.arm + beyond
    return bool(np.abs(lengths - reach).min(initial=np.inf) < OFF + STRETCHED * reach)


def _summing(
    offers: Sequence[Sequence[Fill]], shape: Shape, totals: Sequence[int]
) -> Iterator[tuple[tuple[Fill, ...], int]]:
    """Yield one offer for each slot where they weigh one of the `totals`, and which.

    Pairs of the last two slots are sorted by weight; the rest is looked up among them. Slots alike are not told apart.
    """
    if not totals or not all(offers):
        return
    weights = [
        np.array([n * weight(f.bare.linker.numbers) for f in fills])
        for (n, *_), fills in zip(shape, offers, strict=True)
    ]
    while len(weights) < MOST_SLOTS:
        weights.insert(0, np.zeros(1, dtype=np.int64))
    first, second, third = weights
    pairs = (second[:, None] + third).ravel()
    order = np.argsort(pairs, kind="stable")
    sought = (np.array(totals)[:, None] - first).ravel()
    low, high = (np.searchsorted(pairs[order], sought, side) for side in ("left", "right"))
    alike = [False] * (MOST_SLOTS - len(shape)) + [False, *(a == b for a, b in pairwise(shape))]
    count = 0
    for hit in np.flatnonzero(high > low).tolist():
        which, one = divmod(hit, len(first))
        for pair in order[low[hit] : high[hit]].tolist():
            rows = (one, *divmod(pair, len(third)))
            if any(same and rows[k - 1] > rows[k] for k, same in enumerate(alike)):
                continue
            chosen = rows[MOST_SLOTS - len(shape) :]
            yield tuple(fills[row] for fills, row in zip(offers, chosen, strict=True)), which
            count += 1
            if count == MOST_RECIPES:
                return


def _shares(count: int, room: Sequence[tuple[int, int]]) -> tuple[int, ...] | None:
    """Share `count` groups among slots of (linkers, places on each), as evenly as whole numbers allow."""
    places = sum(n * p for n, p in room)
    if count > places:
        return None
    share = [min(p, round(count * p / places)) for _, p in room]
    for _ in range(2 * len(room) * max((p for _, p in room), default=1)):
        left = count - sum(n * k for (n, _), k in zip(room, share, strict=True))
        if not left:
            return tuple(share)
        step = 1 if left > 0 else -1
        able = [s for s, (n, p) in enumerate(room) if n <= abs(left) and 0 <= share[s] + step <= p]
        if not able:
            return None
        best = min(able, key=lambda s: step * (share[s] + step / 2) / max(room[s][1], 1))
        share[best] += step
    return None
