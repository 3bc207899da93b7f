"""A crystal in the conventional setting of its space group: what a refinement and a reader of a CIF want.

Symmetry is found by spglib, and the setting is the one that the International Tables list first in their standard
table (gemmi's reference setting): unique axis b, hexagonal axes, the origin on the inversion centre.

    lattice_c = inv(P)ᵀ @ lattice,   G = lattice_c @ lattice_cᵀ,   G ← mean over the rotations W of  Wᵀ G W

so that a strained lattice becomes the nearest one that the symmetry allows.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import gemmi
import numpy as np
from numpy.typing import NDArray

from xtal.crystals.cell import cell_parameters
from xtal.crystals.crystal import Crystal, format_formula, reduced
from xtal.crystals.symmetry import expand, shortest, wrapped

TOLERANCES = (0.05, 0.01, 0.002)  # Å that atoms may lie off their symmetry: no powder pattern sees it; less in crowds
SAME_PLACE = 0.02  # Å: rows of several elements that share a site


@dataclass(frozen=True, eq=False)
class Conventional:
    """A crystal by its space group and its independent sites.

    Attributes:
        group: setting of the space group; its operations make the cell out of the sites.
        lattice: (3, 3) Å, rows a, b, c of the conventional cell, in the frame of the crystal it was made of.
        frac_coords: (S, 3) independent sites in [0, 1), on their symmetry elements; elements that share a site are
            listed one after the other.
        numbers: (S,) atomic numbers.
        occupancies: (S,) in (0, 1].
        multiplicity: (S,) atoms in the cell that each site makes.
        name: of the crystal.
    """

    group: gemmi.SpaceGroup
    lattice: NDArray[np.float64]
    frac_coords: NDArray[np.float64]
    numbers: NDArray[np.uint8]
    occupancies: NDArray[np.float64]
    multiplicity: NDArray[np.int64]
    name: str = ""

    def __len__(self) -> int:
        """Return the number of independent sites."""
        return len(self.numbers)

    @property
    def cell(self) -> NDArray[np.float64]:
        """(6,) a, b, c in Å and α, β, γ in degrees, as the symmetry has them."""
        return np.concatenate(cell_parameters(self.lattice))

    @property
    def composition(self) -> dict[str, float]:
        """Atoms in the cell by element, weighted by occupancy, in Hill order."""
        return self.whole().composition

    @property
    def formula_units(self) -> int:
        """Z: how often the reduced formula stands in the cell; 1 where occupancies make it no whole number."""
        whole = self.composition
        first = next(iter(whole))
        return max(1, round(whole[first] / reduced(whole)[first]))

    @property
    def formula(self) -> str:
        """Reduced formula in Hill order."""
        return format_formula(reduced(self.composition))

    def whole(self) -> Crystal:
        """Return the crystal with all atoms of the conventional cell."""
        operations = operations_of(self.group)
        frac, site = expand(self.frac_coords, operations, self.lattice, np.full(len(self), SAME_PLACE))
        return Crystal(self.lattice, frac, self.numbers[site], self.occupancies[site], self.name)


def conventional(crystal: Crystal, lattice: NDArray[np.float64] | None = None) -> Conventional:
    """Return a crystal in the conventional setting of the space group that its atoms have within 0.05 Å.

    Args:
        crystal: any cell of it, left- or right-handed.
        lattice: (3, 3) Å, the same cell as a fit strained it; the crystal's own when None. Symmetry is that of the
            crystal, and the strain loses what breaks it.
    """
    hand = np.sign(np.linalg.det(crystal.lattice))
    own, frac = crystal.lattice * hand, crystal.frac_coords * hand  # the same crystal, not its mirror image
    strained = own if lattice is None else lattice * hand
    place, members = _places(crystal)
    kinds = _kinds(crystal, members)
    for tolerance in TOLERANCES:
        found = _dataset((own, frac[place], kinds), tolerance)
        if found is None:  # spglib gives up on atoms that crowd
            continue
        made = _of_dataset(crystal, found, (own, strained), members, kinds, tolerance)
        if _holds_all(made, crystal, 1 / abs(np.linalg.det(found.transformation_matrix))):
            return made
    group = gemmi.find_spacegroup_by_number(1)
    ones = np.ones(len(crystal), dtype=np.int64)
    return Conventional(group, strained, wrapped(frac), crystal.numbers, crystal.occupancies, ones, crystal.name)


def _of_dataset(
    crystal: Crystal,
    found: Any,
    lattices: tuple[NDArray, NDArray],
    members: list[NDArray[np.intp]],
    kinds: NDArray[np.int64],
    tolerance: float,
) -> Conventional:
    """Return what spglib `found`, with the cell of the second of the two `lattices`: as it is, and strained."""
    group = gemmi.get_spacegroup_reference_setting(found.number)
    change = np.linalg.inv(found.transformation_matrix).T
    positions, types = wrapped(np.asarray(found.std_positions)), np.asarray(found.std_types)
    operations = operations_of(group)
    own, settled = (_symmetric(change @ lattice, operations) for lattice in lattices)
    sites, counts = _independent(positions, types, operations, own, tolerance)
    rows = [(site, atom) for site in sites for atom in members[int(np.flatnonzero(kinds == types[site])[0])]]
    chosen = np.array([atom for _, atom in rows])
    coordinates = _on_elements(positions[[site for site, _ in rows]], operations, settled, tolerance)
    multiplicity = np.array([counts[site] for site, _ in rows])
    return Conventional(
        group, settled, coordinates, crystal.numbers[chosen], crystal.occupancies[chosen], multiplicity, crystal.name
    )


def _holds_all(made: Conventional, crystal: Crystal, share: float) -> bool:
    """Tell whether the sites make the atoms of the crystal again, `share` times as many.

    Atoms that lie nearer to a symmetry element, or to each other, than the tolerance may be merged or doubled.
    """
    found, wanted = made.composition, {symbol: amount * share for symbol, amount in crystal.composition.items()}
    return found.keys() == wanted.keys() and all(abs(found[s] - amount) < 1e-3 * amount for s, amount in wanted.items())


@lru_cache(maxsize=256)
def _operations(name: str) -> NDArray[np.float64]:
    group = gemmi.find_spacegroup_by_name(name)
    matrices = np.array([np.array(op.seitz()[:3], dtype=np.float64) for op in group.operations()])
    identity = np.flatnonzero((np.abs(matrices - np.eye(4)[:3]) < 1e-9).all(axis=(1, 2)))[0]
    return np.concatenate([matrices[identity : identity + 1], np.delete(matrices, identity, axis=0)])


def operations_of(group: gemmi.SpaceGroup) -> NDArray[np.float64]:
    """(G, 3, 4) rotation W and translation w of each operation, centring included; the first is the identity."""
    return _operations(group.xhm())


@lru_cache(maxsize=256)
def _hall_number(number: int) -> int:
    """Return spglib's number of the reference setting of a space group."""
    import spglib

    for hall in range(1, 531):
        if spglib.get_spacegroup_type(hall).number == number:
            found = spglib.get_symmetry_from_database(hall)
            ops = [_operation(*pair) for pair in zip(found["rotations"], found["translations"], strict=True)]
            group = gemmi.find_spacegroup_by_ops(gemmi.GroupOps(ops))
            if group is not None and group.is_reference_setting():
                return hall
    raise ValueError(f"spglib has no reference setting of space group {number}")


def _operation(rotation: NDArray, translation: NDArray) -> gemmi.Op:
    op = gemmi.Op()
    op.rot = (np.asarray(rotation) * gemmi.Op.DEN).tolist()
    op.tran = np.rint(np.asarray(translation) * gemmi.Op.DEN).astype(int).tolist()
    return op


def _dataset(cell: tuple[NDArray, NDArray, NDArray], tolerance: float) -> Any:
    """Return spglib's dataset in the reference setting, None where atoms crowd so that no symmetry is found."""
    import spglib

    with _silent():
        found = spglib.get_symmetry_dataset(cell, symprec=tolerance)
        if found is None:
            return None
        return spglib.get_symmetry_dataset(cell, symprec=tolerance, hall_number=_hall_number(found.number))


def _silent() -> Any:
    """Keep spglib from warning of what is handled here."""
    import warnings

    return warnings.catch_warnings(action="ignore")


def _places(crystal: Crystal) -> tuple[NDArray[np.intp], list[NDArray[np.intp]]]:
    """Return the first atom of each place, and the atoms that share it: several elements on one site."""
    if (crystal.occupancies == 1).all():
        atoms = np.arange(len(crystal))
        return atoms, list(atoms[:, None])
    taken = np.zeros(len(crystal), dtype=bool)
    first, members = [], []
    for atom in range(len(crystal)):
        if taken[atom]:
            continue
        near = shortest(crystal.frac_coords - crystal.frac_coords[atom], crystal.lattice) < SAME_PLACE
        near &= ~taken
        taken |= near
        first.append(atom)
        members.append(np.flatnonzero(near))
    return np.array(first), members


def _kinds(crystal: Crystal, members: list[NDArray[np.intp]]) -> NDArray[np.int64]:
    """(P,) equal numbers for places that hold the same elements in the same amounts."""
    keys: dict[tuple[Any, ...], int] = {}
    found = []
    for atoms in members:
        key = tuple(sorted((int(crystal.numbers[a]), round(float(crystal.occupancies[a]), 3)) for a in atoms))
        found.append(keys.setdefault(key, len(keys) + 1))
    return np.array(found)


def _symmetric(lattice: NDArray[np.float64], operations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lattice, turned as it is, whose metric is the mean over the rotations."""
    metric = lattice @ lattice.T
    rotations = operations[:, :, :3]
    wanted = np.einsum("gji,jk,gkl->il", rotations, metric, rotations) / len(rotations)
    # lattice' = M lattice with M G Mᵀ = wanted: by the roots of both, which is the smallest turn for a small strain
    return _root(wanted, lattice)


def _root(metric: NDArray[np.float64], lattice: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lattice of a metric that lies nearest to `lattice` (polar decomposition)."""
    low = np.linalg.cholesky(metric)
    u, _, vt = np.linalg.svd(low.T @ lattice)
    return low @ (u @ vt)


def _independent(
    frac: NDArray, kinds: NDArray, operations: NDArray, lattice: NDArray, tolerance: float
) -> tuple[list[int], dict[int, int]]:
    """Return one atom of each orbit, heaviest environment first as listed, and how many atoms each orbit has."""
    left = np.ones(len(frac), dtype=bool)
    sites: list[int] = []
    counts: dict[int, int] = {}
    for atom in range(len(frac)):
        if not left[atom]:
            continue
        images = wrapped(operations[:, :, :3] @ frac[atom] + operations[:, :, 3])
        others = np.flatnonzero(left & (kinds == kinds[atom]))
        reach = shortest(images[:, None] - frac[others], lattice)  # (G, O)
        orbit = others[(reach < 2 * tolerance).any(axis=0)]
        left[orbit] = False
        left[atom] = False
        sites.append(atom)
        counts[atom] = max(1, len(orbit))
    return sites, counts


def _on_elements(frac: NDArray, operations: NDArray, lattice: NDArray, tolerance: float) -> NDArray[np.float64]:
    """Return sites (S, 3) moved to the mean of their own images: onto the symmetry elements they lie on."""
    images = operations[:, None, :, :3] @ frac[None, :, :, None]
    shift = images[..., 0] + operations[:, None, :, 3] - frac  # (G, S, 3)
    shift -= np.round(shift)
    fixed = np.linalg.norm(shift @ lattice, axis=-1) < 2 * tolerance
    return wrapped(frac + (shift * fixed[..., None]).sum(0) / fixed.sum(0)[:, None])
