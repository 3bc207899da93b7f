"""Which space groups a pattern may have, given its lattice.

Every group and setting that the metric admits is weighed: how often it occurs among metal-organic frameworks, times
the evidence of the profile when the reflections that it forbids are left out. Groups that forbid the same reflections
cannot be told apart by this and differ by their frequency alone. No reflection rules a group out by itself: a weak one
may be noise, and a strong neighbour may hide an absent one.
"""

from functools import lru_cache
from itertools import product

import gemmi
import numpy as np
from numpy.typing import NDArray

from xtal.errors import UserError
from xtal.interrupt import look_up
from xtal.patterns.sample import Sample
from xtal.physics.indexing.areas import line_evidence, mean_areas, non_negative, normal_equations
from xtal.physics.indexing.bravais import LETTERS, NAMES, free_parameters
from xtal.physics.indexing.cell import GroupGuess, IndexedCell
from xtal.physics.indexing.frequencies import FREQUENCY, UNSEEN
from xtal.physics.indexing.metric import MONOCLINIC, ORTHORHOMBIC, TRICLINIC
from xtal.physics.indexing.pawley import Fit, fit, overlaps
from xtal.physics.indexing.resolving import Profile, first_lines, resolve

STEPS = 8
RANGES = (60, 36, 20, 10)  # found lines up to which the profile is used: fewer where a large cell has too many
LOWER = 0.03  # share of lattices that are more symmetric than their group asks for
TRUST = 0.7  # of ln evidence: neighbouring lines and the shape's errors are not independent
# numbers of the groups of each system, and of those below it that may live on its lattice
_OWN = {
    "triclinic": range(1, 3),
    "monoclinic": range(3, 16),
    "orthorhombic": range(16, 75),
    "tetragonal": range(75, 143),
    "hexagonal": range(143, 195),
    "cubic": range(195, 231),
}
_BELOW = {
    "triclinic": (),
    "monoclinic": (range(1, 3),),
    "orthorhombic": (range(3, 16),),
    "tetragonal": (range(16, 75),),
    "hexagonal": (),
    "cubic": (range(16, 75), range(75, 143)),
}
_HOLOHEDRY = ("P -1", "P 1 2/m 1", "P m m m", "P 4/m m m", "P 6/m m m", "P m -3 m")


def space_groups(sample: Sample, cell: IndexedCell, limit: int = 20) -> list[GroupGuess]:
    """List the groups that a pattern may have with the lattice of `cell`, the most probable first.

    Args:
        sample: the pattern.
        cell: as `index_pattern` finds them.
        limit: keep this many.

    Raises:
        UserError: the lattice has no line in the range of the pattern, or too many.
    """
    resolved = resolve(sample)
    system, centring = NAMES.index(cell.system), LETTERS.index(cell.centring)
    start = free_parameters(system, cell.conventional)
    for lines in RANGES:
        profile = first_lines(resolved.profile, resolved.angle, lines)
        done = fit(profile, system, centring, start, float(np.radians(cell.zero_shift)), STEPS)
        if done is not None:
            break
    else:
        raise UserError(f"a cell of {cell.volume:.0f} Å³ has no line in this pattern, or too many; give another cell")
    choices = _settings(cell.system, cell.centring)
    value = _values(profile, done, system, choices)
    value -= np.logaddexp.reduce(value)
    order = np.argsort(-value, kind="stable")[:limit]
    return [_guess(choices[n][0], choices[n][1], cell, float(value[n])) for n in order]


def ln_admitted(profile: Profile, done: Fit, system: int, centring: int) -> float:
    """Return ln of how much likelier a fitted lattice is for what its groups forbid and for how frequent they are."""
    choices = _settings(NAMES[system], LETTERS[centring])
    return float(np.logaddexp.reduce(_values(profile, done, system, choices)))


def _values(profile: Profile, done: Fit, system: int, choices: tuple) -> NDArray[np.float64]:
    """(C,) ln of prior times likelihood of each group, against a lattice that forbids nothing."""
    absent = np.array([_absent(group, done.hkl, system) for _, group, _ in choices])
    distinct, which = np.unique(absent, axis=0, return_inverse=True)
    every = np.zeros((1, absent.shape[1]), dtype=bool)
    evidence = _evidences(profile, done, np.concatenate([every, distinct]))
    return np.array([prior for _, _, prior in choices]) + TRUST * (evidence[1:] - evidence[0])[which.ravel()]


def _evidences(profile: Profile, done: Fit, absent: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(C,) ln evidence of the profile for each set of absent lines (C, N)."""
    laid = overlaps(profile, done)
    gram, right, _ = normal_equations(profile.net, profile.weight, *laid)
    out = np.empty(len(absent))
    for n, missing in enumerate(absent):
        look_up()
        keep = np.flatnonzero(~missing & (gram.diagonal() > 0))  # a line in a gap says nothing
        part, side = np.ascontiguousarray(gram[np.ix_(keep, keep)]), right[keep]
        bounds = np.tile(np.array([0, len(keep)]), (len(keep), 1))
        for k in range(len(keep)):
            near = np.flatnonzero(part[k])
            bounds[k] = near[0], near[-1] + 1
        area = done.area[keep].copy()
        non_negative(part, side, bounds, area, 2 * float(done.area.max()))
        chi2 = area @ part @ area - 2 * side @ area
        out[n] = -0.5 * chi2 + line_evidence(part, side, area, mean_areas(area))
    return out


def _absent(group: gemmi.GroupOps, hkl: NDArray[np.int64], system: int) -> NDArray[np.bool_]:
    """(N,) whether a group forbids all reflections that stand at the place of each line."""
    missing = np.ones(len(hkl), dtype=bool)
    for turn in _rotations(system):
        missing &= np.asarray(group.systematic_absences(np.ascontiguousarray(hkl @ turn, np.int32)), dtype=bool)
    return missing


@lru_cache(maxsize=8)
def _rotations(system: int) -> tuple[NDArray[np.int64], ...]:
    """Rotations of the lattice that are no mere inversion of one another."""
    if system in (TRICLINIC, MONOCLINIC, ORTHORHOMBIC):  # what is forbidden does not depend on signs
        return (np.eye(3, dtype=np.int64),)
    operations = gemmi.SpaceGroup(_HOLOHEDRY[system]).operations().sym_ops
    found = {tuple(map(tuple, op.rot)) for op in operations}
    kept: list[tuple] = []
    for one in sorted(found):
        if tuple(tuple(-x for x in row) for row in one) not in kept:
            kept.append(one)
    return tuple(np.array(one, dtype=np.int64) // gemmi.Op.DEN for one in kept)


@lru_cache(maxsize=32)
def _settings(system: str, centring: str) -> tuple[tuple[gemmi.SpaceGroup, gemmi.GroupOps, float], ...]:
    """Groups with their ln prior that a lattice admits: settings that differ in more than the origin."""
    out: dict[tuple, tuple[gemmi.SpaceGroup, gemmi.GroupOps, float]] = {}
    for numbers, weight in ((_OWN[system], 1.0), *((numbers, LOWER) for numbers in _BELOW[system])):
        for group in gemmi.spacegroup_table():
            if group.number not in numbers or not _fits(group, system, centring):
                continue
            operations = group.operations()
            key = group.number, _fingerprint(operations)
            if key not in out:
                out[key] = group, operations, float(np.log(weight * FREQUENCY.get(group.number, UNSEEN)))
    count: dict[int, int] = {}
    for number, _ in out:
        count[number] = count.get(number, 0) + 1
    found = [(group, ops, prior - float(np.log(count[group.number]))) for group, ops, prior in out.values()]
    return tuple(found)


def _fits(group: gemmi.SpaceGroup, system: str, centring: str) -> bool:
    """Whether a setting has the lattice's centring and axes: b unique where the lattice is monoclinic."""
    letter = group.hm[0]
    if letter == "R":
        return centring == "R" and group.ext == "H"
    if letter == "H" or letter != centring:
        return False
    if system == "monoclinic" and group.number > 2:
        return bool(group.monoclinic_unique_axis() == "b")
    return True


def _fingerprint(operations: gemmi.GroupOps) -> tuple:
    """What tells settings apart whatever their origin: rotations, and reflections forbidden among low ones."""
    rotations = tuple(sorted(tuple(map(tuple, op.rot)) for op in operations.sym_ops))
    return rotations, np.asarray(operations.systematic_absences(_LOW)).tobytes()


_LOW = np.array(list(product(range(-4, 7), repeat=3)), dtype=np.int32)


def _guess(group: gemmi.SpaceGroup, operations: gemmi.GroupOps, cell: IndexedCell, value: float) -> GroupGuess:
    """Bring a group's operations to the primitive cell: ``x' = T⁻ᵀ x`` where ``primitive = T conventional``."""
    change = cell.lattice @ np.linalg.inv(cell.conventional)
    to, back = np.linalg.inv(change).T, change.T
    rotations = np.array([to @ (np.array(op.rot) / gemmi.Op.DEN) @ back for op in operations.sym_ops])
    shifts = np.array([to @ (np.array(op.tran) / gemmi.Op.DEN) for op in operations.sym_ops])
    shifts = np.round(shifts * 24) / 24
    return GroupGuess(group.number, group.xhm(), np.rint(rotations).astype(np.int64), shifts - np.floor(shifts), value)
