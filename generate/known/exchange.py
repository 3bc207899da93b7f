"""Put other linkers into a framework.

Each new linker is turned until its ends look as those of the old one did, whatever lies between them. Then nodes and
cell are moved until the nodes lie to each other as those that the new linkers had. With the middle x of a node, the
lattice L and, for each end of a linker, its node, the whole cells s that this is away and the place o of what it binds,

    (x' + s L + o)_end - (x' + s L + o)_first end = arm'_end - arm'_first end

in least squares, held weakly where no linker says anything. Nodes keep their shape; the linkers are put between them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.transform import Rotation

from xtal.crystals import Crystal
from xtal.crystals.linkers import Framework, Linker

LOOSE = 0.05  # weight of the old cell and places beside the arms of the linkers
MISFIT = 0.8  # Å rms between old and new ends at most
AS_GOOD = 0.3  # Å rms worse than the best: another way to put a linker in
MOST_WAYS = 4  # to put a linker in
MOST_PLANS = 16  # for the same linkers
MOST_ENDS = 4  # of linkers that are exchanged
SAME_PLACE = 0.3  # Å between the atoms of two ways that are one
OUTWARD = 3.0  # Å from the donors of a linker of one end to where its direction is compared
NODE = 1.5  # Å from the donors of an end to where the direction of its node is compared
AXIS = 0.05  # weight of the turn begun with, about an axis that the ends leave free
TURNS = Rotation.create_group("O").as_matrix()  # (24, 3, 3) of a cube


@dataclass(frozen=True, eq=False)
class Way:
    """One way to put a linker in the place of another.

    Attributes:
        misfit: Å rms between the ends.
        rotation: (3, 3) of the new linker, ``position @ rotation``.
        arms: (E, 3) Å, the nodes of the new linker when it is turned, in the order of the old one's ends.
    """

    misfit: float
    rotation: NDArray[np.float64]
    arms: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Plan:
    """How a framework gets other linkers.

    Attributes:
        host: the framework.
        ways: for each row of its linkers that is replaced.
        lattice: (3, 3) Å of what is built.
        middle: (B, 3) Å of the bodies there.
    """

    host: Framework
    ways: Mapping[int, Way]
    lattice: NDArray[np.float64]
    middle: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class _Ends:
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
    ends, middle = _held(host)
    for turn in sorted(product(*turns), key=sum)[:MOST_PLANS]:
        picked = zip(turn, fills, found, strict=True)
        chosen = {row: places[n][k] for k, (rows, _), places in picked for n, row in enumerate(rows)}
        arms = [chosen[row].arms if row in chosen else None for row in range(len(host.linkers))]
        made.append(Plan(host, chosen, *_settled(host.crystal.lattice, middle, ends, arms)))
    return made


def _held(host: Framework) -> tuple[list[_Ends], NDArray[np.float64]]:
    """What the ends of each linker hold, and the middles (B, 3) Å of bodies."""
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
        found.append(_Ends(row, away, offset, int(body[inner]), linker.cell[own] - cell[inner]))
    return found, middle


def _settled(
    lattice: NDArray[np.float64],
    middle: NDArray[np.float64],
    ends: Sequence[_Ends],
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
    crystal, ends = host.crystal, _held(host)[0]
    strain = np.linalg.inv(crystal.lattice) @ lattice
    place = np.empty((len(crystal), 3))
    for body, middle in zip(host.bodies, plan.middle, strict=True):
        position = (crystal.frac_coords[body.atoms] + body.cell) @ crystal.lattice
        position -= position.mean(axis=0)
        place[body.atoms] = middle + (position @ strain if body.endless else position)
    kept = np.ones(len(crystal), dtype=bool)
    placed, numbers = [], []
    for row, new in linkers.items():
        way, held = plan.ways[row], ends[row]
        kept[host.linkers[row].atoms] = False
        node = plan.middle[held.body] + held.cell @ lattice + held.offset
        placed.append(new.position @ way.rotation + (node - way.arms).mean(axis=0))
        numbers.append(new.numbers)
    where = np.concatenate([place[kept], *placed])
    return Crystal(lattice, where @ np.linalg.inv(lattice), np.concatenate([crystal.numbers[kept], *numbers]))


def ways(old: Linker, new: Linker) -> list[Way]:
    """Ways to turn a linker so that its ends look like those of an old one, the best first."""
    ends = len(old.node)
    if ends != len(new.node) or ends > MOST_ENDS:
        return []
    start = _frame(new).T @ TURNS @ _frame(old)
    tried = [way for order in permutations(range(ends)) for way in _turned(old, new, order, start)]
    best = min((way.misfit for way in tried), default=0.0)
    usable = [way for way in tried if way.misfit <= min(MISFIT, best + AS_GOOD)]
    found: list[Way] = []
    for way in sorted(usable, key=lambda way: (round(way.misfit, 1), _moved(old, new, way))):
        if not any(_same(new, way, other) for other in found):
            found.append(way)
    return found[:MOST_WAYS]


def _moved(old: Linker, new: Linker, way: Way) -> float:
    """Mean distance (Å) of a linker's atoms, put in by a way, from the nearest ones of the old linker."""
    position = new.position @ way.rotation + (old.node - way.arms).mean(axis=0)
    return float(np.linalg.norm(position[:, None] - old.position, axis=2).min(axis=1).mean())


def _middles(linker: Linker, position: NDArray[np.float64]) -> NDArray[np.float64]:
    """(E, 3) middle of the donors of each end, its atoms being at `position` (n, 3)."""
    return np.array([position[linker.bound & (linker.end == end)].mean(axis=0) for end in range(len(linker.node))])


def _looks(linker: Linker, end: int, known: bool) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Places (G, 3) of an end's donors about their middle, of their neighbours if `known`, of the node; and numbers."""
    donors = linker.position[linker.bound & (linker.end == end)].mean(axis=0)
    mine = (linker.end == end) & (linker.bound | known)
    out = linker.node[end] - donors
    points = [linker.position[mine] - donors, NODE * out[None] / max(float(np.linalg.norm(out)), 1e-9)]
    numbers = [linker.numbers[mine].astype(np.int64), np.zeros(1, np.int64)]
    if len(linker.node) == 1:
        along = linker.position[linker.core].mean(axis=0) - donors
        points.append(OUTWARD * along[None] / max(float(np.linalg.norm(along)), 1e-9))
        numbers.append(np.full(1, -1))
    return np.concatenate(points), np.concatenate(numbers)


def _turned(old: Linker, new: Linker, order: Sequence[int], starts: NDArray[np.float64]) -> Iterator[Way]:
    """Turn a linker, beginning with rotations (R, 3, 3), so that its ends look like those of the old one, in order."""
    here, there, cost = [], [], []
    for k, target in enumerate(order):
        mine, theirs = (sorted(x.numbers[(x.end == e) & ~x.bound].tolist()) for x, e in ((new, k), (old, target)))
        points, numbers = _looks(new, k, mine == theirs)
        at, at_numbers = _looks(old, target, mine == theirs)
        if sorted(numbers.tolist()) != sorted(at_numbers.tolist()):
            return
        here.append(points)
        there.append(at)
        cost.append(1e6 * (numbers[:, None] != at_numbers))
    start, back, seen = np.concatenate(here), np.argsort(order), set[bytes]()
    for rotation in starts:
        for _ in range(2):
            pairs = [
                linear_sum_assignment(c - 2 * (a @ rotation) @ b.T)[1]
                for a, b, c in zip(here, there, cost, strict=True)
            ]
            end = np.concatenate([b[rows] for b, rows in zip(there, pairs, strict=True)])
            rotation = _kabsch(start.T @ end + AXIS * rotation)
        key = np.round(rotation, 1).tobytes()
        if key in seen:
            continue
        seen.add(key)
        misfit = float(np.sqrt(np.square(start @ rotation - end).sum(axis=1).mean()))
        yield Way(misfit, rotation, (new.node @ rotation)[back])


def _frame(linker: Linker) -> NDArray[np.float64]:
    """(3, 3) principal axes of a linker's grips and nodes as the rows of a rotation."""
    points = np.concatenate([linker.position[~linker.core], linker.node])
    axes = np.linalg.svd(points - points.mean(axis=0))[2]
    return axes * [[1], [1], [np.linalg.det(axes)]]


def _kabsch(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 3) rotation R that minimises ``Σ |here R - there|²``, of ``hereᵀ there`` (Kabsch, 1976)."""
    left, _, right = np.linalg.svd(covariance)
    return left * [1, 1, np.linalg.det(left @ right)] @ right


def _same(linker: Linker, way: Way, other: Way) -> bool:
    """Whether every atom lies on one of its element."""
    centred = linker.position - linker.position.mean(axis=0)
    apart = np.linalg.norm((centred @ way.rotation)[:, None] - centred @ other.rotation, axis=2)
    apart += 1e6 * (linker.numbers[:, None] != linker.numbers)
    return bool(apart.min(axis=1).max(initial=0) < SAME_PLACE)
