"""What a part looks like by itself: its point group, and the bonds about which it may turn."""

from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from xtal.crystals.crystal import HIGHEST_NUMBER
from xtal.crystals.linkers import METALS
from xtal.crystals.parts.identity import colours
from xtal.crystals.parts.matching import neighbours
from xtal.crystals.parts.part import Part

TOLERANCE = 0.15  # Å, how far an operation may leave an atom from the place of another one
LOOSE = 3.0  # times the tolerance, for first guesses that two atoms alone make
ROUNDS = 3  # of averaging the shape over its operations
SHORTEST_SINGLE = 0.92  # of the sum of the covalent radii: an amide's C-N has 0.91, an ether's C-O 0.96


def shape_symmetry(part: Part, tolerance: float = TOLERANCE) -> NDArray[np.float64]:
    """Return (G, 3, 3) orthogonal matrices O for which ``position @ O.T`` are the atoms again, in another order.

    Proper and improper, the identity first; atoms that change places are of one element and bonded alike. Lines and
    points have endlessly many: of a line those of the group 12/mmm (or 12mm) about it are returned, of a point those of
    m-3m and 6/mmm, so that every crystallographic point group that fits is among them.

    Args:
        part: positions about their mean.
        tolerance: Å.
    """
    position = part.position
    size = np.linalg.svd(position, compute_uv=False)
    if size[0] < tolerance:
        return _of_a_point()
    colour = colours(part.numbers, part.bonds, np.zeros(len(part), dtype=bool))
    alike = colour[:, None] == colour
    if len(part) == 2 or size[1] < tolerance:
        return _of_a_line(position, alike, tolerance)
    operations = _fitted(position, *_verified(position, alike, _guesses(position, colour, tolerance), tolerance))
    identity = np.abs(operations - np.eye(3)).max(axis=(1, 2))
    return operations[np.argsort(identity, kind="stable")]


def rotors(part: Part) -> list[tuple[tuple[int, int], NDArray[np.int64]]]:
    """Return the bonds about which a part may turn: the two atoms of the axis, and the (m,) atoms that turn with it.

    Single bonds by their length, outside rings and not to metals, with more than hydrogen on the side that turns, which
    is the smaller one and that of the axis' second atom. Ends that lie on the axis (nitriles) do not turn.
    """
    import gemmi

    radius = np.array([gemmi.Element(z).covalent_r for z in range(HIGHEST_NUMBER + 1)])
    near, found = neighbours(part), []
    for i, j in part.bonds.tolist():
        if METALS[part.numbers[[i, j]]].any() or min(len(near[i]), len(near[j])) < 2:
            continue
        axis = part.position[j] - part.position[i]
        if np.linalg.norm(axis) < SHORTEST_SINGLE * radius[part.numbers[[i, j]]].sum():
            continue
        side = _side(near, i, j)
        if side is None:
            continue
        if 2 * len(side) > len(part):
            i, j = j, i
            side = sorted(set(range(len(part))) - set(side))
        moving = np.array([atom for atom in side if atom != j])
        off = np.linalg.norm(np.cross(part.position - part.position[i], axis), axis=1) / np.linalg.norm(axis)
        rest = np.setdiff1d(np.arange(len(part)), [*side, i])
        if (part.numbers[moving] > 1).any() and all(off[atoms].max(initial=0) > 0.5 for atoms in (moving, rest)):
            found.append(((i, j), moving))
    return found


def _side(near: list[list[int]], i: int, j: int) -> list[int] | None:
    """Return the atoms on j's side of the bond i-j, j among them; None when a ring leads back to i."""
    side, seen = [j], {i, j}
    for atom in side:  # grows while it is walked through
        for other in near[atom]:
            if other == i and atom != j:
                return None
            if other not in seen:
                seen.add(other)
                side.append(other)
    return side


def _guesses(position: NDArray, colour: NDArray, tolerance: float) -> NDArray[np.float64]:
    """Return (C, 3, 3) orthogonal matrices that take two atoms of rare kinds to two of the same kinds."""
    far = np.linalg.norm(position, axis=1)
    _, inverse, count = np.unique(colour, return_inverse=True, return_counts=True)
    rare = np.lexsort((-far, count[inverse]))
    first = next((int(k) for k in rare if far[k] > 4 * tolerance), int(far.argmax()))
    off = np.linalg.norm(np.cross(position, position[first] / far[first]), axis=1)
    second = next((int(k) for k in rare if off[k] > 4 * tolerance), int(off.argmax()))
    images = [np.flatnonzero((colour == colour[k]) & (abs(far - far[k]) < tolerance)) for k in (first, second)]
    one, two = (grid.ravel() for grid in np.meshgrid(*images, indexing="ij"))
    apart = np.linalg.norm(position[first] - position[second])
    fits = abs(np.linalg.norm(position[one] - position[two], axis=1) - apart) < 2 * tolerance
    here, there = _frames(position[[first]], position[[second]]), _frames(position[one[fits]], position[two[fits]])
    mirror = np.diag([1.0, 1.0, -1.0])
    return np.concatenate([there @ np.swapaxes(here, 1, 2), there @ mirror @ np.swapaxes(here, 1, 2)])


def _frames(one: NDArray, two: NDArray) -> NDArray[np.float64]:
    """Return (C, 3, 3) right-handed frames, as columns, of pairs of vectors (C, 3)."""
    x = one / np.linalg.norm(one, axis=1, keepdims=True)
    z = np.cross(one, two)
    z /= np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-9)
    return np.stack([x, np.cross(z, x), z], axis=-1)


def _verified(
    position: NDArray, alike: NDArray[np.bool_], guesses: NDArray, tolerance: float
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the guesses (G, 3, 3) that hold for every atom, made better, and (G, n) the atoms that they map to."""
    operations, images, seen = [], [], set()
    for guess in guesses:
        moved = position @ guess.T
        squared = np.where(alike, ((moved[:, None] - position) ** 2).sum(-1), np.inf)
        image = squared.argmin(axis=1)
        if squared[np.arange(len(image)), image].max() > (LOOSE * tolerance) ** 2 or len(set(image)) < len(image):
            continue
        better = _nearest(position[image].T @ position, bool(np.linalg.det(guess) > 0))
        known = (tuple(image), bool(np.linalg.det(guess) > 0))
        if known not in seen and np.linalg.norm(position @ better.T - position[image], axis=1).max() < tolerance:
            seen.add(known)
            operations.append(better)
            images.append(image)
    return np.array(operations), np.array(images)


def _fitted(position: NDArray, operations: NDArray, images: NDArray) -> NDArray[np.float64]:
    """Make the operations those of the mean shape, so that they form a group to the last digit."""
    for _ in range(ROUNDS):
        position = np.mean([position[i] @ o for o, i in zip(operations, images, strict=True)], axis=0)
        operations = np.array(
            [
                _nearest(position[i].T @ position, bool(np.linalg.det(o) > 0))
                for o, i in zip(operations, images, strict=True)
            ]
        )
    return operations


def _nearest(covariance: NDArray, proper: bool) -> NDArray[np.float64]:
    """Return the orthogonal matrix of given handedness that is nearest to a (3, 3) covariance (Kabsch, 1976)."""
    left, _, right = np.linalg.svd(covariance)
    turn = np.array([1, 1, np.sign(np.linalg.det(left @ right)) * (1 if proper else -1)])
    return (left * turn) @ right


def _of_a_line(position: NDArray, alike: NDArray[np.bool_], tolerance: float) -> NDArray[np.float64]:
    """Return the group 12/mmm about the line of the atoms, or 12mm when its ends differ."""
    axis = np.linalg.svd(position)[2][0]
    along = position @ axis
    swapped = np.where(alike, abs(along[:, None] + along), np.inf).min(axis=1).max() < tolerance
    frame = _frames(axis[None], np.eye(3)[[abs(axis).argmin()]])[0][:, [1, 2, 0]]
    ends = (1.0, -1.0) if swapped else (1.0,)
    about = [_about_z(30 * k) @ np.diag([1, side, end]) for end, side, k in product(ends, (1.0, -1.0), range(12))]
    return np.array([frame @ operation @ frame.T for operation in about])


def _of_a_point() -> NDArray[np.float64]:
    """Return the operations of m-3m and then those of 6/mmm about z."""
    cubic = [np.eye(3)[list(p)] * s for p, s in product(permutations(range(3)), product((1, -1), repeat=3))]
    six = [_about_z(60 * k) @ np.diag([1, side, end]) for end, side, k in product((1, -1), (1, -1), range(6))]
    return np.array([*cubic, *six])


def _about_z(degrees: float) -> NDArray[np.float64]:
    """Return the rotation about z."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
