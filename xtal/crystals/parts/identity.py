"""Graph identity: which atoms of a part are alike, and a name that parts bonded alike share."""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xtal.crystals.crystal import composition_of, format_formula

LONGEST_WALK = 12  # bonds: closed walks tell apart rings of up to so many atoms, which neighbourhoods alone do not
FIRST, SECOND, STEP = (np.uint64(n) for n in (0xBF58476D1CE4E5B9, 0x94D049BB133111EB, 0x9E3779B97F4A7C15))


def colours(numbers: ArrayLike, bonds: ArrayLike, donors: ArrayLike) -> NDArray[np.uint64]:
    """Return (n,) a number for each atom, the same for atoms that stand alike in their parts.

    Neighbourhoods are hashed until no more atoms are told apart (Weisfeiler and Leman, 1968), beginning with element,
    donor or not, and the closed walks of 3 to `LONGEST_WALK` bonds through the atom. The numbers are the same on every
    machine and in every order of the atoms.

    Args:
        numbers: (n,) atomic numbers.
        bonds: (B, 2) rows, each bond once.
        donors: (n,) whether the atom binds metals of other parts.
    """
    graph = _Graph.of(np.asarray(numbers), np.reshape(np.asarray(bonds, dtype=np.int64), (-1, 2)))
    return graph.colours(np.asarray(donors))


@dataclass(frozen=True, eq=False)
class _Graph:
    """Elements and bonds of a part: (n,) atomic numbers, (n, n) how often two atoms are bonded, closed walks."""

    numbers: NDArray[np.uint64]
    bonded: NDArray[np.uint64]
    walks: list[NDArray[np.uint64]]

    @classmethod
    def of(cls, numbers: NDArray, bonds: NDArray[np.int64]) -> Self:
        """Look at (n,) atoms and (B, 2) bonds."""
        count, (first, second) = len(numbers), bonds.T
        once = np.bincount(first * count + second, minlength=count * count).reshape(count, count).astype(np.uint64)
        return cls(numbers.astype(np.uint64), once + once.T, _closed_walks(count, first, second))

    def colours(self, donors: NDArray) -> NDArray[np.uint64]:
        """Return `colours`, sums of neighbours being modulo 2^64."""
        colour = _mixed(self.numbers * np.uint64(2) + donors.astype(np.uint64))
        for walks in self.walks:
            colour = _mixed(colour + walks)
        kinds = 0
        while (found := len(set(colour.tolist()))) > kinds:
            kinds = found
            colour = _mixed(colour + _mixed(self.bonded @ _mixed(colour ^ FIRST)))
        return colour


def part_key(numbers: ArrayLike, bonds: ArrayLike, donors: ArrayLike) -> str:
    """Return a name that equal graphs share, such as ``C8H4O4-4b1fd9d4be2c50d3/71b0c2f3``.

    Behind the formula stand a digest of elements and bonds alone, see `graph_of`, and one of the donors too.
    """
    return _name(*(np.asarray(array, dtype=np.int64).tobytes() for array in (numbers, bonds, donors)))


def graph_of(key: str) -> str:
    """Return the part of a key that names elements and bonds, whichever atoms bind metals."""
    return key.partition("/")[0]


@lru_cache(maxsize=4096)  # four of ten parts are single atoms
def _name(*arrays: bytes) -> str:
    """Return the key of a part from the bytes of its arrays."""
    numbers, bonds, donors = (np.frombuffer(array, dtype=np.int64) for array in arrays)
    graph = _Graph.of(numbers, bonds.reshape(-1, 2))
    alone = graph.colours(np.zeros_like(donors))
    binding = graph.colours(donors) if donors.any() else alone
    return f"{format_formula(composition_of(numbers))}-{_digest(alone, 8)}/{_digest(binding, 4)}"


def _digest(colour: NDArray[np.uint64], size: int) -> str:
    """Return 2 `size` hexadecimal digits of the colours, whatever their order."""
    return blake2b(np.sort(colour).astype("<u8").tobytes(), digest_size=size).hexdigest()


def _closed_walks(count: int, first: NDArray[np.int64], second: NDArray[np.int64]) -> list[NDArray[np.uint64]]:
    """Return (n,) the closed walks of 3, 4, ... bonds through each atom: the diagonals of the adjacency's powers."""
    adjacency = np.zeros((count, count))
    adjacency[first, second] = adjacency[second, first] = 1
    if len(first) < count:  # a tree has no rings
        return []
    half, found = [np.eye(count), adjacency], []
    for length in range(3, LONGEST_WALK + 1):
        if len(half) <= (length + 1) // 2:
            half.append(half[-1] @ adjacency)
        walks = (half[length // 2] * half[length - length // 2]).sum(axis=1)
        found.append(walks.astype(np.uint64))
    return found


def _mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread 64-bit numbers evenly (SplitMix64, Steele et al., 2014); overflow is meant."""
    z = values + STEP
    z = (z ^ (z >> np.uint64(30))) * FIRST
    z = (z ^ (z >> np.uint64(27))) * SECOND
    return z ^ (z >> np.uint64(31))
