"""CIFs in the conventional setting, read back by us and by gemmi."""

from datetime import date
from pathlib import Path

import gemmi
import pytest

from xtal.crystals import primitive, read_cif
from xtal.crystals.cif.conventional import write_conventional
from xtal.crystals.conventional import conventional

CIFS = Path(__file__).parents[3] / "data" / "cifs"


@pytest.mark.parametrize("name", ["quartz", "olivine", "halite", "GORQAF_clean", "DONNAW01_SL", "BIWSEG_ion_b"])
def test_it_reads_back_as_the_same_crystal(name):
    crystal = primitive(read_cif((CIFS / f"{name}.cif").read_bytes(), name))
    found = conventional(crystal)
    text = write_conventional(found, ["a remark"], {"_xtalscout_entry": "it's"}, date(2026, 1, 2))
    again = read_cif(text)
    assert again.formula == found.whole().formula
    assert again.volume == pytest.approx(found.whole().volume, rel=1e-4)
    small = gemmi.make_small_structure_from_block(gemmi.cif.read_string(text).sole_block())
    assert gemmi.find_spacegroup_by_name(small.spacegroup_hm).number == found.group.number
    assert sum(site.occ > 0 for site in small.get_all_unit_cell_sites()) == len(found.whole())
    block = gemmi.cif.read_string(text).sole_block()
    assert block.find_value("_audit_creation_date") == "2026-01-02"
    assert gemmi.cif.as_string(block.find_value("_xtalscout_entry")) == "it's"
    units = int(block.find_value("_cell_formula_units_Z"))
    assert units == found.formula_units


def test_numbers_have_no_more_digits_than_mean_something():
    text = write_conventional(conventional(read_cif((CIFS / "halite.cif").read_bytes())))
    block = gemmi.cif.read_string(text).sole_block()
    assert len(block.find_value("_cell_length_a").partition(".")[2]) == 4
    assert all(len(x.partition(".")[2]) == 5 for x in block.find_values("_atom_site_fract_x"))
