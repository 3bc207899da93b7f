"""Laying parts of one graph on top of each other: which atom stands for which, and how far they are apart."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import factorial, prod

import numpy as np
from numpy.typing import NDArray

from xtal.crystals.parts.identity import colours
from xtal.crystals.parts.part import Part

MOST_MAPPINGS = 256  # ways to map a symmetric part that are tried; an octahedral node has 48
MOST_STEPS = 20_000  # of the search for them
MOST_SWAPS = 16  # orders of hydrogens and the like that are tried one by one; more are settled by their distances
REFINED = 8  # best mappings whose ends are settled
HYDROGEN_WEIGHT = 0.1  # in a superposition: X-rays hardly see where they are


@dataclass(frozen=True, eq=False)
class Match:
    """How a part lies best on a reference.

    Attributes:
        order: (n,) row of the part that stands for each atom of the reference.
        rmsd: Å, hydrogens weighted by `HYDROGEN_WEIGHT`.
        mirrored: whether its mirror image lies better than the part itself.
    """

    order: NDArray[np.int64]
    rmsd: float
    mirrored: bool


def best_match(reference: Part, part: Part, mirror: bool = True) -> Match | None:
    """Lay a part, or its mirror image, on a reference of the same graph; None when the graphs differ."""
    found = mappings(reference, part)
    if not len(found):
        return None
    weights = np.where(reference.numbers == 1, HYDROGEN_WEIGHT, 1.0)
    ends = _end_groups(reference)
    best = None
    for sign in (1, -1) if mirror else (1,):
        position = sign * part.position
        rotation, rmsd = superpose(reference.position, position[found], weights)
        if prod(factorial(len(group)) for group in ends) > MOST_SWAPS:
            chosen = np.argsort(rmsd, kind="stable")[:REFINED]
            found_here = _settled(reference, position, found[chosen], rotation[chosen], ends)
            _, rmsd = superpose(reference.position, position[found_here], weights)
        else:
            found_here = found
        row = int(rmsd.argmin())
        if best is None or rmsd[row] < best.rmsd - 1e-6:
            best = Match(found_here[row], float(rmsd[row]), sign < 0)
    return best


def superpose(
    reference: NDArray[np.float64], moving: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return rotations R (M, 3, 3) and rmsd (M,) in Å of ``moving @ R.T`` (M, n, 3) on the reference (n, 3).

    Both are brought to their weighted centres first (Kabsch, 1976).
    """
    weights = weights / weights.sum()
    a, b = reference - weights @ reference, moving - np.einsum("n,mni->mi", weights, moving)[:, None]
    left, size, right = np.linalg.svd(np.einsum("n,ni,mnj->mij", weights, a, b))
    size[:, 2] *= (turn := np.sign(np.linalg.det(left @ right)))
    left[:, :, 2] *= turn[:, None]
    squared = weights @ (a**2).sum(1) + np.einsum("n,mni->m", weights, b**2) - 2 * size.sum(1)
    return left @ right, np.sqrt(np.maximum(squared, 0))


def mappings(reference: Part, part: Part) -> NDArray[np.int64]:
    """Return (M, n) rows of the part for the atoms of the reference, under which elements and bonds are the same.

    At most `MOST_MAPPINGS` are found. Where ends that are alike (hydrogens of a methyl group) could be swapped in more
    than `MOST_SWAPS` ways, they are in one arbitrary order.
    """
    plain = np.zeros(len(reference), dtype=bool)
    if len(reference) != len(part) or len(reference.bonds) != len(part.bonds):
        return np.empty((0, len(reference)), dtype=np.int64)
    own, other = (colours(p.numbers, p.bonds, plain) for p in (reference, part))
    if (np.sort(own) != np.sort(other)).any():
        return np.empty((0, len(reference)), dtype=np.int64)
    groups = _end_groups(reference)
    free = prod(factorial(len(group)) for group in groups) <= MOST_SWAPS
    fixed = frozenset() if free else frozenset(atom for group in groups for atom in group)
    search = _isomorphisms(neighbours(reference), neighbours(part), own, other, fixed)
    return np.array(list(islice(search, MOST_MAPPINGS)), dtype=np.int64).reshape(-1, len(reference))


def neighbours(part: Part) -> list[list[int]]:
    """Return the atoms bonded to each atom."""
    near: list[list[int]] = [[] for _ in part.numbers]
    for i, j in part.bonds.tolist():
        near[i].append(j)
        near[j].append(i)
    return near


def _end_groups(part: Part) -> list[list[int]]:
    """Return ends (atoms of one bond) of one element at one atom, where that has several and is not alone with them."""
    near, groups = neighbours(part), defaultdict(list)
    for atom, around in enumerate(near):
        if len(around) == 1 and sum(len(near[k]) > 1 for k in near[around[0]]):
            groups[around[0], int(part.numbers[atom])].append(atom)
    return [group for group in groups.values() if len(group) > 1]


def _isomorphisms(
    near: list[list[int]],
    other_near: list[list[int]],
    colour: NDArray[np.uint64],
    other_colour: NDArray[np.uint64],
    fixed: frozenset[int],
) -> Iterator[list[int]]:
    """Yield images of all atoms, depth first; atoms in `fixed` take the first image that fits and no other."""
    order, parent = _walk(near, colour)
    of_colour = defaultdict(list)
    for atom, value in enumerate(other_colour.tolist()):
        of_colour[value].append(atom)
    others, image, used = [set(around) for around in other_near], [-1] * len(near), [False] * len(near)

    def choices(depth: int) -> Iterator[int]:
        """Yield free atoms that may stand for the next one."""
        atom = order[depth]
        bonded = [image[k] for k in near[atom] if image[k] >= 0]
        offered = other_near[image[parent[depth]]] if parent[depth] >= 0 else of_colour[int(colour[atom])]
        for choice in offered:
            if not used[choice] and other_colour[choice] == colour[atom] and all(b in others[choice] for b in bonded):
                yield choice
                if atom in fixed:
                    return

    stack, steps = [choices(0)], 0
    while stack and steps < MOST_STEPS:
        steps += 1
        atom = order[len(stack) - 1]
        if image[atom] >= 0:
            used[image[atom]], image[atom] = False, -1
        choice = next(stack[-1], None)
        if choice is None:
            stack.pop()
            continue
        image[atom], used[choice] = choice, True
        if len(stack) == len(order):
            yield image.copy()
        else:
            stack.append(choices(len(stack)))


def _walk(near: list[list[int]], colour: NDArray[np.uint64]) -> tuple[list[int], list[int]]:
    """Return all atoms in an order in which each follows one that it is bonded to, and that one (-1: none)."""
    _, inverse, count = np.unique(colour, return_inverse=True, return_counts=True)
    order, parent, seen = list[int](), list[int](), [False] * len(near)
    for start in np.argsort(count[inverse], kind="stable").tolist():
        if seen[start]:
            continue
        seen[start] = True
        first = len(order)
        order.append(start)
        parent.append(-1)
        for atom in islice(order, first, None):  # grows while it is walked through
            for other in near[atom]:
                if not seen[other]:
                    seen[other] = True
                    order.append(other)
                    parent.append(atom)
    return order, parent


def _settled(
    reference: Part,
    position: NDArray[np.float64],
    found: NDArray[np.int64],
    rotation: NDArray[np.float64],
    ends: list[list[int]],
) -> NDArray[np.int64]:
    """Return the mappings (M, n) with alike ends in the order in which they lie nearest to the reference's."""
    from scipy.optimize import linear_sum_assignment

    settled = found.copy()
    core = np.ones(len(reference), dtype=bool)
    core[[atom for group in ends for atom in group]] = False
    if core.sum() >= 3:  # the ends themselves are in no order yet
        rotation, _ = superpose(reference.position[core], position[found[:, core]], np.ones(core.sum()))
    for row, (order, turn) in enumerate(zip(found, rotation, strict=True)):
        placed = (position - position[order[core]].mean(0)) @ turn.T + reference.position[core].mean(0)
        for group in ends:
            apart = ((reference.position[group][:, None] - placed[order[group]]) ** 2).sum(-1)
            settled[row, group] = order[group][linear_sum_assignment(apart)[1]]
    return settled
