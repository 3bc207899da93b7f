"""Ways to put a linker in the place of another: turned until its ends look as those of the old one did.

Whatever lies between the ends does not count.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.transform import Rotation

from generate.known.pendants import onto
from xtal.crystals.linkers import Linker

MISFIT = 0.8  # Å rms between old and new ends at most
AS_GOOD = 0.3  # Å rms worse than the best: another way to put a linker in
MOST_WAYS = 4  # to put a linker in
MOST_ENDS = 4  # of linkers that are exchanged
OUTWARD = 3.0  # Å from the donors of a linker of one end to where its direction is compared
NODE = 1.5  # Å from the donors of an end to where the direction of its node is compared
AXIS = 0.05  # weight of the turn begun with, about an axis that the ends leave free
ABOUT = 8  # turns about the axis of a linker of two ends that are begun with
SHORT = 1.0  # Å between two ends that make no axis
TURNS = Rotation.create_group("O").as_matrix()  # (24, 3, 3) of a cube
STRAIGHT = np.cos(np.radians(20))  # of the angle between a linker's axis and the bonds that its ends hang on
LEAST_TWIST = np.radians(10)
SAME_PLACE = 0.3  # Å between the atoms of two ways that are one


@dataclass(frozen=True, eq=False)
class Way:
    """One way to put a linker in the place of another.

    Attributes:
        misfit: Å rms between the ends.
        rotation: (3, 3) of the new linker, ``position @ rotation``.
        arms: (E, 3) Å, the nodes of the new linker when it is turned, in the order of the old one's ends.
        twist: rad, by which the new linker is `twisted` before that.
    """

    misfit: float
    rotation: NDArray[np.float64]
    arms: NDArray[np.float64]
    twist: float = 0.0


def ways(old: Linker, new: Linker) -> list[Way]:
    """Ways to turn a linker, and to twist it if it is straight, so that its ends look like an old one's; best first."""
    ends = len(old.node)
    if ends != len(new.node) or ends > MOST_ENDS:
        return []
    twist = _twist(old, new)
    new = twisted(new, twist)
    orders = permutations(range(ends))
    tried = [way for order in orders for way in _turned(old, new, order, _begun(old, new, order))]
    best = min((way.misfit for way in tried), default=0.0)
    usable = [way for way in tried if way.misfit <= min(MISFIT, best + AS_GOOD)]
    found: list[Way] = []
    for way in sorted(usable, key=lambda way: (round(way.misfit, 1), _moved(old, new, way))):
        if not any(_same(new, way, other) for other in found):
            found.append(way)
    return [replace(way, twist=twist) for way in found[:MOST_WAYS]]


def twisted(linker: Linker, angle: float) -> Linker:
    """Turn what grips the second end of a linker about the bond that it hangs on, by an angle (rad)."""
    hinge = _hinge(linker, 1) if angle else None
    if hinge is None:
        return linker
    at, along = hinge
    position, mine = linker.position.copy(), linker.end == 1
    position[mine] = at + Rotation.from_rotvec(angle * along).apply(position[mine] - at)
    return replace(linker, position=position)


def _twist(old: Linker, new: Linker) -> float:
    """Angle (rad) that a straight linker of two carboxylates is twisted by to be as the old one; 0 for others."""
    wanted, found = _dihedral(old), _dihedral(new)
    if wanted is None or found is None:
        return 0.0
    angle = float((wanted - found + np.pi / 2) % np.pi - np.pi / 2)
    return angle if abs(angle) > LEAST_TWIST else 0.0


def _dihedral(linker: Linker) -> float | None:
    """Angle (rad, modulo π) between the planes of the ends of a straight linker, seen along it; None for others."""
    if len(linker.node) != 2:
        return None
    here, there = _hinge(linker, 0), _hinge(linker, 1)
    if here is None or there is None:
        return None
    (first, back), (last, along) = here, there
    axis = last - first
    axis /= max(float(np.linalg.norm(axis)), 1e-9)
    if min(-back @ axis, along @ axis) < STRAIGHT:
        return None
    one, two = (np.diff(linker.position[linker.bound & (linker.end == end)], axis=0)[0] for end in range(2))
    return float(np.arctan2(np.cross(one, two) @ axis, one @ two - (one @ axis) * (two @ axis)))


def _hinge(linker: Linker, end: int) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Place (3,) Å of what two donors of an end hang on, and the unit vector (3,) to it along its only other bond."""
    mine = linker.end == end
    clasp, donors = np.flatnonzero(mine & ~linker.bound), mine & linker.bound
    if len(clasp) != 1 or donors.sum() != 2:
        return None
    near = linker.bonds[linker.bonds[:, 0] == clasp[0], 1]
    inner = near[linker.core[near]]
    if len(inner) != 1:
        return None
    at = linker.position[clasp[0]]
    along = at - linker.position[inner[0]]
    return at, along / np.linalg.norm(along)


def _begun(old: Linker, new: Linker, order: Sequence[int]) -> NDArray[np.float64]:
    """(R, 3, 3) rotations to begin with: of two ends those that lay axis on axis, else those of a cube."""
    if len(order) != 2:
        return np.asarray(_frame(new).T @ TURNS @ _frame(old))
    along, target = new.node[1] - new.node[0], old.node[order[1]] - old.node[order[0]]
    if min(np.linalg.norm(along), np.linalg.norm(target)) < SHORT:
        return np.asarray(_frame(new).T @ TURNS @ _frame(old))
    axis = target / np.linalg.norm(target)
    about = Rotation.from_rotvec(axis * np.linspace(0, 2 * np.pi, ABOUT, endpoint=False)[:, None]).as_matrix()
    return np.asarray(onto(along, target) @ about.swapaxes(1, 2))


def _moved(old: Linker, new: Linker, way: Way) -> float:
    """Mean distance (Å) of a linker's atoms, put in by a way, from the nearest ones of the old linker."""
    position = new.position @ way.rotation + (old.node - way.arms).mean(axis=0)
    return float(np.linalg.norm(position[:, None] - old.position, axis=2).min(axis=1).mean())


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
