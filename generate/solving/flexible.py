"""Crystals whose molecules bend: rigid pieces turn about the single bonds between them, as pattern and bonds want it.

A search moves rigid parts. Here the parts of a crystal that is nearly right are cut at the bonds about which they may
turn; springs keep the lengths of these bonds and the angles beside them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from generate.parts import Chemistry
from generate.refine import Refined, fit_crystals
from generate.solving.cost import descend_all
from generate.solving.problem import NO_SYMMETRY, Problem
from generate.solving.roots import Roots
from generate.solving.search import TOLERANCE
from generate.solving.solver import near_metals
from generate.start import Start
from xtal.crystals import Crystal
from xtal.crystals.parts import Part, cut, rotors
from xtal.crystals.parts.matching import neighbours
from xtal.crystals.symmetry import shortest
from xtal.errors import UserError
from xtal.interrupt import look_up
from xtal.patterns.sample import Sample

PATTERN = 300.0  # what a wholly wrong pattern costs, see `generate.solving.cost.evaluate`
STEPS, LONGEST = 300, 0.3  # evaluations and seconds at most, for one crystal and round
ROUNDS = 4  # of moves, each followed by a fit of the cell
LEFT = 0.6  # of what was unexplained, and no more, may be left: less than that noise and texture would bend away, too
SYMMETRIC = 0.02  # Å, by which atoms may miss the symmetry that is kept


def relaxed(sample: Sample, starts: Sequence[Start], chemistry: Chemistry) -> list[Start]:
    """Bend the molecules of crystals and fit their cells; best fits first.

    Each stays as it was where bending explains hardly more of the profile.
    """
    if not starts:
        return []
    best = fit_crystals(sample, [start.crystal for start in starts])
    explained, kept = best.fit.explained, list(best.crystals)
    least, line = 1 - LEFT * (1 - explained), _line(sample, best)
    for _ in range(ROUNDS):
        moved = [_moved(sample, best, row, chemistry, line) for row in range(len(starts))]
        best = fit_crystals(sample, moved)
        better = best.fit.explained > np.maximum(explained, least)
        for row in np.flatnonzero(better).tolist():
            kept[row] = best.crystals[row]
        explained = np.where(better, best.fit.explained, explained)
    return [replace(starts[row], crystal=kept[row]) for row in np.argsort(-explained, kind="stable").tolist()]


def _line(sample: Sample, fitted: Refined) -> tuple[float, float] | None:
    """Return the line of the profile as the crystal that fits best has it; None where its cell has no line."""
    row = int(fitted.fit.explained.argmax())
    try:
        return Roots.of(sample, fitted.crystals[row].lattice, NO_SYMMETRY[0], float(fitted.fit.parameters[row, 6])).line
    except UserError:
        return None


def _moved(
    sample: Sample, fitted: Refined, row: int, chemistry: Chemistry, line: tuple[float, float] | None
) -> Crystal:
    """Move the pieces of one crystal downhill; what symmetry it has stays."""
    look_up()
    crystal, zero = fitted.crystals[row], float(fitted.fit.parameters[row, 6])
    jointed = _Jointed.of(crystal, near_metals(crystal, chemistry))
    if jointed is None:
        return crystal
    try:
        roots = Roots.of(sample, crystal.lattice, NO_SYMMETRY[0], zero, line)
    except UserError:
        return crystal
    problem, pose, shapes = Problem.without_symmetry(jointed.pieces, crystal.lattice, roots, chemistry, heavy=False)
    arrays = problem.arrays._replace(molecule=jointed.molecule, joint=jointed.joint, span=jointed.span)
    steps = max(1, min(STEPS, int(LONGEST / problem.seconds)))
    descend_all(arrays, pose[None], problem.shapes, shapes[None], PATTERN, steps, TOLERANCE, np.empty(1))
    frac = np.empty_like(crystal.frac_coords)
    frac[jointed.order] = problem.crystal(pose, shapes).frac_coords
    return replace(crystal, frac_coords=_symmetric(crystal, frac))


def _symmetric(crystal: Crystal, moved: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return fractional coordinates (N, 3) that atoms were `moved` to, averaged over the operations of the crystal."""
    import spglib

    found = spglib.get_symmetry((crystal.lattice, crystal.frac_coords, crystal.numbers), symprec=SYMMETRIC)
    if found is None:
        return moved
    mean, count = np.zeros_like(moved), 0
    for rotation, translation in zip(found["rotations"], found["translations"], strict=True):
        image = crystal.frac_coords @ rotation.T + translation
        apart = shortest(image[:, None] - crystal.frac_coords, crystal.lattice)
        apart[crystal.numbers[:, None] != crystal.numbers] = np.inf
        other = apart.argmin(axis=1)
        back = (moved[other] - translation) @ np.linalg.inv(rotation).T
        mean += back - np.rint(back - moved)
        count += 1
    return mean / count


@dataclass(frozen=True, eq=False)
class _Jointed:
    """Rigid pieces with the middles (3,) Å of their atoms; molecule of each, and joints as in `Arrays`.

    `order` (N,) are the rows of the crystal's atoms, piece by piece.
    """

    order: NDArray[np.int64]
    pieces: list[tuple[Part, NDArray[np.float64]]]
    molecule: NDArray[np.int64]
    joint: NDArray[np.int64]
    span: NDArray[np.float64]

    @classmethod
    def of(cls, crystal: Crystal, near: NDArray[np.bool_]) -> "_Jointed | None":
        """Cut a crystal, whose atoms `near` (N,) metals may bind them; None where a molecule is endless."""
        pieces: list[tuple[Part, NDArray[np.float64]]] = []
        order, molecule, joint, span, count = list[NDArray](), list[int](), list[NDArray](), list[float](), 0
        for number, piece in enumerate(cut(crystal).pieces):
            if piece.endless:
                return None
            part, where = piece.part, (crystal.frac_coords[piece.atoms] + piece.cell) @ crystal.lattice
            donors, row = part.donors | near[piece.atoms], np.empty(len(part), np.int64)
            axes = [axis for axis, _ in rotors(part)]
            for atoms in _rigid(part, axes):
                row[atoms] = count + np.arange(len(atoms))
                count += len(atoms)
                at = np.full(len(part), -1)
                at[atoms] = np.arange(len(atoms))
                bonds = at[part.bonds[(at[part.bonds] >= 0).all(axis=1)]]
                pieces.append((Part(part.numbers[atoms], where[atoms], bonds, donors[atoms], ""), where[atoms].mean(0)))
                molecule.append(number)
                order.append(piece.atoms[atoms])
            for pair in _held(part, axes):
                joint.append(row[list(pair)])
                span.append(float(np.linalg.norm(where[pair[1]] - where[pair[0]])))
        return cls(
            np.concatenate(order),
            pieces,
            np.array(molecule),
            np.array(joint, np.int64).reshape(-1, 2),
            np.array(span, np.float64),
        )


def _rigid(part: Part, axes: Sequence[tuple[int, int]]) -> list[NDArray[np.intp]]:
    """Rows of the atoms of each rigid piece of a part."""
    cutting = {frozenset(axis) for axis in axes}
    kept = np.array([pair for pair in part.bonds.tolist() if frozenset(pair) not in cutting]).reshape(-1, 2).astype(int)
    graph = coo_array((np.ones(len(kept)), (kept[:, 0], kept[:, 1])), shape=(len(part), len(part)))
    count, label = connected_components(graph, directed=False)
    return [np.flatnonzero(label == k) for k in range(count)]


def _held(part: Part, axes: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of atoms that keep their distance when a part turns about its axes."""
    near = neighbours(part)
    for i, j in axes:
        yield i, j
        yield from ((i, other) for other in near[j] if other != i)
        yield from ((other, j) for other in near[i] if other != j)
