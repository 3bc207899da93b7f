"""The atoms, sticks and polyhedra that draw one unit cell: bonds across its faces included, linkers whole."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xtal.crystals import Crystal, find_bonds
from xtal.crystals.bonds import Bonds, sites_within
from xtal.crystals.linkers import CARBON, METALS, bodies

FEWEST_CORNERS = 4  # of a polyhedron
FLAT = 1e-3  # Å³: a body of less volume has no faces
FACE_SLACK = 0.1  # Å: an atom this close to a cell face is repeated on the opposite face


@dataclass(frozen=True, eq=False)
class CellDrawing:
    """What to draw for one unit cell.

    Attributes:
        atom: (D,) atom index of each drawn site.
        position: (D, 3) Å.
        inside: (D,) True in the cell, on its faces, or in a linker that reaches into it; False for the far end of a
            bond that leaves these.
        bonds: (S, 2) indexes into the drawn sites; every bond with an end inside appears once.
    """

    atom: NDArray[np.int64]
    position: NDArray[np.float64]
    inside: NDArray[np.bool_]
    bonds: NDArray[np.int64]


def draw_cell(crystal: Crystal) -> CellDrawing:
    """Collect the sites in the cell and on its faces, all their bonds, and the far ends of bonds that leave it.

    Of a framework, linkers that reach into the cell are whole.
    """
    bonds = find_bonds(crystal)
    atom, shift = sites_within(crystal, FACE_SLACK)
    if METALS[crystal.numbers].any():
        atom, shift = _with_linkers(crystal, bonds, atom, shift)
    starts = np.searchsorted(bonds.first, np.arange(len(crystal) + 1))
    counts = np.diff(starts)[atom]
    source = np.repeat(np.arange(len(atom)), counts)
    bond = np.repeat(starts[atom] - np.cumsum(counts) + counts, counts) + np.arange(counts.sum())
    end_atom, end_shift = bonds.second[bond], shift[source] + bonds.shift[bond]

    reach = int(max(np.abs(shift).max(), np.abs(end_shift).max(initial=0)))
    inside_code, end_code = _codes(atom, shift, reach), _codes(end_atom, end_shift, reach)
    outside_code, seen_at = np.unique(end_code, return_index=True)
    outside = ~np.isin(outside_code, inside_code)
    outside_code, seen_at = outside_code[outside], seen_at[outside]

    code = np.concatenate([inside_code, outside_code])
    order = np.argsort(code)
    end = order[np.searchsorted(code[order], end_code)]
    pairs = np.unique(np.sort(np.column_stack([source, end]), axis=1), axis=0)
    all_atoms = np.concatenate([atom, end_atom[seen_at]])
    all_shifts = np.concatenate([shift, end_shift[seen_at]])
    position = (crystal.frac_coords[all_atoms] + all_shifts) @ crystal.lattice
    return CellDrawing(all_atoms, position, np.arange(len(code)) < len(atom), pairs)


def polyhedra(crystal: Crystal, drawing: CellDrawing) -> list[tuple[int, NDArray[np.float64]]]:
    """Return the metals in the cell with the faces (F, 3, 3), corners in Å, of what is bound to each.

    A face is a triangle, its corners counterclockwise from outside; four neighbours or more that are no metals make a
    polyhedron, unless they lie in a plane.
    """
    from scipy.spatial import ConvexHull, QhullError

    metal = METALS[crystal.numbers[drawing.atom]]
    near: dict[int, list[int]] = {int(site): [] for site in np.flatnonzero(metal & drawing.inside)}
    for first, second in [*drawing.bonds.tolist(), *drawing.bonds[:, ::-1].tolist()]:
        if first in near and not metal[second]:
            near[first].append(second)
    found = []
    for site, corners in near.items():
        if len(corners) < FEWEST_CORNERS:
            continue
        try:
            hull = ConvexHull(drawing.position[corners])
        except QhullError:
            continue
        if hull.volume > FLAT:
            found.append((site, _outwards(drawing.position[corners][hull.simplices], hull.equations[:, :3])))
    return found


def _outwards(faces: NDArray[np.float64], normals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return triangles (F, 3, 3) whose corners run counterclockwise, seen from where the normals (F, 3) point."""
    turn = np.cross(faces[:, 1] - faces[:, 0], faces[:, 2] - faces[:, 0])
    inwards = (turn * normals).sum(axis=1) < 0
    return np.where(inwards[:, None, None], faces[:, ::-1], faces)


def _with_linkers(
    crystal: Crystal, bonds: Bonds, atom: NDArray[np.int64], shift: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Add to sites (atom, shift) what is missing of molecules with carbon that have an atom among them."""
    metal = METALS[crystal.numbers]
    organic = [
        body
        for body in bodies(len(crystal), bonds, ~metal[bonds.first] & ~metal[bonds.second])
        if not body.endless and len(body.atoms) > 1 and (crystal.numbers[body.atoms] == CARBON).any()
    ]
    owner, own = np.full(len(crystal), -1), np.zeros((len(crystal), 3), np.int64)
    for number, body in enumerate(organic):
        owner[body.atoms], own[body.atoms] = number, body.cell
    held = owner[atom] >= 0
    copies = np.unique(np.column_stack([owner[atom], shift - own[atom]])[held], axis=0)
    sites = [np.column_stack([atom, shift])]
    sites += [np.column_stack([organic[n].atoms, organic[n].cell + move]) for n, *move in copies.tolist()]
    whole = np.unique(np.concatenate(sites), axis=0)
    return whole[:, 0], whole[:, 1:]


def _codes(atom: NDArray[np.int64], shift: NDArray[np.int64], reach: int) -> NDArray[np.int64]:
    """Number each site by one integer: digits of the shift in base ``2 reach + 1`` above the atom index."""
    base = 2 * reach + 1
    x, y, z = (shift + reach).T
    return ((atom * base + x) * base + y) * base + z
