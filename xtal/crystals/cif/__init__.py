"""Crystals as CIF text, in and out.

What is refused, because a wrong structure would look like a right one: unknown elements, missing coordinates, no cell,
symmetry that is unreadable, ambiguous or unfit for the cell, more than one atom in one place, absurd densities, and
files beyond the limits. What old programs get wrong in the syntax is mended, but only after the text as it stands has
been refused.
"""

from xtal.crystals.cif.read import read_cif
from xtal.crystals.cif.sites import MAX_ATOMS, MAX_COORDINATE
from xtal.crystals.cif.text import MAX_BYTES, structures
from xtal.crystals.cif.write import write_cif

__all__ = ["MAX_ATOMS", "MAX_BYTES", "MAX_COORDINATE", "read_cif", "structures", "write_cif"]
