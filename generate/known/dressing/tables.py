"""Structure factors of the pieces of an undressed framework: of each rotor in its twists, of each group in place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from generate.known.dressing.undressed import Axis, Undressed, Unit
from generate.known.pendants import HYDROGEN, Group
from generate.solving.roots import Roots
from xtal.crystals import HIGHEST_NUMBER

TWISTS = 24  # of a rotor about its axis
TURNS = 6  # of a group about its bond
FLAT = 0.4  # of a ring's width, and no more, its atoms may lie beside its plane
STRAIN = 1e-4  # of the misfit, of a ring between the plane of a carboxylate and across it
NEARLY_BACK = 1e-4  # 1 + cosine of a bond with the z axis: what is nearer to its back is turned about x


@dataclass(frozen=True, eq=False)
class Rotor:
    """Atoms that turn together.

    Attributes:
        unit: row of the linker.
        atoms: (n,) of these in the linker.
        bodies: (A, n, 3) Å of them in each twist, the first as they are.
        strain: (A,) of each twist, in units of the misfit.
    """

    unit: int
    atoms: NDArray[np.int64]
    bodies: NDArray[np.float64]
    strain: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Place:
    """A hydrogen that a group may replace.

    Attributes:
        unit: row of the linker.
        row: among the linker's places.
        rotor: row of the rotor, which stands still for linkers without an axis.
        dressings: per kind of group (A, T, m, 3) Å of its atoms.
    """

    unit: int
    row: int
    rotor: int
    dressings: tuple[NDArray[np.float64], ...]


@dataclass(frozen=True, eq=False)
class Tables:
    """What is added up to structure factors at R reflections.

    Attributes:
        still: (R,) complex64 of what stays.
        turned: (V, A, R) complex64 of each rotor in each of A twists.
        strain: (V, A) of each of these twists, in units of the misfit.
        groups: (P, K, A, T, R) complex64 what a group of each of K kinds adds on each place, hydrogen taken away.
        owner: (P,) rotor of each place.
        twists: (V,) of the rotor that differ.
        turns: (K,) of the groups.
        rotors: V of them.
        places: P of them.
    """

    still: NDArray[np.complex64]
    turned: NDArray[np.complex64]
    strain: NDArray[np.float64]
    groups: NDArray[np.complex64]
    owner: NDArray[np.int64]
    twists: NDArray[np.int64]
    turns: NDArray[np.int64]
    rotors: tuple[Rotor, ...]
    places: tuple[Place, ...]

    @classmethod
    def of(cls, framework: Undressed, kinds: tuple[Group, ...], roots: Roots) -> Self:
        """Compute everything for one framework; `kinds` are those of its groups."""
        scatter = _Scatter.of(framework.lattice, roots)
        rotors = tuple(rotor for row, unit in enumerate(framework.units) for rotor in _rotors(row, unit))
        places = tuple(p for row, unit in enumerate(framework.units) for p in _places(row, unit, rotors, kinds))
        still = np.sum([scatter(position, part.numbers) for part, position in framework.nodes], axis=0)
        every = max((len(rotor.bodies) for rotor in rotors), default=1)
        turned = np.zeros((len(rotors), every, len(roots.q)), np.complex64)
        strain = np.zeros((len(rotors), every))
        for table, twists, rotor in zip(turned, strain, rotors, strict=True):
            twists[: len(rotor.bodies)] = rotor.strain
            table[: len(rotor.bodies)] = scatter(rotor.bodies, framework.units[rotor.unit].linker.numbers[rotor.atoms])
        for row, unit in enumerate(framework.units):
            rest = np.setdiff1d(np.arange(len(unit.position)), [a for r in rotors if r.unit == row for a in r.atoms])
            still = still + scatter(unit.position[rest], unit.linker.numbers[rest])
        most = max((turns(kind) for kind in kinds), default=1)
        groups = np.zeros((len(places), len(kinds), every, most, len(roots.q)), np.complex64)
        for table, place in zip(groups, places, strict=True):
            rotor = rotors[place.rotor]
            at = int(np.flatnonzero(rotor.atoms == framework.units[place.unit].places[place.row, 1])[0])
            gone = scatter(rotor.bodies[:, None, at, None], np.array([HYDROGEN]))  # (A, 1, R)
            for k, (kind, position) in enumerate(zip(kinds, place.dressings, strict=True)):
                table[k, : len(position), : position.shape[1]] = scatter(position, kind.numbers) - gone
        return cls(
            still.astype(np.complex64),
            turned,
            strain,
            groups,
            np.array([place.rotor for place in places], np.int64),
            np.array([len(rotor.bodies) for rotor in rotors], np.int64),
            np.array([turns(kind) for kind in kinds], np.int64),
            rotors,
            places,
        )

    def body(self, unit: Unit, row: int, twist: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n, 3) Å of the linker in a row, each of its rotors in its twist (V,)."""
        position = unit.position.copy()
        for rotor, way in zip(self.rotors, twist.tolist(), strict=True):
            if rotor.unit == row:
                position[rotor.atoms] = rotor.bodies[way]
        return position


@dataclass(frozen=True, eq=False)
class _Scatter:
    """Computes structure factors in one cell: `waves` (3, R) per Å, `factor` (99, R) by atomic number."""

    waves: NDArray[np.float32]
    factor: NDArray[np.float32]

    @classmethod
    def of(cls, lattice: NDArray[np.float64], roots: Roots) -> Self:
        """Prepare a cell (3, 3) Å and the reflections of its profile."""
        factor = np.zeros((HIGHEST_NUMBER + 1, len(roots.q)), np.float32)
        factor[1:HIGHEST_NUMBER] = roots.factors(np.arange(1, HIGHEST_NUMBER))
        return cls((np.linalg.inv(lattice) @ roots.hkl.T).astype(np.float32), factor)

    def __call__(self, position: NDArray[np.float64], numbers: NDArray[np.integer]) -> NDArray[np.complex64]:
        """Sum (..., n, 3) Å over n atoms: (..., R)."""
        phase = position.astype(np.float32) @ self.waves
        phase = np.float32(2 * np.pi) * (phase - np.rint(phase))
        weights = self.factor[numbers]
        total = np.empty((*phase.shape[:-2], phase.shape[-1]), np.complex64)
        total.real = np.einsum("...nr,nr->...r", np.cos(phase), weights)
        total.imag = np.einsum("...nr,nr->...r", np.sin(phase), weights)
        return total


def turns(kind: Group) -> int:
    """How many turns about its bond make a difference."""
    return TURNS if len(kind.numbers) > 1 else 1


def _rotors(row: int, unit: Unit) -> Iterator[Rotor]:
    """Yield the rotors of a linker; one that has no axis, or places that do not turn, stands still as a whole."""
    held = np.ones(len(unit.position), dtype=bool)
    for mask in unit.rotors:
        axis, atoms = unit.axis, np.flatnonzero(mask)
        if axis is None:
            break
        held[atoms] = False
        turn = Rotation.from_rotvec(axis.along * 2 * np.pi * np.arange(TWISTS)[:, None] / TWISTS).as_matrix()
        bodies = (unit.position[atoms] - axis.point) @ turn.swapaxes(1, 2) + axis.point
        yield Rotor(row, atoms, bodies, _strain(unit, axis, bodies))
    if held[unit.places].any() or not unit.rotors:
        yield Rotor(row, np.flatnonzero(held), unit.position[None, held], np.zeros(1))


def _strain(unit: Unit, axis: Axis, bodies: NDArray[np.float64]) -> NDArray[np.float64]:
    """(A,) strain of bodies (A, n, 3) about an axis: rings lie in the plane of a carboxylate, or across it.

    So do 91 of a hundred in hypothetical MOFs, and 75 of a hundred real ones lie within 15° of the plane of one.
    """
    aside = bodies - axis.point
    aside -= (aside @ axis.along)[..., None] * axis.along
    if aside.shape[1] == 1:  # no ring
        return np.zeros(len(bodies))
    _, lengths, ways = np.linalg.svd(aside, full_matrices=False)
    linker, cosines = unit.linker, []
    for end in range(2):
        donors = unit.position[linker.bound & (linker.end == end)]
        if len(donors) == 2:
            across = donors[1] - donors[0]
            across = across - (across @ axis.along) * axis.along
            cosines.append(ways[:, 0] @ across / np.linalg.norm(across))
    if not cosines or lengths[0, 1] > FLAT * lengths[0, 0]:
        return np.zeros(len(bodies))
    square = np.square(cosines)
    return np.asarray(STRAIN * np.mean(4 * square * (1 - square), axis=0))


def _places(row: int, unit: Unit, rotors: Sequence[Rotor], kinds: Sequence[Group]) -> Iterator[Place]:
    """Yield the places of a linker."""
    for n, (carbon, hydrogen) in enumerate(unit.places.tolist()):
        which, rotor = next((k, r) for k, r in enumerate(rotors) if r.unit == row and hydrogen in r.atoms)
        gone = rotor.bodies[:, np.flatnonzero(rotor.atoms == hydrogen)[0]]
        inside = np.flatnonzero(rotor.atoms == carbon)
        held = rotor.bodies[:, inside[0]] if len(inside) else np.broadcast_to(unit.position[carbon], gone.shape)
        yield Place(row, n, which, tuple(_placed(held, gone, kind) for kind in kinds))


def _placed(carbon: NDArray[np.float64], hydrogen: NDArray[np.float64], kind: Group) -> NDArray[np.float64]:
    """(A, T, m, 3) Å of a group in the place of a hydrogen (A, 3)."""
    angles = 2 * np.pi * np.arange(turns(kind)) / turns(kind)
    about = Rotation.from_rotvec(np.array([0.0, 0, 1]) * angles[:, None]).as_matrix()  # (T, 3, 3)
    return np.einsum("mx,txy,ayz->atmz", kind.position, about, _along(hydrogen - carbon)) + carbon[:, None, None]


def _along(ways: NDArray[np.float64]) -> NDArray[np.float64]:
    """(A, 3, 3) rotations R with ``(0, 0, 1) R`` along each of (A, 3)."""
    x, y, z = (ways / np.linalg.norm(ways, axis=1, keepdims=True)).T
    rest = 1 / np.maximum(1 + z, NEARLY_BACK)
    rows = [[1 - x * x * rest, -x * y * rest, x], [-x * y * rest, 1 - y * y * rest, y], [-x, -y, z]]
    found = np.moveaxis(np.array(rows), 2, 0).swapaxes(1, 2)
    found[z < NEARLY_BACK - 1] = np.diag([1.0, -1, -1])
    return found
