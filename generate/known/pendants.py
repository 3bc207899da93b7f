"""Functional groups of linkers: taken off, and put on.

A pendant hangs on one carbon of a linker by one bond and leads to no grip: hydrogen, or a group. A bare linker has
hydrogen in the place of each group; a dressed one has groups in the place of hydrogen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from generate.parts.groups import GROUPS, geometry
from xtal.crystals.linkers import CARBON, Linker, kind_of

HYDROGEN = 1
C_H = 1.08  # Å
LARGEST = 16  # atoms of a group: benzyl with something on it
USUAL = (*GROUPS, "N=N")
TURNS = 12  # about the bond of a group, of which the roomiest is taken


@dataclass(frozen=True, eq=False)
class Group:
    """Atoms that may take the place of a hydrogen, the first of them bonded to the carbon.

    Attributes:
        numbers: (n,) atomic numbers.
        position: (n, 3) Å from that carbon, the bond along +z.
        bonds: (B, 2) between them, both ways.
        key: the same for groups of the same bonds.
    """

    numbers: NDArray[np.uint8]
    position: NDArray[np.float64]
    bonds: NDArray[np.int64]
    key: int


@dataclass(frozen=True, eq=False)
class Bare:
    """A linker without its groups.

    Attributes:
        linker: with hydrogen wherever a group was.
        places: (P, 2) rows of a carbon and of the hydrogen on it.
        groups: what it had on.
    """

    linker: Linker
    places: NDArray[np.int64]
    groups: tuple[Group, ...]


@cache
def usual_groups() -> tuple[Group, ...]:
    """Return the groups that chemists, and those who assemble frameworks by rule, put on linkers most often."""
    made = []
    for text in USUAL:
        numbers, place, once = geometry(text)
        bonds = np.concatenate([once, once[:, ::-1]]).astype(np.int64).reshape(-1, 2)
        key = kind_of(numbers, np.arange(len(numbers)) == 0, bonds)
        made.append(Group(numbers, place[:, [1, 2, 0]], bonds, key))
    return tuple(made)


def bare(linker: Linker) -> Bare:
    """Take the groups off a linker."""
    found = _pendants(linker)
    on = [(anchor, atoms) for anchor, atoms in found if linker.numbers[anchor] == CARBON and len(atoms) <= LARGEST]
    groups = [
        (anchor, atoms) for anchor, atoms in on if linker.numbers[atoms[0]] != HYDROGEN and _single(linker, atoms)
    ]
    gone = np.zeros(len(linker.numbers), dtype=bool)
    numbers, position = linker.numbers.copy(), linker.position.copy()
    for anchor, atoms in groups:
        gone[atoms[1:]] = True
        bond = position[atoms[0]] - position[anchor]
        position[atoms[0]] = position[anchor] + C_H * bond / np.linalg.norm(bond)
        numbers[atoms[0]] = HYDROGEN
    whole = replace(linker, numbers=numbers, position=position)
    rows = np.cumsum(~gone) - 1
    taken = {atoms[0] for _, atoms in groups}
    places = [(rows[a], rows[atoms[0]]) for a, atoms in on if atoms[0] in taken or linker.numbers[atoms[0]] == HYDROGEN]
    stripped = _taken(whole, ~gone)
    return Bare(
        replace(stripped, kind=stripped.hashed()),
        np.array(places, dtype=np.int64).reshape(-1, 2),
        tuple(_group(linker, anchor, atoms) for anchor, atoms in groups),
    )


def dressed(naked: Bare, groups: Mapping[int, Group]) -> Linker:
    """Put groups on the places of a bare linker, by the number of the place; each is turned to where there is room."""
    if not groups:
        return naked.linker
    linker = naked.linker
    numbers, position, bonds = [linker.numbers], [linker.position], [linker.bonds]
    gone = np.zeros(len(linker.numbers), dtype=bool)
    gone[naked.places[list(groups), 1]] = True
    total = len(linker.numbers)
    for place, group in sorted(groups.items()):
        anchor, hydrogen = naked.places[place]
        there = np.concatenate(position)[np.pad(~gone, (0, total - len(gone)), constant_values=True)]
        added = _roomiest(linker.position[anchor], linker.position[hydrogen], group, there)
        numbers.append(group.numbers)
        position.append(added)
        bonds += [group.bonds + total, np.array([[anchor, total], [total, anchor]])]
        total += len(added)
    extra = total - len(gone)
    whole = replace(
        linker,
        atoms=np.arange(total),
        cell=np.zeros((total, 3), dtype=np.int64),
        numbers=np.concatenate(numbers),
        position=np.concatenate(position),
        end=np.append(linker.end, np.full(extra, -1)),
        bonds=np.concatenate(bonds),
        bound=np.append(linker.bound, np.zeros(extra, dtype=bool)),
    )
    kept = _taken(whole, np.append(~gone, np.ones(extra, dtype=bool)))
    return replace(kept, kind=kept.hashed())


def _pendants(linker: Linker) -> list[tuple[int, list[int]]]:
    """Return each pendant as the row that it hangs on and its own rows, its first atom first; the largest ones."""
    near: list[list[int]] = [[] for _ in linker.numbers]
    for i, j in linker.bonds.tolist():
        near[i].append(j)
    grip = (~linker.core).tolist()
    found, inside = [], set[int]()
    for anchor, around in enumerate(near):
        for first in around:
            atoms = _beyond(near, grip, anchor, first)
            if atoms:
                found.append((anchor, atoms))
                inside.update(atoms)
    return [(anchor, atoms) for anchor, atoms in found if anchor not in inside]


def _beyond(near: Sequence[Sequence[int]], grip: Sequence[bool], anchor: int, first: int) -> list[int]:
    """Rows beyond the bond from `anchor` to `first`; none where these lead to a grip or back."""
    seen, atoms = {anchor, first}, [first]
    if grip[first]:
        return []
    for atom in atoms:  # grows while it is walked through
        for other in near[atom]:
            if other == anchor and atom != first:
                return []
            if other not in seen:
                if grip[other]:
                    return []
                seen.add(other)
                atoms.append(other)
    return atoms


def _single(linker: Linker, atoms: Sequence[int]) -> bool:
    """Whether a group hangs on a single bond, as far as its first atom tells: =O and =N have nothing else on them."""
    return len(atoms) > 1 or linker.numbers[atoms[0]] not in (7, 8, 16)


def _group(linker: Linker, anchor: int, atoms: Sequence[int]) -> Group:
    """Cut a group out, its bond turned to +z."""
    row = np.full(len(linker.numbers), -1)
    row[atoms] = np.arange(len(atoms))
    pairs = row[linker.bonds]
    pairs = pairs[(pairs >= 0).all(axis=1)]
    position = linker.position[atoms] - linker.position[anchor]
    numbers = linker.numbers[atoms]
    alone = replace(linker, numbers=numbers, bonds=pairs, bound=np.arange(len(atoms)) == 0, end=np.full(len(atoms), -1))
    return Group(numbers, position @ onto(position[0], np.array([0.0, 0, 1])), pairs, alone.hashed())


def _roomiest(
    anchor: NDArray[np.float64], hydrogen: NDArray[np.float64], group: Group, there: NDArray[np.float64]
) -> NDArray[np.float64]:
    """(n, 3) places of a group on the bond from carbon to hydrogen, turned about it to where others are farthest."""
    rotation = onto(np.array([0.0, 0, 1]), hydrogen - anchor)
    ways = range(TURNS if len(group.numbers) > 1 else 1)
    turns = [Rotation.from_rotvec([0, 0, 2 * np.pi * k / TURNS]).as_matrix() for k in ways]
    tried = [anchor + group.position @ turn @ rotation for turn in turns]
    room = [np.linalg.norm(places[1:, None] - there, axis=2).min(initial=9.0) for places in tried]
    return tried[int(np.argmax(room))]


def onto(start: NDArray[np.float64], end: NDArray[np.float64]) -> NDArray[np.float64]:
    """(3, 3) rotation R with ``start R`` along `end`."""
    one, two = start / np.linalg.norm(start), end / np.linalg.norm(end)
    axis, cosine = np.cross(one, two), float(one @ two)
    if cosine < -0.9999:
        across = np.eye(3)[np.argmin(np.abs(one))]
        return Rotation.from_rotvec(np.pi * _unit(np.cross(one, across))).as_matrix().T
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return (np.eye(3) + cross + cross @ cross / (1 + cosine)).T


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / np.linalg.norm(vector)


def _taken(linker: Linker, kept: NDArray[np.bool_]) -> Linker:
    """Return a linker without some of its atoms."""
    row = np.cumsum(kept) - 1
    return replace(
        linker,
        atoms=linker.atoms[kept],
        cell=linker.cell[kept],
        numbers=linker.numbers[kept],
        position=linker.position[kept],
        end=linker.end[kept],
        bonds=row[linker.bonds[kept[linker.bonds].all(axis=1)]],
        bound=linker.bound[kept],
    )
