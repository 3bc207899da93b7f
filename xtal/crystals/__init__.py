"""Crystals: the value object, cells, symmetry, bonds, nets, linkers, formulas, CIF, packed tables, pymatgen."""

from xtal.crystals.bonds import find_bonds
from xtal.crystals.cell import cell_lattice, cell_parameters
from xtal.crystals.cif import read_cif, write_cif
from xtal.crystals.crystal import HIGHEST_NUMBER, Crystal
from xtal.crystals.disorder import impossible_pairs
from xtal.crystals.formula import amounts_of, as_written, atoms_of_formula, parse_elements, parse_formula, units_of
from xtal.crystals.interop import from_structure, to_structure
from xtal.crystals.linkers import take_apart
from xtal.crystals.net import net_rank
from xtal.crystals.packed import CrystalTable
from xtal.crystals.symmetry import niggli, primitive

__all__ = [
    "HIGHEST_NUMBER",
    "Crystal",
    "CrystalTable",
    "amounts_of",
    "as_written",
    "atoms_of_formula",
    "cell_lattice",
    "cell_parameters",
    "find_bonds",
    "from_structure",
    "impossible_pairs",
    "net_rank",
    "niggli",
    "parse_elements",
    "parse_formula",
    "primitive",
    "read_cif",
    "take_apart",
    "to_structure",
    "units_of",
    "write_cif",
]
