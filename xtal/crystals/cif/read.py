"""Crystals as CIF text, in."""

import re

import numpy as np
from gemmi import cif
from numpy.typing import NDArray

from xtal.crystals.cell import NAMES as CELL_NAMES
from xtal.crystals.cell import cell_lattice
from xtal.crystals.cif.block import Block
from xtal.crystals.cif.mend import mended
from xtal.crystals.cif.operations import read_operations, unknown_setting
from xtal.crystals.cif.sites import MAX_ATOMS, Sites, listed_sites, shared_places
from xtal.crystals.cif.text import structures
from xtal.crystals.crystal import Crystal
from xtal.crystals.disorder import closeness, refuse_crowds
from xtal.crystals.symmetry import expand, wrapped
from xtal.errors import UserError

MAX_IMAGES = 200_000  # sites x operations, before images on special positions are merged
LONGEST_TEXT = 300  # characters of a file's own words in names and messages
SMALLEST_ATOM = 1.0  # Å³ of cell per atom; hydrogen under pressure takes 2, diamond 5.7
SAME_ATOM, SAME_PART = 0.4, 0.1  # Å between images of a site that are one atom: fully, and at most half occupied
CLEARLY = 0.1  # of the sum of the covalent radii, by which atoms must be nearer for an origin to be the wrong one


class _SyntaxError(UserError):
    """Text that is no CIF."""


def read_cif(text: str | bytes, name: str = "") -> Crystal:
    """Read the first structure of a CIF, with its symmetry expanded to all atoms of the cell.

    Args:
        text: a whole CIF; bytes are taken as UTF-8, UTF-16 or Windows-1252.
        name: what to call the crystal, by default the name of its data block.

    Raises:
        UserError: the CIF is no structure; the message names the entry.
    """
    try:
        return _first(structures(text)[0][1], name)
    except UserError as error:
        raise UserError(f"{name or 'CIF'}: {str(error)[:LONGEST_TEXT]}") from None


def _first(text: bytes, name: str) -> Crystal:
    """Return the first crystal of a text as it stands, or as it stands when mended."""
    try:
        return _crystal(_structure_block(text), name)
    except UserError as error:
        better = mended(text)
        if better is None:
            raise
        try:
            return _crystal(_structure_block(better), name)
        except UserError as other:
            telling = isinstance(error, _SyntaxError) and not isinstance(other, _SyntaxError)
            raise (other if telling else error) from None


def _structure_block(text: bytes) -> Block:
    """Return the first data block that holds atoms."""
    try:
        document = cif.read_string(text)
    except (ValueError, RuntimeError) as error:
        raise _SyntaxError(f"not a readable CIF ({error}); check the file at that line") from None
    for block in document:
        tags = Block(block)
        if tags.listed("_atom_site_fract_x") or tags.listed("_atom_site_cartn_x"):
            return tags
    raise UserError(
        f"no atom sites in fractional coordinates (_atom_site_fract_x) in {len(document)} data blocks; "
        "a structure CIF is needed"
    )


def _crystal(block: Block, name: str) -> Crystal:
    """Build the crystal of one data block."""
    name = name or block.name[:LONGEST_TEXT]
    lattice = cell_lattice([block.number(f"_cell_{parameter}") for parameter in CELL_NAMES])
    sites = listed_sites(block, lattice)
    settings = read_operations(block, lattice)
    if len(settings) == 1:
        return _built(lattice, sites, settings[0], name)
    crystals: list[Crystal] = []
    for operations in settings:
        try:
            crystals.append(_built(lattice, sites, operations, name))
        except UserError as error:  # atoms on top of each other: not the origin that was meant
            wrong = error
    if not crystals:
        raise wrong
    return crystals[0] if len(crystals) == 1 else _likeliest(block, crystals)


def _built(lattice: NDArray, sites: Sites, operations: NDArray, name: str) -> Crystal:
    """Return the crystal of sites and symmetry operations."""
    frac, elements, occupancies = sites
    if len(operations) > 1:
        if len(operations) * len(frac) > MAX_IMAGES:
            raise UserError(f"{len(frac)} sites x {len(operations)} operations exceed {MAX_IMAGES:,} positions")
        frac, site = expand(frac, operations, lattice, np.where(occupancies > 0.5, SAME_ATOM, SAME_PART))
        elements, occupancies = elements[site], occupancies[site]
    if len(frac) > MAX_ATOMS:
        raise UserError(f"{len(frac):,} atoms in the cell, more than {MAX_ATOMS:,}")
    frac, elements, occupancies = shared_places(wrapped(frac), elements, occupancies, lattice)
    volume = abs(np.linalg.det(lattice)) / occupancies.sum()
    if volume < SMALLEST_ATOM:
        raise UserError(f"{volume:.2g} Å³ of cell per atom, which is less than {SMALLEST_ATOM:g}; is the cell in Å?")
    return refuse_crowds(Crystal(lattice, frac, elements.astype(np.uint8), occupancies, name))


def _likeliest(block: Block, settings: list[Crystal]) -> Crystal:
    """Return the crystal of the origin that a symbol leaves open: by the file's formula, or else by the distances.

    Raises:
        UserError: neither tells.
    """
    formula = _formula(block)
    fitting = [crystal for crystal in settings if _agrees(crystal, formula)]
    if formula and len(fitting) == 1:
        return fitting[0]
    nearest = np.array([min(closeness(crystal), 1.0) for crystal in settings])
    first, second = np.argsort(-nearest)[:2]
    if nearest[first] - nearest[second] > CLEARLY:
        return settings[first]
    raise unknown_setting(block)


def _formula(block: Block) -> dict[str, float]:
    """Return the amounts of the elements but hydrogen in the file's formula; none when it gives no plain one."""
    found = re.findall(r"([A-Z][a-z]?)(\d*\.?\d*)", block.value("_chemical_formula_sum"))
    amounts = {symbol: float(count or 1) for symbol, count in found if count != "."}
    return {symbol: amount for symbol, amount in amounts.items() if symbol not in ("H", "D") and amount > 0}


def _agrees(crystal: Crystal, formula: dict[str, float]) -> bool:
    """Tell whether a crystal without its hydrogen has the proportions of a formula without it."""
    cell = {symbol: amount for symbol, amount in crystal.composition.items() if symbol != "H"}
    ratios = [cell.get(symbol, 0.0) / amount for symbol, amount in formula.items()]
    return cell.keys() == formula.keys() and max(ratios) < 1.02 * min(ratios)
