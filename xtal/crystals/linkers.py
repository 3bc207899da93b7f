"""Organic linkers of a framework and the nodes that they join.

A linker is a molecule with carbon, found by cutting all bonds to metals. Its grips are its atoms bound to metals with
their neighbours in the molecule (O-C-O of a carboxylate, C-N-C of a pyridine), the rest is its core. Atoms bound to
metals that are bonded to each other or to a common atom form one end, with their neighbours. Metals, all that is bound
to them, and what joins two of these, as the carbon of a carboxylate does, are nodes.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import gemmi
import numpy as np
from numpy.typing import NDArray

from xtal.crystals.bonds import Bonds, find_bonds
from xtal.crystals.crystal import HIGHEST_NUMBER, Crystal
from xtal.crystals.valence import within_valence

CARBON = 6
METALS = np.array([gemmi.Element(z).is_metal for z in range(HIGHEST_NUMBER + 1)])  # by atomic number
Grips = tuple[tuple[int, ...], ...]
"""Atomic numbers of the grips of each end of a linker, sorted."""

METAL = 1.9  # Å from the middle of the donors of an end to that of the metals they bind: zinc and copper carboxylates
KIND_ROUNDS = 8  # bonds over which atoms of two kinds of linkers are told apart


@dataclass(frozen=True, eq=False)
class Linker:
    """One linker of a framework, whole though it may cross cell faces.

    Attributes:
        atoms: (n,) rows of the crystal.
        cell: (n, 3) whole cells; ``position = (frac_coords[atoms] + cell) @ lattice``.
        numbers: (n,) atomic numbers.
        position: (n, 3) Å.
        bound: (n,) True for atoms bonded to metals.
        end: (n,) which end a grip belongs to, -1 for the core.
        bonds: (B, 2) rows of its atoms, both ways.
        node: (E, 3) Å, mean of the metals that each end is bound to.
        kind: the same for linkers whose atoms are bonded alike and bound to metals by the same atoms.
    """

    atoms: NDArray[np.int64]
    cell: NDArray[np.int64]
    numbers: NDArray[np.uint8]
    position: NDArray[np.float64]
    bound: NDArray[np.bool_]
    end: NDArray[np.int64]
    bonds: NDArray[np.int64]
    node: NDArray[np.float64]
    kind: int

    @property
    def core(self) -> NDArray[np.bool_]:
        """(n,) True for atoms that are no grips."""
        return self.end < 0

    def hashed(self) -> int:
        """Return what `kind` is for such atoms and bonds."""
        return kind_of(self.numbers, self.bound, self.bonds)

    @property
    def arm(self) -> float:
        """Mean distance (Å) of its nodes from their middle."""
        return float(np.linalg.norm(self.node - self.node.mean(axis=0), axis=1).mean())

    @property
    def donors(self) -> Grips:
        """Atomic numbers of what each end binds metals with: linkers of the same donors may replace each other."""
        ends = range(len(self.node))
        return tuple(sorted(tuple(sorted(self.numbers[self.bound & (self.end == k)].tolist())) for k in ends))

    @property
    def grips(self) -> Grips:
        """What holds it."""
        return tuple(sorted(tuple(sorted(self.numbers[self.end == k].tolist())) for k in range(len(self.node))))


@dataclass(frozen=True, eq=False)
class Body:
    """Atoms that keep their distances where a framework is stretched: a node, or what a linker has between nodes.

    Attributes:
        atoms: (n,) rows of the crystal.
        cell: (n, 3) whole cells in which its atoms lie, so that it is in one piece.
        onwards: (K, 3) whole cells, by which its bonds lead on for ever, as in a rod; of a molecule none.
    """

    atoms: NDArray[np.int64]
    cell: NDArray[np.int64]
    onwards: NDArray[np.int64]

    @property
    def endless(self) -> bool:
        """Whether bonds lead on through the crystal for ever."""
        return len(self.onwards) > 0


@dataclass(frozen=True, eq=False)
class Framework:
    """A crystal taken apart.

    Attributes:
        crystal: the whole.
        linkers: those that have a core and are molecules, not endless.
        bodies: every atom is in one of them.
    """

    crystal: Crystal
    linkers: tuple[Linker, ...]
    bodies: tuple[Body, ...]


def take_apart(crystal: Crystal) -> Framework:
    """Find the linkers and nodes of a crystal; one without metals has none."""
    metal = METALS[crystal.numbers]
    bonds = within_valence(crystal, find_bonds(crystal), metal)
    organic, molecules = _molecules(crystal, bonds, metal)
    bound, grip = np.zeros((2, len(crystal)), dtype=bool)
    bound[bonds.first[metal[bonds.second]]] = True
    bound &= organic
    inside = ~metal[bonds.first] & ~metal[bonds.second]
    grip[bonds.second[inside & bound[bonds.first]]] = True
    grip = (grip | bound) & organic
    near_bound = np.bincount(bonds.second[inside & bound[bonds.first]], minlength=len(crystal))
    for molecule in molecules:
        atoms = molecule.atoms
        if grip[atoms].all() and _alone(bound[atoms], near_bound[atoms]):
            grip[atoms] = bound[atoms]
    core = organic & ~grip
    linkers = [
        _linker(crystal, bonds, molecule, bound, grip)
        for molecule in molecules
        if not molecule.endless and core[molecule.atoms].any() and bound[molecule.atoms].any()
    ]
    inner = organic & ~bound & (near_bound < 2)
    uncut = inner[bonds.first] == inner[bonds.second]
    return Framework(crystal, tuple(linkers), tuple(bodies(len(crystal), bonds, uncut)))


def lone_linker(
    numbers: NDArray[np.uint8], position: NDArray[np.float64], bonds: NDArray[np.int64], donors: NDArray[np.bool_]
) -> Linker | None:
    """Describe a molecule that is in no crystal, its nodes put where metals would be; None if it has no core.

    Args:
        numbers: (n,) atomic numbers.
        position: (n, 3) Å.
        bonds: (B, 2) rows, each bond once or from both ends.
        donors: (n,) True for atoms that bind metals.
    """
    pairs = np.unique(np.concatenate([bonds, bonds[:, ::-1]]), axis=0)
    grip = donors.copy()
    grip[pairs[donors[pairs[:, 0]], 1]] = True
    if grip.all() and _alone(donors, np.bincount(pairs[donors[pairs[:, 0]], 1], minlength=len(donors))):
        grip = donors.copy()
    if grip.all() or not donors.any():
        return None
    end, ends = _ends(grip, donors, pairs)
    node = np.empty((ends, 3))
    for k in range(ends):
        middle = position[donors & (end == k)].mean(axis=0)
        inner = position[grip & ~donors & (end == k)]
        out = middle - (inner if len(inner) else position[~grip]).mean(axis=0)
        node[k] = middle + METAL * out / max(float(np.linalg.norm(out)), 1e-9)
    count = len(numbers)
    where = (np.arange(count), np.zeros((count, 3), dtype=np.int64))
    return Linker(*where, numbers, position, donors, end, pairs, node, kind_of(numbers, donors, pairs))


def _alone(bound: NDArray[np.bool_], near_bound: NDArray[np.int64]) -> bool:
    """Whether several atoms of a molecule bind metals, and none is bonded to one of these, nor another atom to two.

    Args:
        bound: (n,) that bind metals.
        near_bound: (n,) how many of these each atom is bonded to.
    """
    return bool(bound.sum() > 1 and not near_bound[bound].any() and (near_bound < 2).all())


def _molecules(crystal: Crystal, bonds: Bonds, metal: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], list[Body]]:
    """Return which atoms belong to molecules with carbon when bonds to metals are cut, and these molecules."""
    kept = ~metal[bonds.first] & ~metal[bonds.second]
    pieces = [body for body in bodies(len(crystal), bonds, kept) if (crystal.numbers[body.atoms] == CARBON).any()]
    organic = np.zeros(len(crystal), dtype=bool)
    for piece in pieces:
        organic[piece.atoms] = True
    return organic, pieces


def _linker(
    crystal: Crystal, bonds: Bonds, molecule: Body, bound: NDArray[np.bool_], grip: NDArray[np.bool_]
) -> Linker:
    """Describe one molecule."""
    atoms = molecule.atoms
    row = np.full(len(crystal), -1)
    row[atoms] = np.arange(len(atoms))
    mine = row[bonds.first] >= 0
    first, second, other = row[bonds.first[mine]], row[bonds.second[mine]], bonds.second[mine]
    within = second >= 0
    pairs = np.stack([first[within], second[within]], axis=1)
    end, ends = _ends(grip[atoms], bound[atoms], pairs)
    metal_at = crystal.frac_coords[other] + molecule.cell[first] + bonds.shift[mine]
    node = np.array([metal_at[~within & (end[first] == k)].mean(axis=0) for k in range(ends)]) @ crystal.lattice
    position = (crystal.frac_coords[atoms] + molecule.cell) @ crystal.lattice
    numbers, held = crystal.numbers[atoms], bound[atoms]
    return Linker(atoms, molecule.cell, numbers, position, held, end, pairs, node, kind_of(numbers, held, pairs))


def _ends(grip: NDArray[np.bool_], bound: NDArray[np.bool_], pairs: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Number the ends of a linker: (n,) for its atoms, -1 the core, and how many there are."""
    near: list[list[int]] = [[] for _ in grip]
    for i, j in pairs.tolist():
        near[i].append(j)
    close = [(i, k) for i in np.flatnonzero(bound).tolist() for j in near[i] for k in (j, *near[j]) if bound[k]]
    end, count = np.full(len(grip), -1), 0
    for piece in _pieces(len(grip), close):
        if bound[piece[0]]:
            end[piece] = count
            count += 1
    for i in np.flatnonzero(grip & ~bound).tolist():
        end[i] = end[next(j for j in near[i] if bound[j])]
    return end, count


def kind_of(numbers: NDArray[np.uint8], bound: NDArray[np.bool_], pairs: NDArray[np.int64]) -> int:
    """Hash a molecule by its bonds (Weisfeiler and Leman, 1968); order of atoms and shape do not count."""
    first, second = pairs.reshape(-1, 2).T
    colour = _mixed(numbers.astype(np.uint64) * np.uint64(2) + bound)
    for _ in range(KIND_ROUNDS):
        around = np.zeros(len(numbers), dtype=np.uint64)
        np.add.at(around, first, _mixed(colour)[second])
        colour = _mixed(colour * np.uint64(3) + around)
    return int(colour.sum() >> np.uint64(1))


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scatter whole numbers over all 64 bits (Steele, Lea and Flood, 2014: SplitMix)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _pieces(count: int, pairs: Iterable[tuple[int, int]]) -> list[list[int]]:
    """Connected components of `count` points."""
    near: list[list[int]] = [[] for _ in range(count)]
    for i, j in pairs:
        near[i].append(j)
    seen, pieces = [False] * count, []
    for start in range(count):
        if seen[start]:
            continue
        seen[start], piece = True, [start]
        for point in piece:  # grows while it is walked through
            for other in near[point]:
                if not seen[other]:
                    seen[other] = True
                    piece.append(other)
        pieces.append(piece)
    return pieces


def bodies(count: int, bonds: Bonds, kept: NDArray[np.bool_]) -> list[Body]:
    """Connected components of the crystal under the bonds `kept` (B,), each in one piece."""
    near: list[list[tuple[int, tuple[int, int, int]]]] = [[] for _ in range(count)]
    first, second, shift = (array[kept].tolist() for array in (bonds.first, bonds.second, bonds.shift))
    for i, j, step in zip(first, second, shift, strict=True):
        near[i].append((j, tuple(step)))
    cell: list[tuple[int, int, int] | None] = [None] * count
    found = []
    for start in range(count):
        if cell[start] is not None:
            continue
        cell[start], atoms, onwards = (0, 0, 0), [start], set[tuple[int, int, int]]()
        for atom in atoms:  # grows while it is walked through
            x, y, z = cell[atom] or (0, 0, 0)
            for other, (a, b, c) in near[atom]:
                there = (x + a, y + b, z + c)
                before = cell[other]
                if before is None:
                    cell[other] = there
                    atoms.append(other)
                elif before < there:  # each bond is met both ways
                    onwards.add((there[0] - before[0], there[1] - before[1], there[2] - before[2]))
        steps = np.array(sorted(onwards), dtype=np.int64).reshape(-1, 3)
        found.append(Body(np.array(atoms), np.array([cell[atom] for atom in atoms]), steps))
    return found
