"""The GSAS-II backend, with a stand-in that answers as GSAS-II does and notes what it was asked."""

import contextlib
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from refinement_helpers import ZERO, measured, truth

from xtal.crystals import read_cif
from xtal.errors import UserError
from xtal.physics.gsas import available
from xtal.refinement import Choices, Start, refine


class Histogram:
    """The calls of a ``G2PwdrData``."""

    def __init__(self, columns):
        self.x, self.yobs, self.sigma = columns.T
        self.asked = []
        self.data = {
            "Sample Parameters": {"Scale": [1.0, True]},
            "Instrument Parameters": [{"Zero": [0.0, ZERO, True]}, {}],
        }
        self.residuals = {"wR": 9.5, "wRb": 21.0, "wRmin": 9.0, "0:0:Rf^2": 4.5, "1:0:Rf^2": 6.5}

    def set_refinements(self, asked):
        self.asked.append(asked)

    def getdata(self, name):
        known = {"x": self.x, "yobs": self.yobs, "ycalc": 0.99 * self.yobs, "background": 0 * self.yobs}
        return np.ma.array(known[name] if name in known else self.sigma**-2)

    def get_wR(self):  # noqa: N802
        return self.residuals["wR"]

    def reflections(self):
        return {name: {"RefList": np.array([[0, 0, 1, 6, 3.3, 26.6], [1, 0, 0, 6, 4.2, 20.9]])} for name in self.names}

    def ComputeMassFracs(self):  # noqa: N802
        return {"phase1": (0.7, 0.01), "phase2": (0.3, 0.01)}


class Phase:
    """The calls of a ``G2Phase``."""

    def __init__(self, crystal, name):
        self.name, self.asked = name, []
        self.cell = dict(zip(KEYS, crystal, strict=True))

    def set_refinements(self, asked):
        self.asked.append(asked)

    def set_HAP_refinements(self, asked, histograms):  # noqa: N802
        assert len(histograms) == 1
        self.asked.append(asked)

    def get_cell_and_esd(self):
        return self.cell, {key: 0.001 if key == "length_a" else 0.0 for key in self.cell}


KEYS = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")


class Project:
    """The calls of a ``G2Project``."""

    made: "list[Project]" = []  # noqa: RUF012

    def __init__(self, newgpx):
        assert newgpx.endswith(".gpx")
        self.refined, self.phases, self.cifs = 0, [], []
        rates = {"GOF": 1.05, "Nobs": 2167, "Nvars": 16}
        self.data = {"Covariance": {"data": {"Rvals": rates, "varyList": ["0::A0", ":0:Zero"], "sig": [0.1, 0.002]}}}
        Project.made.append(self)

    def add_powder_histogram(self, points, instrument, fmthint):
        assert fmthint == "xye"
        lines = Path(instrument).read_text().splitlines()
        self.instrument = dict(line.split(":", 1) for line in lines if not line.startswith("#"))
        self.histogram = Histogram(np.loadtxt(points))
        return self.histogram

    def add_phase(self, file, phasename, histograms, fmthint):
        assert (histograms, fmthint) == ([self.histogram], "CIF")
        self.cifs.append(Path(file).read_text())
        crystal = truth("quartz" if phasename == "phase1" else "halite")
        self.phases.append(Phase(crystal.cell, phasename))
        self.histogram.names = [phase.name for phase in self.phases]
        return self.phases[-1]

    def set_Controls(self, name, value):  # noqa: N802
        assert (name, value) == ("cycles", 8)

    def refine(self):
        self.refined += 1


@pytest.fixture
def gsas(monkeypatch, tmp_path):
    @contextlib.contextmanager
    def session(_instead):
        yield SimpleNamespace(G2Project=Project), tmp_path

    monkeypatch.setattr("xtal.refinement.gsas.session", session)
    Project.made.clear()


@pytest.mark.usefixtures("gsas")
def test_one_phase_is_asked_for_and_read():
    pattern = measured()
    found = refine(pattern, Start((truth(),), ZERO, 0.18, second=1 / 3), program="gsas")
    project = Project.made[0]
    assert project.refined == 3
    assert project.instrument["Lam1"] == "1.540593"
    assert float(project.instrument["Lam2"]) > 1.544
    assert float(project.instrument["Zero"]) == pytest.approx(ZERO)
    part = 0.6 * 0.18 * 100
    assert float(project.instrument["X"]) == pytest.approx(part)
    assert float(project.instrument["W"]) == pytest.approx((part / np.sqrt(8 * np.log(2))) ** 2, rel=1e-3)
    assert read_cif(project.cifs[0]).formula == truth().whole().formula
    assert {"Cell": True} in project.phases[0].asked
    assert found.agreement.r_wp == pytest.approx(0.095)
    assert found.agreement.r_exp == pytest.approx(0.09)
    assert found.phases[0].r_bragg == pytest.approx(0.045)
    assert found.phases[0].cell[0].error == 0.001
    assert found.phases[0].cell[3].error is None
    assert (found.zero_shift.value, found.zero_shift.error) == (ZERO, 0.002)
    assert list(found.phases[0].ticks) == [20.9, 26.6]
    assert found.profile.observed == pytest.approx(pattern.intensity)
    assert found.program.startswith("GSAS-II")
    assert found.finished


@pytest.mark.usefixtures("gsas")
def test_two_phases_have_scales_of_their_own():
    found = refine(measured(), Start((truth(), truth("halite")), ZERO), program="gsas")
    project = Project.made[0]
    assert project.histogram.data["Sample Parameters"]["Scale"][1] is False
    assert all({"Scale": True} in phase.asked for phase in project.phases)
    assert [phase.share.value for phase in found.phases] == [0.7, 0.3]


@pytest.mark.usefixtures("gsas")
def test_it_stops_between_steps_when_the_time_is_up():
    found = refine(measured(), Start((truth(),), ZERO), Choices(seconds=1e-6), program="gsas")
    assert found.steps == ("scale and background",)
    assert not found.finished
    assert "the time was up" in found.remarks[0]


def test_without_gsas_it_is_said_how_to_go_on(monkeypatch):
    monkeypatch.setattr("xtal.physics.gsas.find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"GSAS-II is not installed .* or refine with rietx"):
        refine(measured(), Start((truth(),)), program="gsas")


def test_free_intensities_go_through_rietx_only():
    with pytest.raises(UserError, match="mode lebail goes through rietx only"):
        refine(measured(), Start((truth(),)), Choices("lebail"), program="gsas")


@pytest.mark.skipif(not available(), reason="GSAS-II is not installed")
def test_the_real_one_finds_the_cell_that_rietx_finds():
    start = Start((truth(),), ZERO, 0.18, second=1 / 3)
    found, other = (refine(measured(), start, program=program) for program in ("gsas", "rietx"))
    assert found.finished
    for here, there in zip(found.phases[0].cell, other.phases[0].cell, strict=True):
        assert here.value == pytest.approx(there.value, rel=2e-4)
    assert found.zero_shift.value == pytest.approx(ZERO, abs=0.01)
    assert found.agreement.r_wp == pytest.approx(other.agreement.r_wp, abs=0.01)
    assert found.agreement.gof == pytest.approx(found.agreement.r_wp / found.agreement.r_exp, rel=0.02)
