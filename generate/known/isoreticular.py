"""Crystals that nobody has: a known framework with the linkers of another one.

Frameworks of one net that differ in their linkers are called isoreticular (Eddaoudi et al., 2002). Given the contents
of a cell, each known framework is asked which of its linkers would have to be others, and the others whether they have
those. `generate.known.exchange` puts them in.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations, permutations

import numpy as np
from numpy.typing import NDArray

from xtal.crystals import HIGHEST_NUMBER
from xtal.crystals.linkers import METALS, Framework, Grips, Linker

MOST_KINDS = 2  # of linkers that are exchanged at once
WEIGHTS = np.random.default_rng(0).integers(1, 2**40, HIGHEST_NUMBER + 1)  # of elements: sums tell compositions apart


@dataclass(frozen=True, eq=False)
class Exchange:
    """Give a framework other linkers.

    Attributes:
        host: row of the framework.
        donor: row of the one that the new linkers are taken from.
        linkers: the new linker by the kind that it replaces, wherever that is.
        result: how many linkers of each kind there will be.
    """

    host: int
    donor: int
    linkers: Mapping[int, Linker]
    result: frozenset[tuple[int, int]]


def with_metal(framework: Framework, numbers: NDArray[np.integer]) -> Framework:
    """Return a framework of one metal with that of the atoms (N,), where those hold one metal and as much of it."""
    crystal, metals = framework.crystal, METALS[framework.crystal.numbers]
    wanted = numbers[METALS[numbers]]
    if len(set(wanted.tolist())) != 1 or len(set(crystal.numbers[metals].tolist())) != 1 or metals.sum() != len(wanted):
        return framework
    return replace(framework, crystal=replace(crystal, numbers=np.where(metals, wanted[0], crystal.numbers)))


def exchanges(frameworks: Sequence[Framework], numbers: NDArray[np.integer]) -> Iterator[Exchange]:
    """Yield every exchange of up to `MOST_KINDS` kinds of linkers that gives a framework the atoms (N,).

    A framework that holds these already is its own donor, of no linkers.
    """
    offers, wanted = _Offers(frameworks), _weight(numbers)
    for host, framework in enumerate(frameworks):
        counts = Counter(linker.kind for linker in framework.linkers)
        of_kind = {linker.kind: linker for linker in framework.linkers}
        lacking = wanted - _weight(framework.crystal.numbers)
        if not lacking:
            yield Exchange(host, host, {}, _result(counts, {}))
        for size in range(1, MOST_KINDS + 1):
            for kinds in combinations(counts, size):
                times = tuple(counts[kind] for kind in kinds)
                old = tuple(of_kind[kind] for kind in kinds)
                sought = lacking + _sum(times, old)
                for donor, new in offers.of(tuple(linker.grips for linker in old), times).get(sought, ()):
                    linkers = dict(zip(kinds, new, strict=True))
                    if all(kind != linker.kind for kind, linker in linkers.items()):
                        yield Exchange(host, donor, linkers, _result(counts, linkers))


def _result(counts: Mapping[int, int], linkers: Mapping[int, Linker]) -> frozenset[tuple[int, int]]:
    """Count the kinds after an exchange."""
    after = Counter[int]()
    for kind, count in counts.items():
        after[linkers[kind].kind if kind in linkers else kind] += count
    return frozenset(after.items())


Offer = tuple[int, tuple[Linker, ...]]
"""Row of a framework, and linkers of different kinds that it holds."""


class _Offers:
    """What frameworks have to give: each set of kinds once, from the first framework that holds it."""

    def __init__(self, frameworks: Sequence[Framework]) -> None:
        self._held: dict[tuple[Grips, ...], dict[tuple[int, ...], Offer]] = defaultdict(dict)
        for row, framework in enumerate(frameworks):
            of_kind = {linker.kind: linker for linker in framework.linkers}
            for size in range(1, MOST_KINDS + 1):
                for linkers in permutations(of_kind.values(), size):
                    alike = self._held[tuple(linker.grips for linker in linkers)]
                    alike.setdefault(tuple(linker.kind for linker in linkers), (row, linkers))
        self.of = cache(self._of)

    def _of(self, grips: tuple[Grips, ...], times: tuple[int, ...]) -> dict[int, list[Offer]]:
        """Return what has these grips by the weight of its atoms, each linker taken so many `times`."""
        found = defaultdict(list)
        for offer in self._held[grips].values():
            found[_sum(times, offer[1])].append(offer)
        return dict(found)


def _sum(times: Sequence[int], linkers: Sequence[Linker]) -> int:
    return sum(n * _weight(linker.numbers) for n, linker in zip(times, linkers, strict=True))


def _weight(numbers: NDArray[np.integer]) -> int:
    """Sum of the weights of atoms (N,): the same for the same composition and, in practice, for no other."""
    return int(WEIGHTS[numbers].sum())
