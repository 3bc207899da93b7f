"""From metals and linkers to what one primitive cell may hold."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from math import ceil, exp, log

import gemmi
import numpy as np
from numpy.typing import NDArray

from generate.knowledge.groups import HYDROGEN, groups_of
from generate.knowledge.learning import MOST_LINKERS, MOST_METALS, Recipes, formula_charges
from generate.knowledge.names import Named, table
from generate.knowledge.survey import Recipe, Shape, Share, heavy_graph, named_graph
from generate.parts import Kind
from xtal.arrays import frozen
from xtal.crystals import amounts_of
from xtal.crystals.linkers import METALS
from xtal.errors import UserError

ROOM_SPREAD = 0.2  # of ln volume per atom other than hydrogen, about what kin have
TIGHTEST, LOOSEST = 11.0, 110.0  # Å³ per atom other than hydrogen
UNITS = (1, 2, 4)  # formula units tried where no volume is given
OTHER_GUEST = 0.2  # share left to guests and ions that are not those named
FEWEST = 1e-7  # probability of a shape that is looked at, beside the likeliest
MOST = 200
PLAIN = {"O": "O", "HO": "OH", "H2O": "H2O", "S": "S"}
SHORT = 7  # letters of a name


@dataclass(frozen=True, eq=False)
class Contents:
    """What one primitive cell may hold.

    Attributes:
        numbers: (N,) atomic numbers, ascending.
        words: formula unit and their number: ``Zn4O(BDC)3, Z = 2``.
        ln_probability: beside the others.
        units: formula units per cell.
        linkers: of each linker, acid hydrogens that it keeps, and how many there are in the cell.
        rest: formulas of other molecules and ions, and how many there are.
    """

    numbers: NDArray[np.int64]
    words: str
    ln_probability: float
    units: int
    linkers: tuple[Share, ...] = ()
    rest: tuple[tuple[str, int], ...] = ()


def contents(
    metals: Sequence[str],
    linkers: Sequence[Kind],
    guests: Sequence[Kind] = (),
    volume: float | None = None,
    recipes: Recipes | None = None,
) -> list[Contents]:
    """Return what a primitive cell may hold, the likeliest first.

    ln P = ln P(formula unit | metals, linkers) + ln P(Z) + ln P(volume per atom), all from real frameworks.

    Args:
        metals: one or two symbols.
        linkers: one to three; of each one state, see `linker_kinds`; others follow from its acid groups.
        guests: solvents and ions that are taken to be there instead of others of their charge.
        volume: of the primitive cell, Å³; without it 1, 2 and 4 formula units are tried.
        recipes: of real frameworks; None takes those that come with the package.

    Raises:
        UserError: no metal, no linker, or too many of them.
    """
    asked = _asked(metals, linkers, guests)
    known = recipes or _shipped()
    chances = _with_guests(known.shapes(asked.metals, asked.graphs, asked.words), asked.guests)
    least = FEWEST * max(chances.values(), default=0)
    found: dict[tuple, list[tuple[float, Shape, int]]] = defaultdict(list)
    for shape, chance in chances.items():
        if chance < least:
            continue
        amounts = asked.amounts(shape)
        heavy = sum(n for z, n in amounts.items() if z != HYDROGEN)
        recipe = Recipe(asked.metals, asked.graphs, asked.words, shape, 0, 0.0)
        for units, fit in _fits(heavy, known.room(recipe), volume):
            cell = tuple(sorted((z, n * units) for z, n in amounts.items()))
            found[cell].append((log(chance * known.units(units, asked.metals, asked.graphs)) + fit, shape, units))
    return sorted((_contents(asked, *each) for each in found.items()), key=lambda c: -c.ln_probability)[:MOST]


@dataclass(frozen=True, eq=False)
class _Asked:
    """What the chemist named: metals as atomic numbers, and the linkers without their acid hydrogens."""

    metals: tuple[int, ...]
    linkers: tuple[Kind, ...]
    guests: tuple[str, ...]

    @cached_property
    def graphs(self) -> tuple[str, ...]:
        """Of each linker."""
        return tuple(heavy_graph(kind.numbers, kind.conformers[0].bonds) for kind in self.linkers)

    @cached_property
    def words(self) -> tuple[str, ...]:
        """Of each linker."""
        return tuple(groups_of(kind.numbers, kind.conformers[0].bonds).words for kind in self.linkers)

    @cached_property
    def bare(self) -> tuple[Counter[int], ...]:
        """Atoms of each linker without acid hydrogens."""
        found = []
        for kind in self.linkers:
            atoms = Counter(kind.numbers.tolist())
            atoms[HYDROGEN] -= groups_of(kind.numbers, kind.conformers[0].bonds).kept
            found.append(atoms)
        return tuple(found)

    def amounts(self, shape: Shape) -> Counter[int]:
        """Atoms of one formula unit."""
        total = Counter(dict(zip(self.metals, shape.metals, strict=True)))
        for atoms, share in zip(self.bare, shape.linkers, strict=True):
            for kept, number in share:
                for z, n in atoms.items():
                    total[z] += n * number
                total[HYDROGEN] += kept * number
        for formula, number in shape.rest:
            for z, n in _atoms(formula).items():
                total[z] += n * number
        return +total

    def words_of(self, shape: Shape, units: int) -> str:
        """Name a formula unit."""
        core = "".join(_times(gemmi.Element(z).name, n) for z, n in zip(self.metals, shape.metals, strict=True))
        bridges = "".join(_times("(OH)" if f == "HO" else f, n) for f, n in reversed(shape.rest) if f in ("O", "HO"))
        held = "".join(
            _times(f"({'H' if kept else ''}{kept if kept > 1 else ''}{_linker_name(graph)})", n)
            for graph, share in zip(self.graphs, shape.linkers, strict=True)
            for kept, n in share
        )
        others = "".join(_times(f"({_rest_name(f)})", n) for f, n in shape.rest if f not in ("O", "HO"))
        return f"{core}{bridges}{held}{others}, Z = {units}"


def check_metals(metals: Sequence[str], linkers: int) -> tuple[int, ...]:
    """Return the atomic numbers of metals, ascending.

    Raises:
        UserError: no metal, too many of them, or no or too many linkers.
    """
    wrong = [s for s in metals if gemmi.Element(s).name != s or not METALS[gemmi.Element(s).atomic_number]]
    if wrong:
        raise UserError(f"{', '.join(map(repr, wrong))} is no metal; write symbols such as Zn, Cu, Zr")
    numbers = sorted({gemmi.Element(symbol).atomic_number for symbol in metals})
    if not 1 <= len(numbers) <= MOST_METALS:
        raise UserError(f"give one or two metals with the linkers, got {len(numbers)}")
    if not 1 <= linkers <= MOST_LINKERS:
        raise UserError(f"give one to three linkers with the metals, got {linkers}")
    return tuple(numbers)


def _asked(metals: Sequence[str], linkers: Sequence[Kind], guests: Sequence[Kind]) -> _Asked:
    """Check what was named."""
    numbers = check_metals(metals, len(linkers))
    names = (kind.key.partition("-")[0] for kind in guests)
    return _Asked(numbers, tuple(linkers), tuple(dict.fromkeys(names)))


def _with_guests(shapes: Mapping[Shape, float], guests: Sequence[str]) -> Mapping[Shape, float]:
    """Put the guests that were named where others of their charge are."""
    charges = formula_charges()
    bridging = {"O", "HO"}
    for guest in guests:
        changed = defaultdict[Shape, float](float)
        for shape, chance in shapes.items():
            alike = [f for f, _ in shape.rest if f not in bridging and charges.get(f, 0) == charges.get(guest, 0)]
            if guest in alike or not alike:
                changed[shape] += chance
                continue
            changed[shape] += OTHER_GUEST * chance
            for other in alike:
                amounts = Counter[str]()
                for formula, number in shape.rest:
                    amounts[guest if formula == other else formula] += number
                swapped = Shape(shape.metals, shape.linkers, tuple(sorted(amounts.items())))
                changed[swapped] += (1 - OTHER_GUEST) * chance / len(alike)
        shapes = changed
    return shapes


def _fits(heavy: int, room: float, volume: float | None) -> Iterator[tuple[int, float]]:
    """Yield numbers of formula units, each of so many atoms, with ln of how well they fill the volume.

    Student's t with four degrees of freedom about the ln of the usual volume per atom: some crystals are far emptier.
    """
    if volume is None:
        yield from ((units, 0.0) for units in UNITS)
        return
    for units in range(max(1, ceil(volume / heavy / LOOSEST)), int(volume / heavy / TIGHTEST) + 1):
        off = (log(volume / heavy / units) - room) / ROOM_SPREAD
        yield units, -2.5 * log(1 + off**2 / 4)


def _contents(asked: _Asked, cell: tuple, ways: list[tuple[float, Shape, int]]) -> Contents:
    """Add up the ways to the same atoms; the likeliest names them."""
    highest, shape, units = max(ways, key=lambda way: way[0])
    total = highest + log(sum(exp(way[0] - highest) for way in ways))
    numbers = np.repeat([z for z, _ in cell], [n for _, n in cell])
    linkers = tuple(tuple((kept, n * units) for kept, n in share) for share in shape.linkers)
    rest = tuple((formula, n * units) for formula, n in shape.rest)
    return Contents(frozen(numbers, np.int64), asked.words_of(shape, units), total, units, linkers, rest)


@cache
def _shipped() -> Recipes:
    return Recipes.load()


@cache
def _atoms(formula: str) -> Mapping[int, int]:
    """Atoms of a formula, by atomic number."""
    return {gemmi.Element(symbol).atomic_number: round(n) for symbol, n in amounts_of(formula).items()}


@cache
def _rest_name(formula: str) -> str:
    """Return the name of the first solvent or ion of a formula, or the formula itself."""
    if formula in PLAIN:
        return PLAIN[formula]
    return next((_short(n) for n in table() if n.role != "linker" and n.formula == formula), formula)


def _linker_name(graph: str) -> str:
    named = named_graph(graph)
    return _short(named) if named else graph.partition("-")[0]


def _short(named: Named) -> str:
    """An ion by its formula, anything else by its first name where that is short, or the shortest of the next two."""
    names = named.names
    if named.role == "ion":
        return names[min(1, len(names) - 1)]
    return names[0] if len(names[0]) <= SHORT else min(names[1:3], key=len, default=names[0])


def _times(text: str, number: int) -> str:
    return text if number == 1 else f"{text}{number}"
