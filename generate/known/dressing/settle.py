"""Dressed frameworks moved to where bonds, contacts and the pattern are best, as rigid bodies."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from generate.known.dressing.arrange import Arrangement
from generate.known.dressing.tables import Tables
from generate.known.dressing.undressed import Undressed
from generate.known.pendants import Group
from generate.parts import Chemistry
from generate.parts.chemistry import LEAST_SPREAD
from generate.solving.cost import POSE, descend_all, evaluate
from generate.solving.problem import Problem, rotation
from generate.solving.roots import Roots
from generate.solving.search import TOLERANCE
from xtal.crystals import Crystal
from xtal.crystals.bonds import find_bonds
from xtal.crystals.linkers import METALS
from xtal.crystals.parts import Part
from xtal.crystals.valence import within_valence
from xtal.interrupt import look_up

# what a wholly wrong pattern costs: more than in a search, for contacts of what stands right may be short
PATTERN = 300.0
STEPS = 150  # evaluations at most,
LONGEST = 0.3  # s, and so long: there are many neighbours in a flat cell
Body = tuple[Part, NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Settled:
    """A framework whose bodies have been moved.

    Attributes:
        crystal: dressed.
        cost: of bonds, coordination, contacts and pattern, see `generate.solving`.
        misfit: of the pattern, with the strain of the twists.
        framework: bare, its bodies twisted and where they were moved.
        arrangement: of its groups.
    """

    crystal: Crystal
    cost: float
    misfit: float
    framework: Undressed
    arrangement: Arrangement


def settled(
    framework: Undressed,
    kinds: tuple[Group, ...],
    tables: Tables,
    arrangement: Arrangement,
    roots: Roots,
    chemistry: Chemistry,
) -> Settled:
    """Move the bodies of a framework, dressed as arranged, downhill, as if there were no hydrogen."""
    look_up()
    linkers = [_dressed(framework, kinds, tables, arrangement, row) for row in range(len(framework.units))]
    every = [*framework.nodes, *linkers]
    middles = [position.mean(axis=0) for _, position in every]
    standing = [(part, middle) for (part, _), middle in zip(every, middles, strict=True)]
    problem, pose, shapes = Problem.without_symmetry(standing, framework.lattice, roots, chemistry, heavy=False)
    steps, cost, terms = min(STEPS, int(LONGEST / problem.seconds)), np.empty(1), np.zeros(4)
    descend_all(problem.arrays, pose[None], problem.shapes, shapes[None], PATTERN, steps, TOLERANCE, cost)
    evaluate(problem.arrays, pose, problem.shapes, shapes, PATTERN, np.empty(len(pose)), terms)
    moves = [(x, row[:3], rotation(row[3:])) for x, row in zip(middles, pose.reshape(-1, POSE), strict=True)]

    def moved(position: NDArray[np.float64], row: int) -> NDArray[np.float64]:
        """Move what goes with a body."""
        middle, place, turn = moves[row]
        return (position - middle) @ turn.T + place

    first = len(framework.nodes)
    nodes = tuple((part, moved(position, row)) for row, (part, position) in enumerate(framework.nodes))
    units = tuple(
        replace(unit, position=moved(tables.body(unit, row, arrangement.twist), first + row))
        for row, unit in enumerate(framework.units)
    )
    strain = float(tables.strain[np.arange(len(tables.strain)), arrangement.twist].sum())
    return Settled(
        problem.crystal(pose, shapes),
        float(cost[0]),
        float(terms[0]) + strain,
        replace(framework, nodes=nodes, units=units),
        arrangement,
    )


def bonded_as(crystal: Crystal, chemistry: Chemistry) -> Chemistry:
    """Return the chemistry of frameworks whose metals are bound as those of one crystal are, as tightly as there."""
    bonds = within_valence(crystal, find_bonds(crystal), METALS[crystal.numbers])
    metal, other = crystal.numbers[bonds.first], crystal.numbers[bonds.second]
    held = METALS[metal] & ~METALS[other]
    bond, spread = chemistry.bond.copy(), chemistry.spread.copy()
    number, slack = chemistry.coordination.copy(), chemistry.coordination_spread.copy()
    for one, two in np.unique(np.stack([metal[held], other[held]], axis=1), axis=0).tolist():
        lengths = bonds.length[held & (metal == one) & (other == two)]
        bond[one, two] = bond[two, one] = lengths.mean()
        spread[one, two] = spread[two, one] = max(LEAST_SPREAD, float(lengths.std()))
    for one in np.unique(metal[held]).tolist():
        rows = np.flatnonzero(crystal.numbers == one)
        counts = np.bincount(bonds.first[held], minlength=len(crystal))[rows]
        number[one], slack[one] = counts.mean(), counts.std()
    return replace(chemistry, bond=bond, spread=spread, coordination=number, coordination_spread=slack)


def _dressed(
    framework: Undressed, kinds: tuple[Group, ...], tables: Tables, arrangement: Arrangement, row: int
) -> Body:
    """Return a linker with its groups on, and its places (n, 3) Å."""
    unit = framework.units[row]
    linker = unit.linker
    on = [
        (place, int(kind), int(turn))
        for place, kind, turn in zip(tables.places, arrangement.group, arrangement.turn, strict=True)
        if place.unit == row and kind >= 0
    ]
    kept = np.ones(len(linker.numbers), dtype=bool)
    kept[[unit.places[place.row, 1] for place, _, _ in on]] = False
    at, total = np.cumsum(kept) - 1, int(kept.sum())
    position, numbers = [tables.body(unit, row, arrangement.twist)[kept]], [linker.numbers[kept]]
    bonds = [at[linker.bonds[kept[linker.bonds].all(axis=1)]]]
    for place, kind, turn in on:
        group = kinds[kind]
        position.append(place.dressings[kind][arrangement.twist[place.rotor], turn])
        numbers.append(group.numbers)
        bonds += [group.bonds + total, np.array([[at[unit.places[place.row, 0]], total]])]
        total += len(group.numbers)
    donors = np.append(linker.bound[kept], np.zeros(total - int(kept.sum()), dtype=bool))
    where = np.concatenate(position)
    pairs = np.unique(np.sort(np.concatenate(bonds), axis=1), axis=0)
    return Part(np.concatenate(numbers), where, pairs, donors, ""), where
