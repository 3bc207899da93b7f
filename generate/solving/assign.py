"""Which parts stand on which sites: a cell holds so many of each kind, and its group makes several of one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product

import numpy as np
from numpy.typing import NDArray

from generate.solving.problem import Placed, Setting
from generate.solving.sites import Site, cartesian, orientations, sites
from xtal.crystals.parts import Part, shape_symmetry
from xtal.interrupt import look_up

MORE_ORBITS = 3  # independent parts of one kind beyond the fewest possible
MOST_WAYS = 24  # assignments kept
EACH_ORBIT = 0.7  # ln probability that an independent part more costs
NO_TURN = (np.array([1.0, 0.0, 0.0, 0.0]), np.zeros((4, 4)))


@dataclass(frozen=True, eq=False)
class Need:
    """So many parts of one kind in the cell: `shapes` are its conformers, atoms in one order."""

    shapes: tuple[Part, ...]
    count: int


@dataclass(frozen=True, eq=False)
class Stand:
    """A kind on a site: `turns` are the orientations, a quaternion and its projection, of each conformer that can."""

    shapes: tuple[Part, ...]
    site: Site
    turns: tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]

    def placed(self, rng: np.random.Generator) -> Placed:
        """Choose one of the orientations."""
        rest, spin = self.turns[rng.integers(len(self.turns))]
        return Placed(self.shapes, self.site, rest, spin)


@dataclass(frozen=True, eq=False)
class Assignment:
    """All independent parts of a cell, and the ln probability of this way among those that fit."""

    stands: tuple[Stand, ...]
    ln_probability: float


def assignments(setting: Setting, needs: Sequence[Need]) -> list[Assignment]:
    """Return the ways to put the parts on the sites of a setting, likeliest first; none where they do not fit."""
    places = sites(setting.rotations, setting.translations)
    turns = cartesian(setting.rotations, setting.lattice)
    options = [list(islice(_ways(_stands(need, places, turns), need.count), MOST_WAYS)) for need in needs]
    found = []
    for choice in product(*options):
        look_up()
        stands = tuple(stand for way in choice for stand in way)
        if _fits(stands):
            found.append(Assignment(stands, -EACH_ORBIT * len(stands)))
        if len(found) >= 40 * MOST_WAYS:
            break
    kept = sorted(found, key=lambda a: -a.ln_probability)[:MOST_WAYS]
    every = np.logaddexp.reduce([way.ln_probability for way in kept]) if kept else 0.0
    return [replace(way, ln_probability=float(way.ln_probability - every)) for way in kept]


def _stands(need: Need, places: Sequence[Site], turns: NDArray) -> list[Stand]:
    """Return the sites on which a kind may stand, general ones first, with its orientations there."""
    found = []
    for site in places:
        if site.multiplicity > need.count:
            continue
        look_up()
        group = turns[list(site.group)]
        for shape in need.shapes:
            if len(shape) == 1:
                ways = [NO_TURN]
            elif len(site.group) == 1:
                ways = orientations(group, np.eye(3)[None]) or []
            else:
                ways = orientations(group, shape_symmetry(shape)) or []
            if ways:
                free = need.shapes if len(site.group) == 1 else (shape,)
                found.append(Stand(free, site, tuple(ways)))
                break
    return found


def _ways(stands: Sequence[Stand], count: int) -> Iterator[tuple[Stand, ...]]:
    """Yield sets of stands whose multiplicities add up to `count`, those of fewest independent parts first."""
    fewest = -(-count // max((stand.site.multiplicity for stand in stands), default=1))
    for size in range(fewest, fewest + MORE_ORBITS + 1):
        yield from _sets(stands, count, size, 0)


def _sets(stands: Sequence[Stand], count: int, size: int, start: int) -> Iterator[tuple[Stand, ...]]:
    if size == 0:
        if count == 0:
            yield ()
        return
    most = max((stand.site.multiplicity for stand in stands[start:]), default=0)
    if size * most < count:  # even the largest orbits that are left are too small
        return
    for row in range(start, len(stands)):
        many = stands[row].site.multiplicity
        if many <= count:
            for rest in _sets(stands, count - many, size - 1, row):
                yield (stands[row], *rest)


def _fits(stands: Sequence[Stand]) -> bool:
    """Tell whether there are as many points as parts, where a site is a point."""
    used: dict[tuple[int, ...], int] = {}
    for stand in stands:
        if not np.abs(stand.site.free).max() > 1e-6:
            used[stand.site.group] = used.get(stand.site.group, 0) + 1
            if used[stand.site.group] > len(stand.site.points):
                return False
    return True
