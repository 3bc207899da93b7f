"""Where a part may stand: general positions, and those on symmetry elements that its own shape has too.

Symmetry operations map fractional coordinates ``x' = R x + t``; a site's group are those that leave a point of it where
it is, up to whole cells.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

EXACT = 1e-4  # fractional, and of matrices
GENERIC = np.array([0.1371, 0.2213, 0.3179])  # steps along what a site leaves free that meet nothing else by chance
MOST_ELEMENTS = 160  # symmetry elements that are crossed with each other
SHAPE_TOLERANCE = 0.12  # of the entries of rotation matrices: how far shapes may miss a symmetry


@dataclass(frozen=True, eq=False)
class Site:
    """One kind of position.

    Attributes:
        group: rows of the operations that leave its points in place, the identity first.
        points: (K, 3) fractional, one of each inequivalent place, as far as the site's own directions do not move it.
        pieces: rows of operations that make all parts of the cell from one.
        free: (3, 3) projection of fractional moves onto those that stay on the site.
    """

    group: tuple[int, ...]
    points: NDArray[np.float64]
    pieces: tuple[int, ...]
    free: NDArray[np.float64]

    @property
    def multiplicity(self) -> int:
        """How many parts the cell then holds."""
        return len(self.pieces)


def sites(rotations: NDArray[np.integer], translations: NDArray[np.float64]) -> tuple[Site, ...]:
    """Return all kinds of positions of a group (S, 3, 3), (S, 3) in a primitive cell, the general one first."""
    return _sites(np.asarray(rotations, np.int8).tobytes(), np.asarray(translations, np.float64).tobytes())


@lru_cache(maxsize=256)
def _sites(rotation_bytes: bytes, translation_bytes: bytes) -> tuple[Site, ...]:
    rotations = np.frombuffer(rotation_bytes, np.int8).reshape(-1, 3, 3).astype(np.float64)
    translations = np.frombuffer(translation_bytes).reshape(-1, 3)
    found: dict[tuple[int, ...], list[NDArray]] = {(_identity(rotations),): [GENERIC]}
    for point in _candidates(rotations, translations):
        group = _stabiliser(point, rotations, translations)
        if len(group) > 1:
            found.setdefault(group, []).append(point)
    return tuple(_site(group, np.array(points), rotations) for group, points in sorted(found.items(), key=_order))


def _order(item: tuple[tuple[int, ...], list[NDArray]]) -> tuple[int, tuple[int, ...]]:
    return len(item[0]), item[0]


def _identity(rotations: NDArray) -> int:
    return int(np.flatnonzero((rotations == np.eye(3)).all(axis=(1, 2)))[0])


def _candidates(rotations: NDArray, translations: NDArray) -> NDArray[np.float64]:
    """(K, 3) points in general places of every symmetry element and of crossings of two."""
    steps = np.array(list(product((-1, 0, 1), repeat=3)))
    rows, sides = [], []
    for rotation, translation in zip(rotations, translations, strict=True):
        moved = rotation - np.eye(3)
        if not moved.any():
            continue
        for step in steps:
            rows.append(moved)
            sides.append(-(translation + step))
    if not rows:
        return np.empty((0, 3))
    matrices, values = np.array(rows), np.array(sides)
    points, kept = _solved(matrices, values)
    matrices, values, points = matrices[kept], values[kept], points[kept]
    _, first = np.unique(
        np.round(np.concatenate([matrices.reshape(-1, 9), points % 1], axis=1), 4), axis=0, return_index=True
    )
    first = np.sort(first)[:MOST_ELEMENTS]
    matrices, values = matrices[first], values[first]
    pairs = np.array(list(combinations(range(len(matrices)), 2)), dtype=np.intp).reshape(-1, 2)
    crossed, kept = _solved(matrices[pairs].reshape(-1, 6, 3), values[pairs].reshape(-1, 6))
    every = np.concatenate([points[first], crossed[kept]]) % 1
    every[every > 1 - EXACT] = 0
    return np.asarray(np.unique(np.round(every, 5), axis=0))


def _solved(matrices: NDArray, values: NDArray) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Solve (K, E, 3) x = (K, E); return points in general places of the solutions, and where there are any."""
    if not len(matrices):
        return np.empty((0, 3)), np.empty(0, dtype=bool)
    inverse = np.linalg.pinv(matrices, rcond=1e-9)
    points = np.einsum("kxe,ke->kx", inverse, values)
    kept = np.abs(np.einsum("kex,kx->ke", matrices, points) - values).max(axis=1) < EXACT
    along = np.eye(3) - inverse @ matrices
    return points + along @ GENERIC, kept


def _stabiliser(point: NDArray, rotations: NDArray, translations: NDArray) -> tuple[int, ...]:
    moved = rotations @ point + translations - point
    return tuple(np.flatnonzero(np.abs(moved - np.rint(moved)).max(axis=1) < 5 * EXACT).tolist())


def _site(group: tuple[int, ...], points: NDArray, rotations: NDArray) -> Site:
    """Describe a site; one operation of each coset makes a part."""
    own, seen, pieces = rotations[list(group)], set[bytes](), []
    for row, rotation in enumerate(rotations):
        coset = np.rint(rotation @ own).astype(np.int8)
        if coset[0].tobytes() not in seen:
            seen.update(matrix.tobytes() for matrix in coset)
            pieces.append(row)
    identity = _identity(rotations)
    pieces = [identity] + [row for row in pieces if row != identity]
    return Site(group, points, tuple(pieces), own.mean(axis=0))


def cartesian(rotations: NDArray[np.integer], lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return rotations (S, 3, 3) of fractional columns as Cartesian ones: ``cart = lattice.T @ frac``."""
    return np.asarray(lattice.T @ rotations @ np.linalg.inv(lattice.T))


def orientations(
    group: NDArray[np.float64], shape: NDArray[np.float64]
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]] | None:
    """Return how a part may be turned on a site: quaternions to begin from, (4,), and projections of theirs, (4, 4).

    Args:
        group: (G, 3, 3) Cartesian matrices of the site.
        shape: (H, 3, 3) of the part itself, in its own frame.

    Returns:
        None where its shape lacks the symmetry.
    """
    everything = np.eye(4)
    real = [matrix for matrix in group if not np.allclose(matrix, np.eye(3), atol=EXACT)]
    if not real:
        return [(np.array([1.0, 0, 0, 0]), everything)]
    axes = [_axis(matrix) for matrix in real]
    if all(axis is None for axis in axes):  # an inversion centre alone
        return [(np.array([1.0, 0, 0, 0]), everything)] if _holds(shape, -np.eye(3)) else None
    named = [(axis, matrix) for axis, matrix in zip(axes, real, strict=True) if axis is not None]
    first, matrix = named[0]
    other = next(((a, m) for a, m in named if abs(a @ first) < 1 - 1e-3), None)
    found = []
    for own in _axes_like(shape, matrix):
        turned = _between(own, first)
        if other is None:
            if all(_holds(shape, turned.T @ m @ turned) for m in real):
                start = _quaternion(turned)
                spun = _product(np.array([0, *first]), start)
                found.append((turned, np.outer(start, start) + np.outer(spun, spun)))
            continue
        for second in _axes_like(shape, other[1]):
            twist = _twist(first, turned @ second, other[0])
            if twist is None:
                continue
            both = twist @ turned
            if all(_holds(shape, both.T @ m @ both) for m in real):
                start = _quaternion(both)
                found.append((both, np.outer(start, start)))
    return [(_quaternion(turn), spin) for turn, spin in _different(found, shape)] or None


def _different(
    turns: list[tuple[NDArray[np.float64], NDArray[np.float64]]], shape: NDArray
) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Keep one of turns that the shape's own rotations, or a turn that is free, make of each other."""
    proper = shape[np.linalg.det(shape) > 0]
    kept: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    for turn, spin in turns:
        images = [_quaternion(turn @ own) for own in proper]
        if not any((q @ known @ q) > 1 - 1e-2 for _, known in kept for q in images):
            kept.append((turn, spin))
    return kept


def _axis(matrix: NDArray) -> NDArray[np.float64] | None:
    """Return the axis of a rotation, proper or not; None for the inversion."""
    proper = matrix * np.sign(np.linalg.det(matrix))
    if np.allclose(proper, np.eye(3), atol=1e-3):
        return None
    values, vectors = np.linalg.eig(proper)
    axis = np.real(vectors[:, np.argmin(np.abs(values - 1))])
    return np.asarray(axis / np.linalg.norm(axis))


def _axes_like(shape: NDArray, wanted: NDArray) -> list[NDArray[np.float64]]:
    """Return both directions of every axis of the shape whose operation is of the kind of `wanted`."""
    kind = (np.sign(np.linalg.det(wanted)), np.trace(wanted))
    found: list[NDArray[np.float64]] = []
    for matrix in shape:
        alike = np.sign(np.linalg.det(matrix)) == kind[0] and abs(np.trace(matrix) - kind[1]) < 0.15
        axis = _axis(matrix) if alike else None
        if axis is not None and not any(abs(axis @ known) > 0.999 for known in found):
            found += [axis, -axis]
    return found


def _holds(shape: NDArray, matrix: NDArray) -> bool:
    return bool((np.abs(shape - matrix).max(axis=(1, 2)) < SHAPE_TOLERANCE).any())


def _between(start: NDArray, end: NDArray) -> NDArray[np.float64]:
    """Return a rotation that takes one unit vector to another."""
    cross, cosine = np.cross(start, end), float(start @ end)
    if cosine < -1 + 1e-9:
        side = np.cross(start, np.eye(3)[np.argmin(np.abs(start))])
        side /= np.linalg.norm(side)
        return np.asarray(2 * np.outer(side, side) - np.eye(3))
    skew = np.array([[0, -cross[2], cross[1]], [cross[2], 0, -cross[0]], [-cross[1], cross[0], 0]])
    return np.asarray(np.eye(3) + skew + skew @ skew / (1 + cosine))


def _twist(axis: NDArray, start: NDArray, end: NDArray) -> NDArray[np.float64] | None:
    """Return a turn about `axis` that takes `start` to `end`; None where they stand at other angles to it."""
    if abs(start @ axis - end @ axis) > 0.05:
        return None
    a, b = start - (start @ axis) * axis, end - (end @ axis) * axis
    angle = np.arctan2(np.cross(a, b) @ axis, a @ b)
    skew = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * skew + (1 - np.cos(angle)) * skew @ skew)


def _quaternion(matrix: NDArray) -> NDArray[np.float64]:
    """Return the unit quaternion (w, x, y, z) of a rotation matrix."""
    values = np.array(
        [
            [matrix[0, 0] - matrix[1, 1] - matrix[2, 2], 0, 0, 0],
            [matrix[0, 1] + matrix[1, 0], matrix[1, 1] - matrix[0, 0] - matrix[2, 2], 0, 0],
            [matrix[0, 2] + matrix[2, 0], matrix[1, 2] + matrix[2, 1], matrix[2, 2] - matrix[0, 0] - matrix[1, 1], 0],
            [
                matrix[2, 1] - matrix[1, 2],
                matrix[0, 2] - matrix[2, 0],
                matrix[1, 0] - matrix[0, 1],
                np.trace(matrix),
            ],
        ]
    )
    vector = np.linalg.eigh(values)[1][:, -1]  # Bar-Itzhack (2000), on the lower triangle
    return np.asarray(vector[[3, 0, 1, 2]])


def _product(a: NDArray, b: NDArray) -> NDArray[np.float64]:
    """Return the product of two quaternions."""
    w, v, u, t = a[0], a[1:], b[0], b[1:]
    return np.concatenate([[w * u - v @ t], w * t + u * v + np.cross(v, t)])
