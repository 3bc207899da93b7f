"""Put other linkers into a framework.

The cell is stretched by the difference in length, ``lattice' = lattice @ F``; nodes and the linkers that stay are moved
as they are, and each new core is turned and shifted until its grips lie on those that the old one had.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from operator import itemgetter

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import polar
from scipy.optimize import linear_sum_assignment
from scipy.spatial.transform import Rotation

from xtal.crystals import Crystal
from xtal.crystals.linkers import Framework, Linker

LOOSE = 0.1  # weight of the old cell beside the lengths of the linkers
MISFIT = 0.8  # Å rms between old and new grips at most
AS_GOOD = 0.3  # Å rms worse than the best: another way to put a linker in
MOST_WAYS = 4  # to put a linker in
SAME_PLACE = 0.3  # Å between the atoms of two ways that are one
OUTWARD = 3.0  # Å from the grips of a linker of one end to where its direction is compared
TURNS = Rotation.create_group("O").as_matrix()  # (24, 3, 3) of a cube


def exchanged(host: Framework, linkers: Mapping[int, Linker]) -> list[Crystal]:
    """Replace each linker of the kinds given; return a crystal for every way to put the new ones in, the best first.

    There is none where the grips differ too much in shape.
    """
    stretch = _stretch(host, linkers)
    lattice = host.crystal.lattice @ stretch
    place, cell = _moved(host, stretch)
    old = [linker for linker in host.linkers if linker.kind in linkers]
    kept = np.ones(len(host.crystal), dtype=bool)
    ways = []
    for linker in old:
        kept[linker.atoms[linker.core]] = False
        at = place[linker.atoms] + (linker.cell - cell[linker.atoms]) @ lattice
        ways.append(list(_ways(linker, at, linkers[linker.kind])))
    cores = [linkers[linker.kind].numbers[linkers[linker.kind].core] for linker in old]
    numbers = np.concatenate([host.crystal.numbers[kept], *cores])
    return [
        Crystal(lattice, np.concatenate([place[kept], *chosen]) @ np.linalg.inv(lattice), numbers)
        for chosen in _choices([linker.kind for linker in old], list(linkers), ways)
    ]


def _choices(kind: Sequence[int], kinds: Sequence[int], ways: Sequence[list[NDArray]]) -> Iterator[list[NDArray]]:
    """Choose a way for every kind, the same for all its linkers; the best ones first."""
    counts = [min(len(way) for k, way in zip(kind, ways, strict=True) if k == one) for one in kinds]
    for turn in sorted(product(*map(range, counts)), key=sum):
        chosen = dict(zip(kinds, turn, strict=True))
        yield [way[chosen[k]] for k, way in zip(kind, ways, strict=True)]


def _stretch(host: Framework, linkers: Mapping[int, Linker]) -> NDArray[np.float64]:
    """(3, 3) F, least squares of ``Σ |arm F - arm'|² + LOOSE² |lattice (F - 1)|²`` over the arms of all linkers.

    An arm leads from the middle of a linker's nodes to one of them; an exchange changes its length.
    """
    before, after = [LOOSE * host.crystal.lattice], [LOOSE * host.crystal.lattice]
    for linker in host.linkers:
        arms = linker.node - linker.node.mean(axis=0)
        length = np.linalg.norm(arms, axis=1, keepdims=True)
        if len(arms) < 2 or length.min() < 1:  # an end that is held from both sides tells nothing
            continue
        new = linkers.get(linker.kind, linker)
        longer = _arm(new) - _arm(linker)
        before.append(arms)
        after.append(arms * (1 + longer / length))
    return np.linalg.lstsq(np.concatenate(before), np.concatenate(after), rcond=None)[0]


def _arm(linker: Linker) -> float:
    """Mean distance (Å) of a linker's nodes from their middle."""
    return float(np.linalg.norm(linker.node - linker.node.mean(axis=0), axis=1).mean())


def _moved(host: Framework, stretch: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Move the bodies of a framework into the stretched cell; return places (N, 3) Å, and the cells these lie in."""
    crystal, turn = host.crystal, polar(stretch)[0]
    place, cell = np.empty((len(crystal), 3)), np.empty((len(crystal), 3), dtype=np.int64)
    for body in host.bodies:
        position = (crystal.frac_coords[body.atoms] + body.cell) @ crystal.lattice
        middle = position.mean(axis=0)
        cell[body.atoms] = body.cell
        place[body.atoms] = position @ stretch if body.endless else middle @ stretch + (position - middle) @ turn
    return place, cell


def _ways(old: Linker, at: NDArray[np.float64], new: Linker) -> Iterator[NDArray[np.float64]]:
    """Yield places (C, 3) Å of a linker's core, one for each way it fits where the old one's atoms would be `at`."""
    target, numbers = _grips(old, at)
    grips, new_numbers = _grips(new, new.position)
    turns = _frame(grips).T @ TURNS @ _frame(target)
    fits = sorted((_fitted(grips, new_numbers, target, numbers, turn) for turn in turns), key=itemgetter(0))
    found: list[NDArray[np.float64]] = []
    core, elements = new.position[new.core], new.numbers[new.core]
    for misfit, rotation, shift in fits:
        if misfit > min(MISFIT, fits[0][0] + AS_GOOD) or len(found) == MOST_WAYS:
            return
        places = core @ rotation + shift
        if not any(_same(places, other, elements) for other in found):
            found.append(places)
            yield places


def _grips(linker: Linker, position: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.integer]]:
    """Places (G, 3) and numbers of grips; of a linker with one end also a point 0 in the direction of its core."""
    grips, numbers = position[~linker.core], linker.numbers[~linker.core].astype(np.int64)
    if len(linker.node) > 1:
        return grips, numbers
    middle = grips.mean(axis=0)
    out = position[linker.core].mean(axis=0) - middle
    out *= OUTWARD / max(float(np.linalg.norm(out)), 1e-9)
    return np.vstack([grips, middle + out]), np.append(numbers, 0)


def _frame(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 3) principal axes of points as the rows of a rotation."""
    axes = np.linalg.svd(points - points.mean(axis=0))[2]
    return axes * [[1], [1], [np.linalg.det(axes)]]


def _fitted(
    points: NDArray, numbers: NDArray, target: NDArray, target_numbers: NDArray, rotation: NDArray
) -> tuple[float, NDArray, NDArray]:
    """Lay points on those of a target with the same elements, beginning with a rotation: misfit, rotation and shift."""
    forbidden = 1e6 * (numbers[:, None] != target_numbers)
    start, end = points.mean(axis=0), target.mean(axis=0)
    here, there = points - start, target - end
    for _ in range(2):
        squares = np.square((here @ rotation)[:, None] - there).sum(axis=2)
        order = linear_sum_assignment(squares + forbidden)[1]
        rotation = _kabsch(here, there[order])
    misfit = np.sqrt(np.square(here @ rotation - there[order]).sum(axis=1).mean())
    return float(misfit), rotation, end - start @ rotation


def _kabsch(here: NDArray[np.float64], there: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 3) rotation R that minimises ``Σ |here R - there|²`` (Kabsch, 1976)."""
    left, _, right = np.linalg.svd(here.T @ there)
    return left * [1, 1, np.linalg.det(left @ right)] @ right


def _same(places: NDArray[np.float64], other: NDArray[np.float64], numbers: NDArray) -> bool:
    """Whether every atom (C, 3) lies on one of its element."""
    apart = np.linalg.norm(places[:, None] - other, axis=2) + 1e6 * (numbers[:, None] != numbers)
    return bool(apart.min(axis=1).max(initial=0) < SAME_PLACE)
