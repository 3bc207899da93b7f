"""What is to be solved: parts on sites of a cell, and a profile."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from generate.solving.cost import Arrays
from generate.solving.roots import FLOOR, Roots
from generate.solving.sites import Site, cartesian, sites
from xtal.crystals import Crystal
from xtal.crystals.linkers import METALS
from xtal.crystals.parts import Part

if TYPE_CHECKING:
    from generate.parts import Chemistry

HYDROGEN = 1
NO_SYMMETRY = (np.eye(3, dtype=np.int64)[None], np.zeros((1, 3)))
AS_IT_IS = (np.array([1.0, 0, 0, 0]), np.eye(4))  # not turned, and free to turn
BOND_WIDTH = 0.45  # Å over the spread of a bond's length, see w of the kernel
FEWEST_SLACK = 0.7
BASE_COST, PHASE_COST, PAIR_COST = 17e-6, 4.2e-9, 0.72e-9  # s of a core (AMD EPYC): an evaluation, a phase, a pair


@dataclass(frozen=True, eq=False)
class Setting:
    """A cell (3, 3) Å with the operations (S, 3, 3), (S, 3) of a group, in fractional coordinates of that cell."""

    lattice: NDArray[np.float64]
    rotations: NDArray[np.int64]
    translations: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Placed:
    """One independent part.

    Attributes:
        shapes: that it may have, all of one kind, atoms in one order.
        site: where it stands.
        rest: (4,) a quaternion that the site allows.
        spin: (4, 4) projection of quaternions onto all that it allows.
    """

    shapes: tuple[Part, ...]
    site: Site
    rest: NDArray[np.float64]
    spin: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Problem:
    """Parts on sites of a setting, as the compiled search takes them.

    Attributes:
        setting: cell and group.
        placed: independent parts.
        arrays: for the kernel; without hydrogen where `heavy`.
        shapes: (., 3) atoms of all conformers.
        at: per part the first row of each of its conformers.
        numbers: (A,) atomic numbers of the independent atoms.
        roots: the profile.
        chemistry: usual bonds and contacts.
        radius: (O,) Å, how far an atom moves when its part turns by 1.
    """

    setting: Setting
    placed: tuple[Placed, ...]
    arrays: Arrays
    shapes: NDArray[np.float64]
    at: tuple[NDArray[np.int64], ...]
    numbers: NDArray[np.int64]
    radius: NDArray[np.float64]
    roots: Roots
    chemistry: "Chemistry"

    @classmethod
    def of(
        cls, setting: Setting, placed: Sequence[Placed], roots: Roots, chemistry: "Chemistry", heavy: bool = True
    ) -> "Problem":
        """Lay everything out; `heavy` leaves hydrogen out. Each part is a molecule by itself."""
        kept = [_kept(p.shapes[0], heavy) for p in placed]
        numbers = np.concatenate([p.shapes[0].numbers[k] for p, k in zip(placed, kept, strict=True)]).astype(np.int64)
        own_bonds = np.concatenate([_own_bonds(p.shapes[0])[k] for p, k in zip(placed, kept, strict=True)])
        first = np.concatenate([[0], np.cumsum([len(k) for k in kept])]).astype(np.int64)
        rows, binding, at, count = [], [], [], 0
        for part, keep in zip(placed, kept, strict=True):
            at.append(count + np.arange(len(part.shapes)) * len(keep))
            rows += [shape.position[keep] for shape in part.shapes]
            binding += [(shape.donors & ~METALS[shape.numbers])[keep] for shape in part.shapes]
            count += len(part.shapes) * len(keep)
        radius = np.array([_radius(p.shapes[0].position[k]) for p, k in zip(placed, kept, strict=True)])
        turns = cartesian(setting.rotations, setting.lattice)
        pieces = [(o, row) for o, p in enumerate(placed) for row in p.site.pieces]
        elements, kind = np.unique(numbers, return_inverse=True)
        pair = np.ix_(elements, elements)
        own = np.concatenate([[0], np.cumsum([p.site.multiplicity for p in placed])[:-1]]).astype(np.int64)
        copies = np.repeat([p.site.multiplicity for p in placed], np.diff(first)).astype(np.float64)
        inverse = np.linalg.inv(setting.lattice)
        contact = chemistry.contact[pair]
        arrays = Arrays(
            lattice=np.ascontiguousarray(setting.lattice, dtype=np.float64),
            inverse=np.ascontiguousarray(inverse),
            first=first,
            kind=kind.astype(np.int64).ravel(),
            metal=METALS[numbers],
            binding=np.concatenate(binding),
            copies=copies,
            piece_part=np.array([o for o, _ in pieces], np.int64),
            turn=np.ascontiguousarray(turns[[row for _, row in pieces]]),
            move=np.ascontiguousarray((setting.translations @ setting.lattice)[[row for _, row in pieces]]),
            own=own,
            molecule=np.arange(len(pieces)),
            joint=np.empty((0, 2), np.int64),
            span=np.empty(0),
            place=np.array([_cartesian_projection(p.site.free, setting.lattice) for p in placed]),
            spin=np.array([p.spin for p in placed]),
            hkl=roots.hkl,
            factor=np.ascontiguousarray(roots.factors(elements).T, dtype=np.float32),
            strength=roots.strength,
            shape=roots.shape,
            start=roots.start,
            root=roots.root,
            high=roots.high,
            trust=roots.trust,
            floor=FLOOR,
            bond=np.ascontiguousarray(chemistry.bond[pair]),
            width=np.ascontiguousarray(BOND_WIDTH + chemistry.spread[pair]),
            contact=np.ascontiguousarray(contact),
            wanted=np.maximum(chemistry.coordination[numbers] - own_bonds, 0),
            slack=np.maximum(chemistry.coordination_spread[elements], FEWEST_SLACK),
            images=_images(setting.lattice, float(max(contact.max(), chemistry.bond[pair].max() + 1.2))),
        )
        return cls(setting, tuple(placed), arrays, np.concatenate(rows), tuple(at), numbers, radius, roots, chemistry)

    @classmethod
    def without_symmetry(
        cls,
        parts: Sequence[tuple[Part, NDArray[np.float64]]],
        lattice: NDArray[np.float64],
        roots: Roots,
        chemistry: "Chemistry",
        heavy: bool = True,
    ) -> tuple["Problem", NDArray[np.float64], NDArray[np.int64]]:
        """Lay out parts that stand somewhere: `parts` come with the middles (3,) Å of their atoms.

        Returns:
            The problem, the pose (O * 7,) in which they stand there, and the rows (O,) of their shapes.
        """
        general = sites(*NO_SYMMETRY)[0]
        placed = [Placed((part,), general, *AS_IT_IS) for part, _ in parts]
        problem = cls.of(Setting(lattice, *NO_SYMMETRY), placed, roots, chemistry, heavy)
        pose = [[*middle, 2 * r, 0, 0, 0] for (_, middle), r in zip(parts, problem.radius.tolist(), strict=True)]
        return problem, np.concatenate(pose), np.array([rows[0] for rows in problem.at])

    def whole(self) -> "Problem":
        """Return the same with hydrogen."""
        return Problem.of(self.setting, self.placed, self.roots, self.chemistry, heavy=False)

    @property
    def seconds(self) -> float:
        """What one evaluation takes of a usual core."""
        atoms, arrays = float(self.arrays.copies.sum()), self.arrays
        pairs = len(arrays.kind) * atoms * len(arrays.images)
        return BASE_COST + PHASE_COST * atoms * len(arrays.hkl) + PAIR_COST * pairs

    def crystal(self, pose: NDArray[np.float64], shapes: NDArray[np.int64], name: str = "") -> Crystal:
        """Return the crystal of a pose (O * 7,) with the conformers `shapes` (O,), hydrogen included."""
        inverse = np.linalg.inv(self.setting.lattice)
        frac, numbers = [], []
        for o, part in enumerate(self.placed):
            place, turn = pose[7 * o : 7 * o + 3], rotation(pose[7 * o + 3 : 7 * o + 7])
            shape = part.shapes[int(np.searchsorted(self.at[o], shapes[o]))]
            own = (place + shape.position @ turn.T) @ inverse
            for row in part.site.pieces:
                frac.append(own @ self.setting.rotations[row].T + self.setting.translations[row])
                numbers.append(shape.numbers)
        return Crystal(self.setting.lattice, np.concatenate(frac), np.concatenate(numbers), name=name)


def rotation(quaternion: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation matrix of a quaternion (w, x, y, z) of any length."""
    w, x, y, z = quaternion / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def _own_bonds(part: Part) -> NDArray[np.int64]:
    """(n,) how many light atoms of the part itself each atom is bonded to."""
    light = ~METALS[part.numbers]
    first, second = np.concatenate([part.bonds, part.bonds[:, ::-1]]).T
    return np.bincount(first[light[second]], minlength=len(part))


def _kept(part: Part, heavy: bool) -> NDArray[np.intp]:
    rows = np.flatnonzero(part.numbers != HYDROGEN) if heavy else np.arange(len(part))
    return rows if len(rows) else np.arange(len(part))


def _radius(position: NDArray[np.float64]) -> float:
    return float(max(1.0, np.sqrt(np.square(position).sum(axis=1).mean())))


def _cartesian_projection(free: NDArray[np.float64], lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(lattice.T @ free @ np.linalg.inv(lattice.T))


def _images(lattice: NDArray[np.float64], reach: float) -> NDArray[np.float64]:
    """(S, 3) whole cells around the nearest image in which an atom within `reach` Å may lie."""
    heights = 1 / np.linalg.norm(np.linalg.inv(lattice), axis=0)
    spans = [np.arange(-n, n + 1) for n in np.floor(reach / heights + 0.5).astype(int)]
    return np.stack(np.meshgrid(*spans, indexing="ij"), axis=-1).reshape(-1, 3).astype(np.float64)
