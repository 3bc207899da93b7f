"""What a crystal consists of: metals, linkers, and the rest, in the smallest whole numbers."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, reduce
from math import gcd, log

import gemmi
import numpy as np
from numpy.typing import ArrayLike

from generate.knowledge.groups import HYDROGEN, groups_of
from generate.knowledge.names import Named, table
from xtal.crystals import Crystal, amounts_of, find_bonds
from xtal.crystals.crystal import composition_of, format_formula
from xtal.crystals.linkers import CARBON, METALS, bodies
from xtal.crystals.parts import graph_of, part_key

BRIDGING = ("O", "HO")
HEAVY = 10  # atomic number from which an ion shows so clearly that nothing is found without it

Share = tuple[tuple[int, int], ...]
"""Of one linker: acid hydrogens that it keeps, and how many do so; several where some keep more than others."""


@dataclass(frozen=True)
class Shape:
    """How many of everything there are in one formula unit, whatever the linkers are.

    Attributes:
        metals: number of each metal, these in the order of their atomic numbers.
        linkers: of each linker, in the order in which they are named.
        rest: formulas of other molecules and ions, and how many.
    """

    metals: tuple[int, ...]
    linkers: tuple[Share, ...]
    rest: tuple[tuple[str, int], ...]

    def ordered(self, order: tuple[int, ...]) -> "Shape":
        """Return the same with the linkers in another order."""
        return Shape(self.metals, tuple(self.linkers[i] for i in order), self.rest)


@dataclass(frozen=True)
class Recipe:
    """One crystal.

    Attributes:
        metals: atomic numbers, ascending.
        graphs: of each linker, its elements and bonds without hydrogen.
        words: of each linker, its groups, see `Groups`.
        shape: what one formula unit holds.
        units: formula units per primitive cell.
        room: ln of the volume per atom that is no hydrogen, Å³.
    """

    metals: tuple[int, ...]
    graphs: tuple[str, ...]
    words: tuple[str, ...]
    shape: Shape
    units: int
    room: float


def recipe_of(crystal: Crystal) -> Recipe | None:
    """Take a primitive cell apart; None where no metal or no linker is found, or a molecule has no end.

    A linker is a molecule with carbon that is bound to a metal, and is neither a usual solvent nor a usual ion.
    """
    bonds = find_bonds(crystal)
    metal = METALS[crystal.numbers]
    inside = ~metal[bonds.first] & ~metal[bonds.second]
    bound = set(bonds.first[metal[bonds.second]].tolist())
    linkers, words, rest = defaultdict[str, Counter[int]](Counter), dict[str, str](), Counter[str]()
    for body in bodies(len(crystal), bonds, inside):
        numbers = crystal.numbers[body.atoms]
        if METALS[numbers[0]]:
            continue
        if body.endless:
            return None
        row = {atom: n for n, atom in enumerate(body.atoms.tolist())}
        mine = inside & np.isin(bonds.first, body.atoms) & (bonds.first < bonds.second)
        pairs = zip(bonds.first[mine].tolist(), bonds.second[mine].tolist(), strict=True)
        edges = [(row[i], row[j]) for i, j in pairs]
        graph = heavy_graph(numbers, edges)
        if (numbers == CARBON).any() and not bound.isdisjoint(row) and not is_guest(graph):
            groups = groups_of(numbers, edges)
            linkers[graph][groups.kept] += 1
            words[graph] = groups.words
        else:
            rest[format_formula(composition_of(numbers))] += 1
    metals = Counter(crystal.numbers[metal].tolist())
    if not metals or not linkers:
        return None
    return _recipe(crystal, metals, linkers, words, rest)


def _recipe(
    crystal: Crystal,
    metals: Mapping[int, int],
    linkers: Mapping[str, Mapping[int, int]],
    words: Mapping[str, str],
    rest: Mapping[str, int],
) -> Recipe:
    """Divide all counts by their greatest common divisor."""
    counts = [*metals.values(), *(n for each in linkers.values() for n in each.values()), *rest.values()]
    units = reduce(gcd, counts)
    graphs = sorted(linkers)
    shape = Shape(
        tuple(metals[z] // units for z in sorted(metals)),
        tuple(tuple(sorted((kept, n // units) for kept, n in linkers[graph].items())) for graph in graphs),
        tuple(sorted((formula, n // units) for formula, n in rest.items())),
    )
    room = log(crystal.volume / int((crystal.numbers != HYDROGEN).sum()))
    return Recipe(tuple(sorted(metals)), tuple(graphs), tuple(words[g] for g in graphs), shape, units, room)


def heavy_graph(numbers: ArrayLike, bonds: ArrayLike) -> str:
    """Return a name for the elements and bonds of a molecule without its hydrogens, which many crystals lack.

    Args:
        numbers: (n,) atomic numbers.
        bonds: (B, 2) rows of atoms.
    """
    atoms, edges = np.asarray(numbers), np.reshape(np.asarray(bonds, dtype=np.int64), (-1, 2))
    heavy = np.flatnonzero(atoms != HYDROGEN)
    if not len(heavy):
        return "H"
    row = np.full(len(atoms), -1)
    row[heavy] = np.arange(len(heavy))
    kept = row[edges]
    return graph_of(part_key(atoms[heavy], kept[(kept >= 0).all(axis=1)], np.zeros(len(heavy), dtype=bool)))


@cache
def is_light(formula: str) -> bool:
    """Whether a molecule or ion beside metals and linkers is found after these."""
    return formula not in BRIDGING and all(
        gemmi.Element(symbol).atomic_number < HEAVY for symbol in amounts_of(formula)
    )


def is_guest(graph: str) -> bool:
    """Whether a molecule without its hydrogens is a solvent or an ion that has a name."""
    named = named_graph(graph)
    return named is not None and named.role != "linker"


def named_graph(graph: str, formula: str = "") -> Named | None:
    """Return what has a name and this graph without hydrogens; None where nothing has.

    Of several (cyanide and methylamine) it is the one of the `formula`, in Hill order, or that loses protons to become
    it (adipic and muconic acid), or else the first.
    """
    alike = [named for named in _by_heavy_formula().get(graph.partition("-")[0], ()) if _graph(named) == graph]
    if not formula:
        return alike[0] if alike else None
    return min(alike, key=lambda named: (named.formula != formula, not loses_protons(named, formula)), default=None)


def loses_protons(named: Named, formula: str) -> bool:
    """Whether what has a name becomes a formula by losing protons: of each oxygen and nitrogen one at most."""
    own, left = amounts_of(named.formula), amounts_of(formula)
    return own.get("H", 0) >= left.get("H", 0) and not lacks_hydrogen(named, formula)


def lacks_hydrogen(named: Named, formula: str) -> bool:
    """Whether a formula has fewer hydrogens than what has a name can lose as protons."""
    own, left = amounts_of(named.formula), amounts_of(formula)
    return own.get("H", 0) - left.get("H", 0) > own.get("O", 0) + own.get("N", 0)


@cache
def _by_heavy_formula() -> Mapping[str, tuple[Named, ...]]:
    """Everything that has a name, by its formula without hydrogen: graphs of the few that share one are soon made."""
    found = defaultdict[str, list[Named]](list)
    for named in table():
        heavy = {symbol: n for symbol, n in amounts_of(named.formula).items() if symbol != "H"}
        found[format_formula(heavy) or "H"].append(named)
    return {formula: tuple(alike) for formula, alike in found.items()}


@cache
def _graph(named: Named) -> str:
    from rdkit import Chem

    mol = Chem.MolFromSmiles(named.smiles)
    bonds = [(bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in mol.GetBonds()]
    return heavy_graph([atom.GetAtomicNum() for atom in mol.GetAtoms()], bonds)
