"""Which parts make up the atoms of a cell: sets of parts, the most probable first.

Thousands of sets may give the same atoms, so they are never listed. Metals and nodes are chosen first, then up to
`MOST_CHOSEN` common molecules or ions one by one, best first; from each such beginning all ways to end it with none,
one or two further kinds (three of the more usual ones) are looked up at once, by sums of random numbers that stand for
elements.
"""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import count, islice, product
from math import log

import numpy as np
from numpy.typing import NDArray

from generate.parts.chemistry import ELEMENTS
from generate.parts.groups import Decoration
from generate.parts.library import Kind, Library
from generate.parts.prior import MOST_IMBALANCE, Prior, Weights, mean_of_rows, prior_of
from xtal.crystals.linkers import METALS
from xtal.interrupt import look_up

MOST_CHOSEN = 3  # kinds without metals before the last two
MOST_METAL_KINDS = 3
COMMON = 60  # kinds without metals that are chosen one by one: those most usual with these metals
HOPE = 4.0  # what kinds that often occur together may add to what they are worth one by one
EXPANDED = 400  # beginnings that are ended in all ways: 1 to 2 s
PLACINGS = 6  # choices of places for functional groups that are offered
USUAL, TRIPLED = 1500, 6  # offers of which any three are tried as an end, and for how many sets of metals
MEASURED = 30  # ends of one beginning that get a full score, the most promising ones
CODES = np.random.default_rng(0).integers(1, 2**44, ELEMENTS)  # of elements: sums tell compositions apart


@dataclass(frozen=True, eq=False)
class Composition:
    """A set of parts.

    Attributes:
        parts: kinds and their numbers in the cell.
        score: ln of its probability, but for a constant.
    """

    parts: tuple[tuple[Kind, int], ...]
    score: float


def compositions(
    library: Library, numbers: NDArray[np.integer], extra: Sequence[Kind] = (), weights: Weights | None = None
) -> Iterator[Composition]:
    """Yield sets of parts whose atoms are exactly those of the cell, the most probable first (nearly always).

    Args:
        library: the kinds to choose from.
        numbers: (N,) atomic numbers of the cell.
        extra: kinds that the chemist gives; they count as common.
        weights: of the signs; by default those that were fitted to held-out crystals.
    """
    search = _Search(prior_of(library, tuple(extra)), np.bincount(numbers, minlength=ELEMENTS), weights or Weights())
    met = set()
    for rows, number, score in search.found():
        for kinds, share in search.settled(rows):
            name = frozenset(zip((kind.key for kind in kinds), number, strict=True))
            if name not in met:
                met.add(name)
                yield Composition(tuple(zip(kinds, number, strict=True)), score + share)


Chosen = tuple[tuple[int, int], ...]
"""Rows of kinds and the numbers of their parts."""


class _Search:
    """One question: what there is to choose from, and what was tried."""

    def __init__(self, prior: Prior, wanted: NDArray[np.int64], weights: Weights) -> None:
        self._metals = np.flatnonzero(METALS & (wanted > 0))
        self._wanted, self._weights = wanted, weights.array()
        self._prior = prior.decorated(wanted, self._metals)
        self._factor = int(np.gcd.reduce(wanted))
        prior, atoms = self._prior, self._prior.atoms
        fits = np.flatnonzero((atoms <= wanted).all(axis=1))
        most = np.array([(wanted[v > 0] // v[v > 0]).min() for v in atoms[fits]], dtype=np.int64)
        self._row = np.repeat(fits, most)  # one offer for each kind and number
        self._number = np.concatenate([np.arange(1, n + 1) for n in most] or [np.empty(0, int)])
        self._atoms = atoms[self._row] * self._number[:, None]
        usual = self._weights[0] * prior.frequency + self._weights[1] * mean_of_rows(prior.beside[:, self._metals])
        self._worth = usual[self._row] + self._weights[9] * np.log(self._number)
        light = np.flatnonzero(~prior.metal[self._row])
        self._light = light[np.argsort(self._code(self._atoms[light]), kind="stable")]
        self._light_code = self._code(self._atoms[self._light])
        kinds = fits[~prior.metal[fits]]
        common = kinds[np.argsort(-usual[kinds], kind="stable")[:COMMON]]
        self._common = light[np.isin(self._row[light], common)]
        self._seen: set[Chosen] = set()
        self._tripled = 0

    def found(self) -> Iterator[tuple[list[int], list[int], float]]:
        """Yield rows, numbers and scores of whole sets, best first."""
        order = count()
        begun = [(-self._partial(chosen), next(order), chosen, 0) for chosen in self._covers()]
        heapq.heapify(begun)
        ready: list[tuple[float, int, Chosen]] = []
        for _ in range(EXPANDED):
            if not begun:
                break
            look_up()
            bound, _, chosen, last = heapq.heappop(begun)
            while ready and ready[0][0] <= bound - HOPE:
                yield self._answer(heapq.heappop(ready))
            left = self._wanted - self._atoms[list(chosen)].sum(axis=0)
            for score, parts in self._ended(chosen, left):
                heapq.heappush(ready, (-score, next(order), parts))
            if len(chosen) - self._prior.metal[self._row[list(chosen)]].sum() < MOST_CHOSEN:
                at = np.arange(last, len(self._common))
                offers = self._common[at]
                free = (self._atoms[offers] <= left).all(axis=1) & ~np.isin(self._row[offers], self._row[list(chosen)])
                worth = bound - self._worth[offers] - self._weights[4]
                for k in np.flatnonzero(free).tolist():
                    more = (*chosen, int(offers[k]))
                    heapq.heappush(begun, (float(worth[k]), next(order), more, int(at[k]) + 1))
        while ready:
            yield self._answer(heapq.heappop(ready))

    def settled(self, rows: Sequence[int]) -> list[tuple[tuple[Kind, ...], float]]:
        """Return the kinds, with groups in up to `PLACINGS` different places, and ln of the share of each choice."""
        kinds = [self._prior.kinds[row] for row in rows]
        choices = [kind.kinds(PLACINGS) if isinstance(kind, Decoration) else [kind] for kind in kinds]
        placed = list(islice(product(*choices), PLACINGS))
        return [(tuple(some), -log(len(placed))) for some in placed]

    @staticmethod
    def _answer(ready: tuple[float, int, Chosen]) -> tuple[list[int], list[int], float]:
        """Split what is ready into rows, numbers and score."""
        rows, number = zip(*ready[2], strict=True)
        return list(rows), list(number), -ready[0]

    def _partial(self, chosen: tuple[int, ...]) -> float:
        """Return what the kinds are worth one by one: an upper bound of a whole set's score, nearly always."""
        at = list(chosen)
        metal = self._prior.metal[self._row[at]]
        return float(self._worth[at].sum() + self._weights[3] * metal.sum() + self._weights[4] * (~metal).sum())

    def _covers(self) -> Iterator[tuple[int, ...]]:
        """Yield sets of up to `MOST_METAL_KINDS` kinds that hold all metals."""
        heavy = np.flatnonzero(self._prior.metal[self._row])
        holding = {z: heavy[self._atoms[heavy, z] > 0] for z in self._metals.tolist()}
        stack: list[tuple[tuple[int, ...], NDArray[np.int64]]] = [((), self._wanted)]
        seen = set()
        while stack:
            chosen, left = stack.pop()
            lacking = self._metals[left[self._metals] > 0]
            if not len(lacking):
                if (found := frozenset(chosen)) not in seen:
                    seen.add(found)
                    yield chosen
            elif len(chosen) < MOST_METAL_KINDS:
                offers = holding[int(lacking[0])]
                fits = (self._atoms[offers] <= left).all(axis=1) & ~np.isin(self._row[offers], self._row[list(chosen)])
                stack += [((*chosen, offer), left - self._atoms[offer]) for offer in offers[fits].tolist()]

    def _ended(self, chosen: tuple[int, ...], left: NDArray[np.int64]) -> Iterator[tuple[float, Chosen]]:
        """Yield scores and parts of the whole sets that begin with the chosen offers and end with few more."""
        ends = self._last(chosen, left) if left.any() else [()]
        for end in ends:
            offers = [*chosen, *end]
            parts = tuple(sorted(zip(self._row[offers].tolist(), self._number[offers].tolist(), strict=True)))
            if parts not in self._seen:
                self._seen.add(parts)
                rows, number = zip(*parts, strict=True)
                signs = self._prior.signs(rows, number, self._metals, self._factor)
                yield float(signs @ self._weights), parts

    def _last(self, chosen: tuple[int, ...], left: NDArray[np.int64]) -> list[tuple[int, ...]]:
        """Return offers of one, two or three kinds that hold exactly the atoms left, the likeliest ones."""
        code, offers, goal = self._light_code, self._light, int(left @ CODES)
        used = self._row[list(chosen)]
        single = offers[np.searchsorted(code, goal, "left") : np.searchsorted(code, goal, "right")]
        single = single[~np.isin(self._row[single], used)]
        single = single[np.argsort(-self._worth[single], kind="stable")[:MEASURED]]
        half = np.flatnonzero(2 * code <= goal)
        low, high = np.searchsorted(code, goal - code[half], "left"), np.searchsorted(code, goal - code[half], "right")
        start, second = _ranges(low, high)
        first = half[start]
        one, two = offers[first], offers[second]
        free = (self._row[one] != self._row[two]) & ~np.isin(self._row[one], used) & ~np.isin(self._row[two], used)
        pairs = np.column_stack([one, two])[free]
        triples = np.empty((0, 3), dtype=np.int64)
        if self._prior.metal[self._row[list(chosen)]].all() and self._tripled < TRIPLED:
            self._tripled += 1
            triples = self._triples(goal)
        likely = [
            tuple(end)
            for ends in (pairs, triples)
            for end in ends[np.argsort(-self._promise(chosen, ends), kind="stable")[:MEASURED]].tolist()
        ]
        return [(offer,) for offer in single.tolist()] + likely

    def _triples(self, goal: int) -> NDArray[np.int64]:
        """Return (E, 3) offers of three of the most usual kinds that add up to a code."""
        usual, code = self._usual
        first, second, sums = self._pairs
        low, high = np.searchsorted(sums, goal - code, "left"), np.searchsorted(sums, goal - code, "right")
        third, at = _ranges(low, high)
        ordered = third > second[at]
        third, at = usual[third[ordered]], at[ordered]
        ends = np.column_stack([usual[first[at]], usual[second[at]], third])
        row = self._row[ends]
        return ends[(row[:, 0] != row[:, 1]) & (row[:, 0] != row[:, 2]) & (row[:, 1] != row[:, 2])]

    @cached_property
    def _usual(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The offers of the kinds without metals that are most usual, and their codes."""
        usual = self._light[np.argsort(-self._worth[self._light], kind="stable")[:USUAL]]
        return usual, self._code(self._atoms[usual])

    @cached_property
    def _pairs(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """All pairs of these offers, as rows of them, and their codes, ascending."""
        first, second = np.triu_indices(len(self._usual[0]), 1)
        sums = self._usual[1][first] + self._usual[1][second]
        order = np.argsort(sums)
        return first[order], second[order], sums[order]

    def _promise(self, chosen: tuple[int, ...], pairs: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return (E,) what pairs of offers are worth, with charges and bonds, but not how kinds go together."""
        prior, at = self._prior, list(chosen)
        number, row = self._number, self._row
        metal = prior.metal[row[at]]
        total = max(int(number[at][metal].sum()), 1)
        charge = number[at] @ prior.charge[row[at]] + (number[pairs] * prior.charge[row[pairs]]).sum(axis=1)
        offered = number[at][metal] @ prior.ties[row[at][metal]]
        asked = number[at][~metal] @ prior.ties[row[at][~metal]] + (number[pairs] * prior.ties[row[pairs]]).sum(axis=1)
        worth = self._worth[pairs].sum(axis=1) - np.minimum(abs(charge) / total, MOST_IMBALANCE)
        return worth + self._weights[7] * np.minimum(abs(np.log((offered + 1) / (asked + 1))), MOST_IMBALANCE)

    @staticmethod
    def _code(atoms: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return (M,) sums of the elements' numbers."""
        return atoms @ CODES


def _ranges(low: NDArray[np.int64], high: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return all numbers of the ranges ``low[i] <= number < high[i]``, behind the i of each."""
    times = high - low
    which = np.repeat(np.arange(len(low)), times)
    return which, np.arange(len(which)) + np.repeat(low - np.cumsum(times) + times, times)
