"""Crystals to and from pymatgen Structures: the one place where pymatgen's types are known."""

from typing import TYPE_CHECKING

import numpy as np

from xtal.crystals.crystal import HIGHEST_NUMBER, Crystal
from xtal.errors import UserError

if TYPE_CHECKING:
    from pymatgen.core import Structure

SAME_SITE = 1e-6  # fractional; elements that share a site carry the same coordinates


def from_structure(structure: "Structure", name: str = "") -> Crystal:
    """Return a pymatgen Structure as a Crystal; oxidation states and site properties are dropped.

    Args:
        structure: ordered or disordered; a site of several species becomes one row per species.
        name: what to call the crystal.

    Raises:
        UserError: anything but a Structure, and species that are no element (dummy species).
    """
    sites = getattr(structure, "sites", None)
    if sites is None or getattr(structure, "lattice", None) is None:
        raise UserError(f"a periodic pymatgen Structure is needed, got {type(structure).__name__}")
    rows = [(site.frac_coords, species, amount) for site in sites for species, amount in site.species.items()]
    numbers = [int(species.Z) for _, species, _ in rows]
    dummy = next((s for (_, s, _), z in zip(rows, numbers, strict=True) if not 1 <= z <= HIGHEST_NUMBER), None)
    if dummy is not None:  # dummy species carry hashes for atomic numbers
        raise UserError(f"species {dummy} is no element up to number {HIGHEST_NUMBER}; remove such sites first")
    frac = np.array([position for position, _, _ in rows]).reshape(-1, 3)
    return Crystal(structure.lattice.matrix, frac, np.array(numbers), np.array([a for _, _, a in rows]), name)


def to_structure(crystal: Crystal) -> "Structure":
    """Return a Crystal as a pymatgen Structure; partly occupied rows in one place become one disordered site.

    Raises:
        UserError: rows in one place with occupancies that sum to more than 1.
    """
    from pymatgen.core import Element, Structure

    if (crystal.occupancies == 1).all():
        return Structure(crystal.lattice, crystal.numbers.tolist(), crystal.frac_coords)
    places: dict[tuple[int, ...], dict[Element, float]] = {}
    first: list[int] = []
    cells = round(1 / SAME_SITE)
    for row, place in enumerate(np.round(crystal.frac_coords * cells).astype(int) % cells):
        species = places.setdefault(tuple(place.tolist()), {})
        if not species:
            first.append(row)
        element = Element.from_Z(int(crystal.numbers[row]))
        species[element] = species.get(element, 0.0) + float(crystal.occupancies[row])
    try:
        return Structure(crystal.lattice, list(places.values()), crystal.frac_coords[first])
    except ValueError as error:
        raise UserError(f"{crystal.name or 'crystal'} has no pymatgen Structure: {error}") from None
