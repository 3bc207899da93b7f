"""What a molecule binds metals with, told from its bonds alone, so that it is the same for crystals and for SMILES."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

HYDROGEN, CARBON, NITROGEN, OXYGEN, PHOSPHORUS, SULFUR = 1, 6, 7, 8, 15, 16
CHARGES = {"c": 1, "a": 1, "s": 1, "p": 2, "t": 1}  # negative ones of groups without hydrogen


@dataclass(frozen=True)
class Groups:
    """The groups of a molecule that bind metals.

    Attributes:
        words: letters with counts: ``c`` carboxylates, ``s`` sulfonates, ``p`` phosphonates, ``o`` phenolates and their
            like beside another oxygen, ``t`` thiolates, ``a`` azolates with the number of their nitrogens (``a3x2``:
            two triazolates), ``n`` nitrogens of pyridines and substituted azoles, ``m`` amines, ``y`` nitriles.
        kept: acid hydrogens that are there.
        charge: of the molecule, as far as these groups tell.
    """

    words: str
    kept: int
    charge: int


def groups_of(numbers: ArrayLike, bonds: ArrayLike) -> Groups:
    """Describe a molecule of atoms (n,) with bonds (B, 2)."""
    molecule = _Molecule(np.asarray(numbers).tolist(), np.reshape(np.asarray(bonds), (-1, 2)).tolist())
    counts, kept = Counter[str](), 0
    for letter, hydrogens in molecule.groups():
        counts[letter] += 1
        kept += hydrogens
    charge = kept - sum(CHARGES.get(letter[0], 0) * n for letter, n in counts.items())
    charge -= 2 if counts["o"] == 4 and not counts["c"] else counts["o"]  # of a quinone's four oxygens two are charged
    if counts.keys() - {"m", "y"}:  # amines and nitriles count where nothing better is there
        counts = Counter({letter: n for letter, n in counts.items() if letter not in "my"})
    return Groups(" ".join(f"{letter}x{n}" for letter, n in sorted(counts.items())), kept, charge)


class _Molecule:
    """Neighbours of every atom."""

    def __init__(self, numbers: list[int], bonds: list[list[int]]) -> None:
        self.numbers = numbers
        self.near: list[list[int]] = [[] for _ in numbers]
        for i, j in bonds:
            self.near[i].append(j)
            self.near[j].append(i)
        self.heavy = [[j for j in around if numbers[j] != HYDROGEN] for around in self.near]

    def groups(self) -> Iterator[tuple[str, int]]:
        """Yield each group with the acid hydrogens that it holds."""
        for atom, number in enumerate(self.numbers):
            ends = self._ends(atom)
            if number == CARBON and self._carboxyl(atom):
                yield "c", sum(map(self._hydrogens, ends))
            elif number == SULFUR and len(ends) == 3:
                yield "s", sum(map(self._hydrogens, ends))
            elif number == PHOSPHORUS and len(ends) == 3:
                yield "p", sum(map(self._hydrogens, ends))
            elif number == SULFUR and len(self.heavy[atom]) == 1 and self.numbers[self.heavy[atom][0]] == CARBON:
                yield "t", self._hydrogens(atom)
        for atom in self._phenolic():
            yield "o", self._hydrogens(atom)
        yield from self._nitrogens()

    def _nitrogens(self) -> Iterator[tuple[str, int]]:
        """Yield the groups of nitrogen."""
        seen: set[int] = set()
        for atom in (a for a, number in enumerate(self.numbers) if number == NITROGEN):
            if atom in seen:
                continue
            five = self._ring(atom, 5)
            nitrogens = [a for a in five if self.numbers[a] == NITROGEN]
            if len(nitrogens) > 1:
                seen.update(nitrogens)
                if all(len(self.heavy[a]) == 2 for a in nitrogens):
                    yield f"a{len(nitrogens)}", sum(map(self._hydrogens, nitrogens))
                else:
                    yield from (("n", 0) for a in nitrogens if len(self.heavy[a]) == 2)
            elif len(self.near[atom]) == 2 and (self._ring(atom, 6) or five):
                yield "n", 0
            elif len(self.heavy[atom]) == 1 and len(self.near[atom]) == 1:
                if len(self.heavy[self.heavy[atom][0]]) == 2:
                    yield "y", 0
            elif len(self.near[atom]) == 3 and not self._flat(atom):
                yield "m", 0

    def _ring(self, atom: int, size: int) -> tuple[int, ...]:
        """Return the first unsaturated ring of carbon and nitrogen of so many atoms through an atom; else nothing."""
        paths: list[tuple[int, ...]] = [(atom, other) for other in self.heavy[atom]]
        for _ in range(size - 2):
            paths = [
                (*path, n) for path in paths for n in self.heavy[path[-1]] if n not in path and self._unsaturated(n)
            ]
        return next((path for path in paths if atom in self.heavy[path[-1]] and self._unsaturated(path[1])), ())

    def _unsaturated(self, atom: int) -> bool:
        return self.numbers[atom] in (CARBON, NITROGEN) and len(self.near[atom]) <= 3

    def _flat(self, atom: int) -> bool:
        """Whether a nitrogen is bonded to a carbon of three neighbours, as in amides and anilines."""
        return any(len(self.near[other]) <= 3 for other in self.heavy[atom])

    def _beside(self, carbon: int) -> bool:
        """Whether a neighbouring carbon, itself no carboxyl, bears a carboxyl group or another terminal oxygen."""
        around = [c for c in self.heavy[carbon] if self.numbers[c] == CARBON and len(self.near[c]) == 3]
        if any(map(self._carboxyl, around)):
            return False
        return any(self._ends(c) or any(map(self._carboxyl, self.heavy[c])) for c in around)

    def _phenolic(self) -> Iterator[int]:
        """Yield terminal oxygens of carbons with three neighbours that stand beside other oxygens."""
        for atom, number in enumerate(self.numbers):
            if number == OXYGEN and len(self.heavy[atom]) == 1:
                carbon = self.heavy[atom][0]
                plain = self.numbers[carbon] == CARBON and len(self.near[carbon]) == 3 and not self._carboxyl(carbon)
                if plain and self._beside(carbon):
                    yield atom

    def _carboxyl(self, atom: int) -> bool:
        return self.numbers[atom] == CARBON and len(self._ends(atom)) == 2 and len(self.near[atom]) == 3

    def _ends(self, atom: int) -> list[int]:
        """Oxygens bonded to an atom and to nothing else but hydrogen."""
        return [o for o in self.heavy[atom] if self.numbers[o] == OXYGEN and len(self.heavy[o]) == 1]

    def _hydrogens(self, atom: int) -> int:
        return len(self.near[atom]) - len(self.heavy[atom])
