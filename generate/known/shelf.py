"""What known frameworks have to give: linkers as they are, bare linkers, and the groups that may dress these."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from generate.known.pendants import HYDROGEN, Bare, Group, bare
from xtal.crystals import HIGHEST_NUMBER
from xtal.crystals.linkers import METALS, Framework, Grips, Linker

MOST_LINKERS = 200  # of each kind of grips, the most frequent ones
MOST_BARE = 90
MOST_GROUPS = 24
WEIGHTS = np.random.default_rng(0).integers(1, 2**40, HIGHEST_NUMBER + 1)  # of elements: sums tell compositions apart


Key = tuple[int, int, int]
"""Kind of a bare linker; the group on it, 0 for none; and how many: the same wherever the groups are."""


def set_key(naked: Bare) -> Key:
    """Describe a linker by what it is without its groups, and by these; of several kinds by the sum of their keys."""
    return naked.linker.kind, sum({group.key for group in naked.groups}), len(naked.groups)


def weight(numbers: NDArray[np.integer]) -> int:
    """Sum of the weights of atoms (N,): the same for the same composition and, in practice, for no other."""
    return int(WEIGHTS[numbers].sum())


@dataclass(frozen=True, eq=False)
class Shelf:
    """Parts for frameworks of certain elements, the most frequent ones first.

    Attributes:
        linkers: as found, by their donors, each with the key of `set_key`.
        bare: without groups, by their donors.
        groups: found on any of them.
    """

    linkers: dict[Grips, tuple[tuple[Linker, Key], ...]]
    bare: dict[Grips, tuple[Bare, ...]]
    groups: tuple[Group, ...]

    @classmethod
    def of(cls, frameworks: Sequence[Framework], numbers: NDArray[np.integer]) -> "Shelf":
        """Collect what holds no other elements than the atoms (N,) do."""
        elements = set(numbers.tolist()) | {HYDROGEN}
        linkers: dict[int, Linker] = {}
        naked: dict[int, Bare] = {}
        groups: dict[int, Group] = {}
        seen, often, grouped = Counter[int](), Counter[int](), Counter[int]()
        metals = weight(numbers[METALS[numbers]])
        # linkers of other nodes may be twisted otherwise
        first = sorted(frameworks, key=lambda f: weight(f.crystal.numbers[METALS[f.crystal.numbers]]) != metals)
        for framework in first:
            for linker in {linker.kind: linker for linker in framework.linkers}.values():
                stripped = _bare(_Known(linker))
                linkers.setdefault(linker.kind, linker)
                naked.setdefault(stripped.linker.kind, stripped)
                seen[linker.kind] += 1
                often[stripped.linker.kind] += 1
                for group in stripped.groups:
                    groups.setdefault(group.key, group)
                grouped.update({group.key for group in stripped.groups})
        usable = [linkers[k] for k, _ in seen.most_common() if set(linkers[k].numbers.tolist()) <= elements]
        plain = [naked[k] for k, _ in often.most_common() if set(naked[k].linker.numbers.tolist()) <= elements]
        fitting = [groups[k] for k, _ in grouped.most_common() if set(groups[k].numbers.tolist()) <= elements]
        by_grips: dict[Grips, list[tuple[Linker, Key]]] = defaultdict(list)
        bare_by_grips: dict[Grips, list[Bare]] = defaultdict(list)
        for linker in usable:
            by_grips[linker.donors].append((linker, set_key(_bare(_Known(linker)))))
        for one in plain:
            bare_by_grips[one.linker.donors].append(one)
        return cls(
            {grips: tuple(found[:MOST_LINKERS]) for grips, found in by_grips.items()},
            {grips: tuple(found[:MOST_BARE]) for grips, found in bare_by_grips.items()},
            tuple(fitting[:MOST_GROUPS]),
        )


@dataclass(frozen=True)
class _Known:
    """A linker that is told from others by its kind: what a cache remembers."""

    linker: Linker

    def __eq__(self, other: object) -> bool:
        """Return whether both are of one kind."""
        return isinstance(other, _Known) and other.linker.kind == self.linker.kind

    def __hash__(self) -> int:
        """Return the kind."""
        return self.linker.kind


@lru_cache(maxsize=4096)
def _bare(known: _Known) -> Bare:
    return bare(known.linker)
