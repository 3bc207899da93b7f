from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from gemmi import cif
from generate_helpers import small_mofs

from generate.candidate import Candidate
from generate.cif import candidate_cif
from xtal.crystals import Crystal, cell_parameters, read_cif

CANDIDATE = Candidate(
    rank=2,
    crystal=replace(small_mofs()[2], name="generated-2"),
    similarity=0.91234,
    fit=0.72,
    chi_square=1234.5,
    agreement=0.71,
    closest=1.21,
    start="noise",
    seed=7,
    number=13,
    model_id="a" * 64,
    zero_shift=-0.031,
    width=0.12,
)
DAY = date(2026, 1, 2)


def text(**changes) -> str:
    return candidate_cif(replace(CANDIDATE, **changes), "ccsg", "C15H8BrCu2N5O8", DAY)


@pytest.mark.parametrize("handedness", [1, -1])
def test_it_reads_back_as_the_same_crystal(handedness):
    """A left-handed cell is written as ``-frac @ -lattice``, see `xtal.crystals.cif.write_cif`."""
    right = CANDIDATE.crystal
    crystal = Crystal(handedness * right.lattice, handedness * right.frac_coords, right.numbers, name="generated-2")
    back = read_cif(text(crystal=crystal))
    np.testing.assert_allclose(cell_parameters(back.lattice), cell_parameters(right.lattice), atol=1e-6)
    np.testing.assert_allclose(np.abs((back.frac_coords - right.frac_coords + 0.5) % 1 - 0.5).max(), 0, atol=1e-8)
    np.testing.assert_array_equal(back.numbers, right.numbers)
    assert back.name == "generated-2"


def test_people_read_that_it_is_not_verified():
    head = [line for line in text().splitlines() if line.startswith("#")]
    assert "a proposal, not verified" in head[0]
    assert "2026-01-02" in head[0]
    assert "seed 7, sample 13, started from noise" in head[1]
    assert "C15H8BrCu2N5O8" in head[1]


def test_programs_read_the_provenance():
    block = cif.read_string(text()).sole_block()
    assert cif.as_string(block.find_value("_audit_creation_method")).endswith("not verified")
    expected = {
        "model_name": "ccsg",
        "model_id": "a" * 64,
        "seed": "7",
        "sample_number": "13",
        "start": "noise",
        "rank": "2",
        "similarity": "0.9123",
        "fit": "0.7200",
        "fit_zero_shift": "-0.0310",
    }
    assert {key: cif.as_string(block.find_value(f"_xtalscout_{key}")) for key in expected} == expected


def test_a_model_that_took_no_part_is_not_named():
    written = text(model_id="", start="ABAVIJ_clean with other linkers")
    assert "made without a model" in written
    assert "ccsg" not in written
    block = cif.read_string(written).sole_block()
    assert not [key for key in ("_xtalscout_model_name", "_xtalscout_model_id") if block.find_value(key)]


@pytest.mark.parametrize("start", ["a name with 'quotes\" and _spaces", "loop_", "Å-entry", "two\nlines; of text", ""])
def test_no_name_of_a_template_breaks_the_file(start):
    written = text(start=start)
    assert read_cif(written).formula == CANDIDATE.crystal.formula
    got = cif.as_string(cif.read_string(written).sole_block().find_value("_xtalscout_start"))
    assert got == start.replace("Å", "?").replace("\n", " ")


def test_the_day_is_today_by_default():
    written = candidate_cif(CANDIDATE, "ccsg", "C2")
    day = cif.read_string(written).sole_block().find_value("_audit_creation_date")
    assert date.fromisoformat(day) >= DAY
