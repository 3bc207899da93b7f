"""The refined CIF, read back by gemmi, by our structure reader and by our pattern reader."""

from dataclasses import replace
from datetime import date

import gemmi
import pytest
from refinement_helpers import measured, phase, refinement, truth

from xtal.crystals import read_cif
from xtal.readers import read_pattern
from xtal.refinement.cif import refinement_cif
from xtal.refinement.refined import Texture, Value


@pytest.fixture(scope="module")
def pattern():
    return measured()


def test_one_phase_stands_with_the_pattern_in_one_block(pattern, tmp_path):
    oriented = phase("quartz", texture=Texture((0, 0, 1), Value(0.8, 0.01)))
    text = refinement_cif(refinement(pattern, oriented), pattern, ["entry Q"], date(2026, 1, 2))
    block = gemmi.cif.read_string(text).sole_block()
    wanted = {
        "_pd_proc_ls_prof_wR_factor": "0.0987",
        "_pd_proc_ls_prof_wR_expected": "0.0900",
        "_refine_ls_goodness_of_fit_all": "1.10",
        "_refine_ls_number_parameters": "17",
        "_refine_ls_R_I_factor": "0.0712",
        "_pd_calib_2theta_offset": "-0.021(3)",
        "_audit_creation_date": "2026-01-02",
        "_pd_meas_number_of_points": str(len(pattern)),
    }
    assert {tag: gemmi.cif.as_string(block.find_value(tag)) for tag in wanted} == wanted
    assert block.find_value("_cell_length_a").endswith("(12)")
    assert "March-Dollase, axis 0 0 1, r = 0.800(10)" in text
    assert "A remark; with a semicolon." in text
    assert list(block.find_values("_diffrn_radiation_wavelength")) == ["1.540593", "1.544427"]
    crystal = read_cif(text)
    assert crystal.formula == truth().whole().formula
    small = gemmi.make_small_structure_from_block(block)
    assert small.cell.a == pytest.approx(truth().cell[0], abs=1e-4)
    assert small.sites[0].u_iso == pytest.approx(0.0123)
    path = tmp_path / "refined.cif"
    path.write_text(text)
    again = read_pattern(path)
    assert again.intensity == pytest.approx(pattern.intensity, rel=1e-5)
    assert again.two_theta == pytest.approx(pattern.two_theta, abs=1e-4)


def test_phases_of_one_name_get_blocks_of_their_own(pattern):
    phases = [phase("quartz", share=Value(0.7, 0.01)), phase("halite", called="quartz", share=Value(0.3, 0.01))]
    text = refinement_cif(refinement(pattern, *phases), pattern)
    document = gemmi.cif.read_string(text)
    assert [block.name for block in document] == ["quartz", "quartz_2", "pattern"]
    table = document[2].find(["_pd_phase_block_id", "_pd_phase_mass_%"])
    assert [list(row) for row in table] == [["quartz", "70.0(10)"], ["quartz_2", "30.0(10)"]]
    assert read_cif(text).formula == truth().whole().formula


def test_names_may_hold_quotes_and_letters(pattern):
    phases = [phase("quartz", called="it's α-quartz", share=Value(0.7)), phase("halite", share=Value(0.3))]
    document = gemmi.cif.read_string(refinement_cif(refinement(pattern, *phases), pattern, ["my 'file'.cif\nx", "b"]))
    named = document[2].find_values("_pd_phase_name")
    assert [gemmi.cif.as_string(value) for value in named] == ["it's ?-quartz", "halite"]


def test_a_displaced_sample_is_told(pattern):
    found = replace(refinement(pattern, phase("quartz")), displacement=Value(-0.05, 0.002))
    assert "Sample displacement -0.050(2) mm" in refinement_cif(found, pattern)


def test_the_volume_has_the_uncertainty_of_the_lengths():
    volume = phase("halite").volume
    a = truth("halite").cell[0]
    assert volume.value == pytest.approx(a**3)
    assert volume.error == pytest.approx(3 * a**2 * 0.0012, rel=1e-3)  # one length, not three independent ones
