"""How probable a set of parts is, before any pattern is looked at.

The score is a weighted sum; its weights are those under which the true sets of crystals that were held out from the
library are most probable among sets of the same atoms (a conditional logit, McFadden, 1974): 170 crystals of the
validation split of `mof400`, with the library of its training split.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import combinations
from math import log
from typing import Self

import numpy as np
from numpy.typing import NDArray

from generate.parts.chemistry import ELEMENTS
from generate.parts.groups import GROUPS, Decoration, decorations
from generate.parts.library import Kind, Library
from xtal.crystals.linkers import METALS

UNSEEN = 0.5  # added to counts, so that nothing is impossible
EXTRA_SHARE = 0.02  # of all crystals hold a kind that the chemist gives: as much as a common linker
BACKBONES = 150  # linkers that functional groups are put on
DECORATED = log(1e-4)  # how probable a linker with one new group is, beside the linker itself
MORE_GROUPS, RARER_GROUP = -0.5, -0.15  # for each further group, and for each place in the order of `GROUPS`
HYDROGEN = 1
RAREST_CHARGE = -3.0  # ln: databases leave out hydrogens, so that any charge may seem to be needed
MOST_IMBALANCE = 2.0  # where penalties for charges and bonds end


@dataclass(frozen=True)
class Weights:
    """What each sign is worth, in units of ln probability.

    Attributes:
        frequency: of ln of the share of crystals that hold a kind.
        element: of ln of how much more often it occurs with the metals at hand.
        together: of ln of how much more often two kinds occur together than by chance.
        metals, others: of each kind with and without metals.
        charge: of ln of the share of crystals in which the metal has the charge that is needed.
        imbalance: of the charge left over for each metal part, where there are several kinds of these.
        ties: of |ln| of the bonds that metals have to offer over those that the others ask for.
        factor: of ln of the common factor of the atoms over that of the parts.
        number: of the sum of ln of the parts' numbers over their common factor.
        unknown: of each kind without metals whose charge is not known.
        company: of ln of one more than the crystals that hold just these kinds without metals.
        ratio: the same, in these proportions too.
        pattern: of ln of the share of crystals whose parts have such roles and charges in such proportions.
    """

    frequency: float = 0.83
    element: float = 0.07
    together: float = 0.93
    metals: float = 1.58
    others: float = 0.21
    charge: float = 0.36
    imbalance: float = -0.64
    ties: float = -1.54
    factor: float = 0.89
    number: float = -0.47
    unknown: float = -0.2
    company: float = 0.72
    ratio: float = 0.54
    pattern: float = 0.34

    def array(self) -> NDArray[np.float64]:
        """Return the weights in the order of `Prior.signs`."""
        return np.array(list(vars(self).values()))


@dataclass(frozen=True, eq=False)
class Prior:
    """What a library says of K kinds, those that the chemist gives behind its own.

    Attributes:
        kinds: K.
        atoms: (K, 99) of each element.
        metal: (K,) whether a kind holds metals.
        frequency: (K,) ln of the share of crystals.
        beside: (K, 99) ln of how much more often than by chance the kind occurs with a metal element.
        charge: (K,) electrons, 0 where unknown.
        known: (K,) whether the charge is known, or that of a metal.
        ties: (K,) usual number of bonds to other parts.
        pairs: crystals that hold two kinds (the lower row first).
        votes: crystals in which a metal or node has a charge.
        companies: crystals by their kinds without metals.
        ratios: crystals by these and their proportions.
        patterns: crystals by the roles and charges of all their kinds and their proportions.
        counts: (K,) crystals.
        crystals: how many there are.
    """

    kinds: tuple[Kind | Decoration, ...]
    atoms: NDArray[np.int64]
    metal: NDArray[np.bool_]
    frequency: NDArray[np.float64]
    beside: NDArray[np.float64]
    charge: NDArray[np.int64]
    known: NDArray[np.bool_]
    ties: NDArray[np.float64]
    pairs: dict[tuple[int, int], int]
    votes: dict[int, Counter[int]]
    companies: Counter[Hashable]
    ratios: Counter[Hashable]
    patterns: Counter[Hashable]
    counts: NDArray[np.float64]
    crystals: int

    def signs(self, rows: Sequence[int], number: Sequence[int], elements: NDArray[np.int64], factor: int) -> NDArray:
        """Return the (14,) signs of `Weights` for a set of parts.

        Args:
            rows: of the kinds.
            number: of parts of each kind.
            elements: the metals at hand.
            factor: greatest common divisor of the numbers of atoms.
        """
        at, times = np.asarray(rows), np.asarray(number)
        metal = self.metal[at]
        share = int(np.gcd.reduce(times))
        charge = int(times @ self.charge[at])
        mine, total = at[metal], int(times[metal].sum())
        if len(mine) == 1:
            fits, left = self._charge_of(int(mine[0]), self.charge[mine[0]] - charge / total), 0.0
        else:
            fits, left = 0.0, min(abs(charge) / max(total, 1), MOST_IMBALANCE)
        offered, asked = times[metal] @ self.ties[mine], times[~metal] @ self.ties[at[~metal]]
        return np.array(
            [
                self.frequency[at].sum(),
                mean_of_rows(self.beside[np.ix_(at[~metal], elements)]).sum(),
                sum(self._together(i, j) for i, j in combinations(sorted(rows), 2)),
                len(mine),
                len(at) - len(mine),
                fits,
                left,
                min(abs(log((offered + 1) / (asked + 1))), MOST_IMBALANCE) if len(mine) else 0.0,
                log(factor / share),
                np.log(times / share).sum(),
                (~self.known[at]).sum(),
                log(1 + self.companies[tuple(sorted(at[~metal].tolist()))]),
                log(1 + self.ratios[_ratio(at[~metal], times[~metal])]),
                log((self.patterns[_pattern(self.kinds, at, times // share)] + UNSEEN) / self.crystals),
            ]
        )

    def decorated(self, wanted: NDArray[np.int64], metals: NDArray[np.int64]) -> Self:
        """Return the prior with linkers behind its own kinds that carry functional groups and fit into atoms (99,).

        They are made from the `BACKBONES` linkers that are most usual with the metals at hand.
        """
        usual = self.frequency + mean_of_rows(self.beside[:, metals])
        plain = (self.atoms - np.eye(ELEMENTS, dtype=np.int64)[HYDROGEN] * self.atoms[:, [HYDROGEN]] <= wanted).all(
            axis=1
        )
        able = [k.role == "linker" and fits for k, fits in zip(self.kinds, plain, strict=True) if isinstance(k, Kind)]
        rows = np.flatnonzero(able)
        rows = rows[np.argsort(-usual[rows], kind="stable")[:BACKBONES]]
        made = [
            (row, decoration)
            for row in rows.tolist()
            for kind in (self.kinds[row],)
            if isinstance(kind, Kind)
            for decoration in decorations(kind, wanted)
        ]
        at = np.array([*range(len(self.kinds)), *(row for row, _ in made)])
        frequency = self.frequency[at]
        frequency[len(self.kinds) :] += [
            DECORATED + MORE_GROUPS * (d.number - 1) + RARER_GROUP * GROUPS.index(d.group) for _, d in made
        ]
        counts = self.counts[at]
        counts[len(self.kinds) :] = 0
        beyond = [d.atoms for _, d in made]
        return replace(
            self,
            kinds=(*self.kinds, *(d for _, d in made)),
            atoms=np.concatenate([self.atoms, np.array(beyond, dtype=np.int64).reshape(-1, ELEMENTS)]),
            metal=self.metal[at],
            frequency=frequency,
            beside=self.beside[at],
            charge=self.charge[at],
            known=self.known[at],
            ties=self.ties[at],
            counts=counts,
        )

    def _charge_of(self, row: int, charge: float) -> float:
        """Return ln of the share of crystals in which a metal or node has this charge."""
        votes = self.votes.get(row, Counter())
        met = votes[round(charge)] if abs(charge - round(charge)) < 1e-9 else 0
        return max(log((met + UNSEEN) / (votes.total() + 5 * UNSEEN)), RAREST_CHARGE)

    def _together(self, i: int, j: int) -> float:
        """Return ln of how much more often two kinds occur together than by chance."""
        chance = self.counts[i] * self.counts[j] / self.crystals
        return log((self.pairs.get((i, j), 0) + 1) / (chance + 1))


@lru_cache(maxsize=4)
def prior_of(library: Library, extra: tuple[Kind, ...] = ()) -> Prior:
    """Sum up a library; kinds that the chemist gives count as common ones."""
    added = tuple(kind for kind in extra if kind.key not in library.row)
    given = {kind.key for kind in extra}
    kinds = (*library.kinds, *added)
    size = max(len(library), 1)
    counts = np.array([float(kind.count) for kind in kinds])
    counts[[row for row, kind in enumerate(kinds) if kind.key in given]] += EXTRA_SHARE * size
    metal = np.array([METALS[kind.numbers].any() for kind in kinds], dtype=bool)
    crystal = np.repeat(np.arange(len(library)), np.diff(library.offsets))
    present = np.zeros((len(library), library.elements.shape[1]))
    np.add.at(present, crystal, library.elements[library.held])
    present = (present > 0) & METALS
    with_element = np.zeros((len(kinds), present.shape[1]))
    np.add.at(with_element, library.held, present[crystal])
    chance = counts[:, None] * present.sum(axis=0) / size
    charge = np.array([kind.charge or 0 for kind in kinds])
    pairs: Counter[tuple[int, int]] = Counter()
    companies, ratios, patterns = Counter[Hashable](), Counter[Hashable](), Counter[Hashable]()
    for first, last in zip(library.offsets[:-1], library.offsets[1:], strict=True):
        held, number = library.held[first:last], library.number[first:last]
        others = ~metal[held]
        pairs.update(combinations(sorted(held.tolist()), 2))
        companies[tuple(sorted(held[others].tolist()))] += 1
        ratios[_ratio(held[others], number[others])] += 1
        patterns[_pattern(kinds, held, number // np.gcd.reduce(number))] += 1
    return Prior(
        kinds,
        np.array([np.bincount(kind.numbers, minlength=ELEMENTS) for kind in kinds]).reshape(-1, ELEMENTS),
        metal,
        np.log((counts + UNSEEN) / size),
        np.log((with_element + 1) / (chance + 1)),
        charge,
        metal | np.array([kind.charge is not None for kind in kinds], dtype=bool),
        np.array([kind.ties for kind in kinds]),
        dict(pairs),
        metal_charges(library, metal, charge),
        companies,
        ratios,
        patterns,
        counts,
        size,
    )


def metal_charges(library: Library, metal: NDArray[np.bool_], charge: NDArray[np.int64]) -> dict[int, Counter[int]]:
    """Count the charges that metals and nodes must have where they are the only kind of these in a crystal.

    Args:
        library: K kinds and the crystals that hold them.
        metal: (K,) whether a kind holds metals.
        charge: (K,) of the others, electrons.
    """
    votes: dict[int, Counter[int]] = defaultdict(Counter)
    for first, last in zip(library.offsets[:-1], library.offsets[1:], strict=True):
        held, number = library.held[first:last], library.number[first:last]
        mine = np.flatnonzero(metal[held])
        if len(mine) == 1:
            others = ~metal[held]
            needed, rest = divmod(-int(number[others] @ charge[held[others]]), int(number[mine[0]]))
            if rest == 0 and needed >= 0:
                votes[int(held[mine[0]])][needed] += 1
    return dict(votes)


def _ratio(rows: NDArray[np.integer], number: NDArray[np.integer]) -> Hashable:
    """Return kinds with their proportions."""
    share = max(int(np.gcd.reduce(number)), 1)
    return tuple(sorted(zip(rows.tolist(), (number // share).tolist(), strict=True)))


def _pattern(kinds: Sequence[Kind | Decoration], rows: NDArray[np.integer], number: NDArray[np.integer]) -> Hashable:
    """Return the roles and charges of parts with their numbers."""
    some = (kinds[row] for row in rows.tolist())
    return tuple(sorted((k.role, k.charge or 0, n) for k, n in zip(some, number.tolist(), strict=True)))


def mean_of_rows(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the mean of each row, 0 of empty ones."""
    return values.mean(axis=1) if values.shape[1] else np.zeros(len(values))
