"""What known frameworks have to give: linkers as they are, bare linkers, and the groups that may dress these."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from generate.known.pendants import HYDROGEN, Bare, Group, bare, usual_groups
from generate.parts import Kind
from xtal.crystals import HIGHEST_NUMBER
from xtal.crystals.linkers import METALS, Framework, Grips, Linker, lone_linker

MOST_LINKERS = 200  # of the same donors, the most frequent ones
MOST_BARE = 120
MOST_GROUPS = 30
MOST_SHAPES = 2  # of one kind without groups
LONGER, TURNED = 0.6, 8.0  # Å and degrees, by which shapes differ
WEIGHTS = np.random.default_rng(0).integers(1, 2**40, HIGHEST_NUMBER + 1)  # of elements: sums tell compositions apart


Key = tuple[int, int, int]
"""Kind of a bare linker; the group on it, 0 for none; and how many: the same wherever the groups are."""


def set_key(naked: Bare) -> Key:
    """Describe a linker by what it is without its groups, and by these; of several kinds by the sum of their keys."""
    return naked.linker.kind, sum({group.key for group in naked.groups}), len(naked.groups)


def lone_linkers(kinds: Iterable[Kind], numbers: NDArray[np.integer], most: int | None = None) -> list[Linker]:
    """Return kinds of parts, up to `most`, as linkers of two ends or more, of no other elements than the atoms (N,)."""
    elements = np.append(numbers, HYDROGEN)
    found = []
    for kind in kinds:
        part = kind.conformers[0]
        if kind.role != "linker" or part.donors.sum() < 2 or not np.isin(part.numbers, elements).all():
            continue
        linker = lone_linker(part.numbers, part.position, part.bonds, part.donors)
        if linker is not None and len(linker.node) > 1:
            found.append(linker)
        if len(found) == most:
            break
    return found


def weight(numbers: NDArray[np.integer]) -> int:
    """Sum of the weights of atoms (N,): the same for the same composition and, in practice, for no other."""
    return int(WEIGHTS[numbers].sum())


@dataclass(frozen=True, eq=False)
class Shelf:
    """Parts for frameworks of certain elements, the most frequent ones first.

    Attributes:
        linkers: as found, by their donors, each with the key of `set_key`.
        bare: without groups, by their donors.
        ruled: bare ones that nobody need have made, by their donors.
        groups: the usual ones, and others found on any of them.
    """

    linkers: dict[Grips, tuple[tuple[Linker, Key], ...]]
    bare: dict[Grips, tuple[Bare, ...]]
    ruled: dict[Grips, tuple[Bare, ...]]
    groups: tuple[Group, ...]

    def offered(self, donors: Grips, ruled: bool) -> tuple[Bare, ...]:
        """Return bare linkers, with or without ruled ones."""
        return self.bare.get(donors, ()) + (self.ruled.get(donors, ()) if ruled else ())

    @classmethod
    def of(
        cls,
        frameworks: Sequence[Framework],
        numbers: NDArray[np.integer],
        extra: Sequence[Linker] = (),
        spare: Sequence[Linker] = (),
        ruled: Sequence[Linker] = (),
    ) -> "Shelf":
        """Collect what holds no elements but those of the atoms (N,); `extra` linkers come first, `spare` ones last.

        `ruled` linkers have no groups.
        """
        elements = set(numbers.tolist()) | {HYDROGEN}
        linkers: dict[int, Linker] = {}
        naked: dict[int, list[Bare]] = defaultdict(list)
        groups: dict[int, Group] = {}
        seen, often, grouped = Counter[int](), Counter[int](), Counter[int]()
        metals = weight(numbers[METALS[numbers]])
        # linkers of other nodes may be twisted otherwise
        first = sorted(frameworks, key=lambda f: weight(f.crystal.numbers[METALS[f.crystal.numbers]]) != metals)
        holdings = [{linker.kind: linker for linker in framework.linkers}.values() for framework in first]
        for held, times in [([linker], len(frameworks) + 1) for linker in extra] + [
            *((held, 1) for held in holdings),
            *(([linker], 0) for linker in spare),
        ]:
            for linker in held:
                stripped = bare(linker)
                linkers.setdefault(linker.kind, linker)
                shapes = naked[stripped.linker.kind]
                if len(shapes) < MOST_SHAPES and all(_unlike(stripped.linker, one.linker) for one in shapes):
                    shapes.append(stripped)
                seen[linker.kind] += times
                often[stripped.linker.kind] += times
                for group in stripped.groups:
                    groups.setdefault(group.key, group)
                grouped.update({group.key for group in stripped.groups})
        usable = [linkers[k] for k, _ in seen.most_common() if set(linkers[k].numbers.tolist()) <= elements]
        plain = [
            one for k, _ in often.most_common() for one in naked[k] if set(one.linker.numbers.tolist()) <= elements
        ]
        every = {one.key: one for one in (*usual_groups(), *(groups[k] for k, _ in grouped.most_common()))}.values()
        fitting = [one for one in every if set(one.numbers.tolist()) <= elements]
        by_donors: dict[Grips, list[tuple[Linker, Key]]] = defaultdict(list)
        bare_by_donors: dict[Grips, list[Bare]] = defaultdict(list)
        for linker in usable:
            by_donors[linker.donors].append((linker, set_key(bare(linker))))
        for one in plain:
            bare_by_donors[one.linker.donors].append(one)
        kept = {donors: tuple(found[:MOST_BARE]) for donors, found in bare_by_donors.items()}
        known = {one.linker.kind for found in kept.values() for one in found}
        others: dict[Grips, list[Bare]] = defaultdict(list)
        for one in map(bare, ruled):
            if one.linker.kind not in known:
                others[one.linker.donors].append(one)
        return cls(
            {donors: tuple(found[:MOST_LINKERS]) for donors, found in by_donors.items()},
            kept,
            {donors: tuple(found) for donors, found in others.items()},
            tuple(fitting[:MOST_GROUPS]),
        )


def _unlike(linker: Linker, other: Linker) -> bool:
    """Whether two linkers of a kind have different shapes: longer, or with their ends aside."""
    longer, turned = np.abs(np.subtract(_shape(linker), _shape(other)))
    return bool(longer > LONGER or turned > TURNED)


def _shape(linker: Linker) -> tuple[float, float]:
    """Length (Å) from node to node, and the largest angle (degrees) between this and what an end points to."""
    along = linker.node - linker.node.mean(axis=0)
    ends = range(len(linker.node))
    inward = np.array([linker.position[linker.bound & (linker.end == k)].mean(axis=0) for k in ends]) - linker.node
    size = np.linalg.norm(along, axis=1) * np.linalg.norm(inward, axis=1)
    cosine = -(along * inward).sum(axis=1) / np.maximum(size, 1e-9)
    return 2 * linker.arm, float(np.degrees(np.arccos(np.clip(cosine, -1, 1))).max())
