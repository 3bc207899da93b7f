"""Begin from a known crystal: give a neighbour the composition that is asked for."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, cycle, islice, repeat

import gemmi
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from generate.known.gallery import Neighbour
from generate.start import Start
from xtal.crystals import Crystal

LOOKED_AT = 50  # nearest known crystals from which templates are chosen
FEW_CHANGES = 0.35  # share of atoms that a template may have to gain, lose or change
TEMPLATES = 10  # begun from in turn
BOND = 1.4  # Å from an atom that is there, where a missing one is put: noise moves it anyway


def in_turn(built: Sequence[Start], known: Sequence[Start], count: int) -> list[Start | None]:
    """Begin with what was built; the others are templates as they are, noised templates and noise (None) in turn."""
    turns = [(start, replace(start, diffused=True), None) for start in known]
    others = cycle(chain.from_iterable(turns)) if known else repeat(None)
    return [*built, *islice(others, count - len(built))]


def templates(near: Sequence[Neighbour], numbers: NDArray[np.int64]) -> list[Start]:
    """Choose of the nearest crystals those that need few changes to hold the atoms (N,)."""
    chosen = [n for n in near[:LOOKED_AT] if difference(n.crystal, numbers) <= FEW_CHANGES]
    chosen.sort(key=lambda n: difference(n.crystal, numbers) - n.similarity)
    return [Start(n.id, n.crystal) for n in chosen[:TEMPLATES]]


def difference(crystal: Crystal, numbers: NDArray[np.integer]) -> float:
    """Share of atoms (N,) that a crystal would have to gain, lose or change to have these; 0 is none."""
    there, wanted = Counter(crystal.numbers.tolist()), Counter(numbers.tolist())
    return max((wanted - there).total(), (there - wanted).total()) / len(numbers)


def adapted(crystal: Crystal, numbers: NDArray[np.integer], rng: Generator) -> NDArray[np.float64]:
    """Place the atoms `numbers` (N,) like those of a crystal; return their fractional coordinates (N, 3).

    Atoms of an element that is asked for stay. Where there are too many of one element and too few of another,
    atoms change; those still too many go; those still missing are put beside others.
    """
    order = rng.permutation(len(crystal))
    have, places = crystal.numbers[order].astype(np.int64), crystal.frac_coords[order]
    missing, surplus = _changes(have, numbers)
    for old, new in _exchanges(missing, surplus):
        have[np.flatnonzero(have == old)[0]] = new
    missing, surplus = _changes(have, numbers)
    gone = [row for element, count in surplus.items() for row in np.flatnonzero(have == element)[:count]]
    have, places = np.delete(have, gone), np.delete(places, gone, axis=0)
    added = np.array(list(missing.elements()), dtype=np.int64)
    beside = places[rng.integers(len(places), size=len(added))]
    step = rng.standard_normal((len(added), 3))
    step *= BOND / np.linalg.norm(step, axis=1, keepdims=True)
    have = np.concatenate([have, added])
    places = np.concatenate([places, beside + step @ np.linalg.inv(crystal.lattice)]) % 1
    result = np.empty((len(numbers), 3))
    result[np.argsort(numbers, kind="stable")] = places[np.argsort(have, kind="stable")]
    return result


def _changes(have: NDArray, numbers: NDArray) -> tuple[Counter[int], Counter[int]]:
    """Atoms of each element that are missing, and those too many."""
    there, wanted = Counter(have.tolist()), Counter(numbers.tolist())
    return wanted - there, there - wanted


def _exchanges(missing: Counter[int], surplus: Counter[int]) -> list[tuple[int, int]]:
    """Pair elements too many with elements missing: metals with metals, and those of similar size first."""
    pairs = []
    missing, surplus = missing.copy(), surplus.copy()
    likeness = sorted((*_unlike(old, new), old, new) for old in surplus for new in missing)
    for *_, old, new in likeness:
        count = min(surplus[old], missing[new])
        pairs += [(old, new)] * count
        surplus[old] -= count
        missing[new] -= count
    return pairs


def _unlike(old: int, new: int) -> tuple[bool, float]:
    """Return whether only one of two elements is a metal, and by how much their covalent radii differ (Å)."""
    first, second = gemmi.Element(old), gemmi.Element(new)
    return first.is_metal != second.is_metal, abs(first.covalent_r - second.covalent_r)
