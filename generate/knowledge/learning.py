"""What real frameworks of given metals and linkers hold: counts over many crystals, with back-off to their kin.

A recipe that the metals and linkers themselves were seen with counts most, then one of linkers with the same groups,
then of metals of the same family, of any metals, and last of anything whose charges add up.
"""

import gzip
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, reduce
from itertools import permutations
from math import gcd
from pathlib import Path

from generate.knowledge.groups import CHARGES
from generate.knowledge.names import table
from generate.knowledge.survey import Recipe, Shape
from xtal.shipped import renewed, whole

SHIPPED = Path(__file__).parent / "data" / "recipes.tsv.gz"
TRUST = (0.5, 1.0, 1.0, 1.0, 1.0, 1.0)  # of the levels, see above: the smaller, the sooner seen shapes are believed
UNIT_TRUST = 3.0  # crystals that the usual numbers of formula units count for, beside those of the very linkers
ROOM_TRUST = (5.0, 3.0, 3.0, 2.0, 1.0, 0.5)  # crystals that a mean over fewer kin counts for
LIKELIEST, LIKELIEST_CORES = 4000, 60  # shapes, and metals with linkers, that are looked at
MIXED = 0.15  # chance that molecules and ions beside the linkers were not seen with them
MOST_LINKERS, MOST_METALS = 3, 2
FAMILIES = {
    "alkali": (3, 11, 19, 37, 55),
    "earth": (12, 20, 38, 56),
    "two": (25, 26, 27, 28, 29, 30, 48),
    "three": (13, 21, 22, 23, 24, 31, 49),
    "four": (40, 58, 72, 90, 92),
    "lanthanide": (39, 57, *range(59, 72)),
    "coinage": (47, 79),
    "heavy": (50, 82, 83),
}
FAMILY = {z: name for name, members in FAMILIES.items() for z in members}
COLUMNS = "metals\tgraphs\twords\tnumbers\tlinkers\trest\tunits\troom"

Counts = Mapping[Shape, float]


@dataclass(frozen=True, eq=False)
class Recipes:
    """What many crystals consist of.

    Attributes:
        recipes: one of each crystal.
    """

    recipes: tuple[Recipe, ...]

    @classmethod
    def load(cls, path: Path | None = None) -> "Recipes":
        """Read those that come with the package, or others."""
        lines = gzip.decompress(whole(path or SHIPPED).read_bytes()).decode().splitlines()
        return cls(tuple(map(_read, lines[1:])))

    def save(self, path: Path) -> None:
        """Write one line for each crystal."""
        path.write_bytes(gzip.compress("\n".join([COLUMNS, *map(_written, self.recipes), ""]).encode(), mtime=0))
        renewed(path)

    def shapes(self, metals: tuple[int, ...], graphs: Sequence[str], words: Sequence[str]) -> dict[Shape, float]:
        """Return probabilities of what a formula unit holds, for metals (ascending) and linkers.

        Interpolated over the levels, as words are predicted from fewer and fewer words before them (Witten and Bell,
        1991): a level with n crystals in d shapes has the share n / (n + trust d) of what is left.
        """
        graph, word = tuple(graphs), tuple(words)
        charges = tuple(map(acid_charge, word))
        sign = tuple(charge > 0 for charge in charges)
        levels = (
            self._counts["linkers", metals, graph],
            self._counts["groups", metals, word],
            self._counts["family", family(metals), word],
            self._counts["any", len(metals), word],
            _balanced(self._charged[metals, sign], charges),
            _balanced(self._charged[family(metals), sign], charges),
        )
        found, left = defaultdict[Shape, float](float), 1.0
        for counts, trust in zip(levels, TRUST, strict=True):
            total = sum(counts.values())
            if total:
                share = total / (total + trust * len(counts))
                for shape, count in counts.items():
                    found[shape] += left * share * count / total
                left *= 1 - share
        mixed = self._mixed(metals, found)
        for shape in found:
            mixed[shape] += (1 - MIXED) * found[shape]
        return dict(sorted(mixed.items(), key=lambda pair: -pair[1])[:LIKELIEST])

    def _mixed(self, metals: tuple[int, ...], found: Counts) -> defaultdict[Shape, float]:
        """Give metals and linkers the other molecules and ions that as many metals of the family had elsewhere.

        What is put in has the charge of what is left out. All probabilities add up to `MIXED` at most.
        """
        cores = defaultdict[tuple, float](float)
        for shape, chance in found.items():
            cores[shape.metals, shape.linkers, charge_of(shape.rest)] += chance
        mixed = defaultdict[Shape, float](float)
        for (numbers, linkers, charge), chance in sorted(cores.items(), key=lambda pair: -pair[1])[:LIKELIEST_CORES]:
            rests = self._rests[family(metals), numbers, charge]
            total = sum(rests.values())
            for rest, count in rests.most_common(LIKELIEST_CORES):
                mixed[Shape(numbers, linkers, rest)] += MIXED * chance * count / total
        return mixed

    def units(self, number: int, metals: tuple[int, ...], graphs: Sequence[str]) -> float:
        """Probability of so many formula units per primitive cell, of these metals and linkers where known."""
        kin = self._units[metals, tuple(sorted(graphs))]
        overall = max(self._units[()][number], 0.3) / len(self.recipes)
        return (kin[number] + UNIT_TRUST * overall) / (kin.total() + UNIT_TRUST)

    def room(self, recipe: Recipe) -> float:
        """Return the usual ln of Å³ per atom other than hydrogen of crystals like a recipe, whose own is not read."""
        mean, count = self._rooms[()]
        mean /= count
        for key, trust in zip(_kin(recipe), ROOM_TRUST, strict=True):
            total, count = self._rooms.get(key, (0.0, 0))
            mean = (total + trust * mean) / (count + trust)
        return mean

    @cached_property
    def _units(self) -> defaultdict[tuple, Counter[int]]:
        """Formula units per cell, of all and by metals and linkers."""
        found = defaultdict[tuple, Counter[int]](Counter)
        for recipe in self.recipes:
            found[()][recipe.units] += 1
            found[recipe.metals, tuple(sorted(recipe.graphs))][recipe.units] += 1
        return found

    @cached_property
    def _counts(self) -> defaultdict[tuple, Counter[Shape]]:
        """Shapes by level, metals and linkers, these in every order."""
        found = defaultdict[tuple, Counter[Shape]](Counter)
        for recipe in self.recipes:
            for order in permutations(range(len(recipe.graphs))):
                graph, word = (tuple(each[i] for i in order) for each in (recipe.graphs, recipe.words))
                shape = recipe.shape.ordered(order)
                found["linkers", recipe.metals, graph][shape] += 1
                found["groups", recipe.metals, word][shape] += 1
                found["family", family(recipe.metals), word][shape] += 1
                found["any", len(recipe.metals), word][shape] += 1
        return found

    @cached_property
    def _charged(self) -> defaultdict[tuple, Counter[Shape]]:
        """Shapes by metals and by which linkers are charged; their counts are charges where they are."""
        found = defaultdict[tuple, Counter[Shape]](Counter)
        for recipe in self.recipes:
            charges = [acid_charge(word) for word in recipe.words]
            if any(kept for share in recipe.shape.linkers for kept, _ in share):
                continue
            for order in permutations(range(len(charges))):
                sign = tuple(charges[i] > 0 for i in order)
                shares = recipe.shape.linkers
                amounts = tuple(((0, sum(n for _, n in shares[i]) * max(charges[i], 1)),) for i in order)
                shape = Shape(recipe.shape.metals, amounts, recipe.shape.rest)
                found[recipe.metals, sign][shape] += 1
                found[family(recipe.metals), sign][shape] += 1
        return found

    @cached_property
    def _rests(self) -> defaultdict[tuple, Counter[tuple[tuple[str, int], ...]]]:
        """Other molecules and ions by family, numbers of metals, and charge."""
        found = defaultdict[tuple, Counter[tuple[tuple[str, int], ...]]](Counter)
        for recipe in self.recipes:
            rest = recipe.shape.rest
            found[family(recipe.metals), recipe.shape.metals, charge_of(rest)][rest] += 1
        return found

    @cached_property
    def _rooms(self) -> dict[tuple, tuple[float, int]]:
        """Sum and number of the rooms of all kin."""
        found: dict[tuple, tuple[float, int]] = {(): (0.0, 0)}
        for recipe in self.recipes:
            for key in ((), *_kin(recipe)):
                total, count = found.get(key, (0.0, 0))
                found[key] = (total + recipe.room, count + 1)
        return found


def learn(recipes: Iterable[Recipe | None]) -> Recipes:
    """Keep the recipes of one or two metals with one to three linkers."""
    return Recipes(tuple(r for r in recipes if r and len(r.metals) <= MOST_METALS and len(r.graphs) <= MOST_LINKERS))


def family(metals: Sequence[int]) -> str:
    """Name what metals have in common: their usual charge, and how they are bound."""
    return "+".join(sorted(FAMILY.get(z, "other") for z in metals))


def charge_of(rest: Iterable[tuple[str, int]]) -> int:
    """Return the charge of other molecules and ions; those without a name are taken for neutral."""
    charges = formula_charges()
    return sum(charges.get(formula, 0) * number for formula, number in rest)


@cache
def formula_charges() -> Mapping[str, int]:
    """Charges of solvents and ions that have a name, by formula."""
    from rdkit import Chem

    entries = (named for named in table() if named.role != "linker")
    return {named.formula: Chem.GetFormalCharge(Chem.MolFromSmiles(named.smiles)) for named in entries}


def acid_charge(words: str) -> int:
    """Return the negative charge of groups without their hydrogens."""
    pairs = (word.split("x") for word in words.split())
    return sum(CHARGES.get(letter[0], int(letter == "o")) * int(count) for letter, count in pairs)


def _kin(recipe: Recipe) -> tuple[tuple, ...]:
    """Return keys of the crystals that are ever nearer to a recipe."""
    word, graph, shape = tuple(sorted(recipe.words)), tuple(sorted(recipe.graphs)), recipe.shape
    return (
        (word,),
        (recipe.metals, word),
        (family(recipe.metals), word, shape.metals, shape.rest),
        (graph,),
        (recipe.metals, graph),
        (recipe.metals, graph, shape.metals, shape.rest),
    )


def _balanced(charged: Mapping[Shape, int], charges: tuple[int, ...]) -> Counter[Shape]:
    """Turn charges into numbers of linkers: multiply a unit until every linker divides its share."""
    found = Counter[Shape]()
    for shape, count in charged.items():
        amounts = [share[0][1] for share in shape.linkers]
        times = 1
        for charge, amount in zip(charges, amounts, strict=True):
            if charge:
                times *= charge // gcd(charge, amount * times)
        numbers = [amount * times // (charge or 1) for charge, amount in zip(charges, amounts, strict=True)]
        metals = [n * times for n in shape.metals]
        rest = [(formula, n * times) for formula, n in shape.rest]
        common = reduce(gcd, [*metals, *numbers, *(n for _, n in rest)])
        found[
            Shape(
                tuple(n // common for n in metals),
                tuple(((0, n // common),) for n in numbers),
                tuple((formula, n // common) for formula, n in rest),
            )
        ] += count
    return found


def _written(recipe: Recipe) -> str:
    """Write a recipe as a line."""
    shape = recipe.shape
    return "\t".join(
        (
            ",".join(map(str, recipe.metals)),
            "|".join(recipe.graphs),
            "|".join(recipe.words),
            ",".join(map(str, shape.metals)),
            "|".join(",".join(f"{kept}:{n}" for kept, n in share) for share in shape.linkers),
            ",".join(f"{formula}:{n}" for formula, n in shape.rest),
            str(recipe.units),
            f"{recipe.room:.3f}",
        )
    )


def _read(line: str) -> Recipe:
    """Read what `_written` wrote."""
    metals, graphs, words, numbers, linkers, rest, units, room = line.split("\t")
    shares = tuple(tuple(_pair(pair) for pair in share.split(",")) for share in linkers.split("|"))
    others = tuple((formula, int(n)) for formula, n in (pair.split(":") for pair in rest.split(",") if pair))
    shape = Shape(tuple(map(int, numbers.split(","))), shares, others)
    held = tuple(map(int, metals.split(",")))
    return Recipe(held, tuple(graphs.split("|")), tuple(words.split("|")), shape, int(units), float(room))


def _pair(text: str) -> tuple[int, int]:
    kept, number = text.split(":")
    return int(kept), int(number)
