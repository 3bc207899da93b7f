"""The GSAS-II adapter, without GSAS-II."""

import os
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from xtal.crystals import read_cif
from xtal.errors import UserError
from xtal.physics import gsas

HALITE = Path(__file__).parents[2] / "data" / "cifs" / "halite.cif"


@pytest.fixture
def halite():
    return read_cif(HALITE.read_text(), "halite")


def test_absent(monkeypatch, halite):
    monkeypatch.setattr(gsas, "find_spec", lambda _: None)
    assert not gsas.available()
    with pytest.raises(UserError, match=r"GSAS-II is not installed .*gsasii\.github\.io"):
        gsas.simulate(halite)


def test_looking_for_it_imports_nothing():
    gsas.available()
    assert "GSASII" not in sys.modules


class Histogram:
    """The calls of a GSAS-II histogram that the adapter makes."""

    data = {"Sample Parameters": {"Scale": [7.0]}}  # noqa: RUF012

    def getdata(self, kind):
        x = np.arange(10, 50, 0.1)
        return x if kind == "x" else np.exp(-((x - 30) ** 2)) - 1e-9

    def reflections(self):
        rows = np.zeros((4, 12))
        rows[:, gsas.MULTIPLICITY] = [6, 8, 12, 2]
        rows[:, gsas.SPACING] = [2.0, 3.0, 2.5, 0.1]  # the last lies beyond the range
        rows[:, gsas.STRUCTURE_FACTOR] = [100, 50, 0, 9]  # the third is absent
        return {"crystal": {"RefList": rows}}


class Project:
    """The calls of a GSAS-II project that the adapter makes; remembers them."""

    last: "Project"

    def __init__(self, newgpx):
        print("GSAS-II says hello")  # noqa: T201
        sys.stderr.write("and complains")
        Project.last = self
        self.calls, self.home = [newgpx], Path(os.environ["HOME"])
        self.data = {"Controls": {"data": {"max cyc": 5}}}
        self.histogram = Histogram()

    def add_phase(self, file, phasename, fmthint):
        self.crystal = read_cif(Path(file).read_text())
        self.calls.append((phasename, fmthint))
        return "the phase"

    def add_simulated_powder_histogram(self, name, instrument, low, high, Tstep, phases):  # noqa: N803
        self.instrument = Path(instrument).read_text()
        self.calls.append((name, low, high, Tstep, phases))
        return self.histogram

    def do_refinements(self, steps):
        self.calls.append(steps)
        assert self.data["Controls"]["data"]["max cyc"] == 0
        assert self.histogram.data["Sample Parameters"]["Scale"][0] == 1.0


@pytest.fixture
def stand_in(monkeypatch):
    """A module of GSAS-II's name that records how it is driven."""
    package, scriptable = ModuleType("GSASII"), ModuleType("GSASII.GSASIIscriptable")
    package.__path__ = []
    package.__spec__ = ModuleSpec("GSASII", None, is_package=True)
    scriptable.G2Project = Project
    monkeypatch.setitem(sys.modules, "GSASII", package)
    monkeypatch.setitem(sys.modules, "GSASII.GSASIIscriptable", scriptable)


@pytest.mark.usefixtures("stand_in")
def test_calls_and_results(halite, capsys, monkeypatch):
    monkeypatch.setenv("HOME", "/home/user")
    monkeypatch.delenv("USERPROFILE", raising=False)
    assert gsas.available()
    pattern, lines = gsas.simulate(halite, 10, 50, 0.1)
    project = Project.last
    assert project.calls[1:] == [("crystal", "CIF"), ("simulation", 10, 50, 0.1, ["the phase"]), [{}]]
    assert project.crystal.formula == halite.formula
    assert pattern.wavelength == 1.540593
    assert (len(pattern), pattern.source) == (400, "GSAS-II: halite")
    assert pattern.intensity.min() == 0
    assert lines.q == pytest.approx([2 * np.pi / 3, np.pi])
    assert lines.intensity == pytest.approx([1, (600 / np.pi**2) / (400 / (2 * np.pi / 3) ** 2)])
    assert lines.q_range == pytest.approx((0.7109, 3.4470), abs=1e-3)
    assert capsys.readouterr() == ("", "")
    assert project.home != Path("/home/user")
    assert os.environ["HOME"] == "/home/user"
    assert "USERPROFILE" not in os.environ


@pytest.mark.usefixtures("stand_in")
def test_instrument_is_that_of_the_reference_patterns(halite):
    gsas.simulate(halite)
    values = dict(line.split(":") for line in Project.last.instrument.splitlines()[1:])
    assert values["Type"] == "PXC"
    assert {k: float(values[k]) for k in ("Lam1", "Lam2", "I(L2)/I(L1)", "U", "V", "W", "SH/L")} == {
        "Lam1": 1.540593, "Lam2": 1.544427, "I(L2)/I(L1)": 0.5, "U": 2, "V": -2, "W": 5, "SH/L": 0.002
    }  # fmt: skip


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize("angles", [(0, 30, 0.1), (30, 10, 0.1), (10, 180, 0.1), (10, 30, 0), (10, 30, 50)])
def test_angles_are_checked(halite, angles):
    with pytest.raises(UserError, match="2θ must run from above 0 to below 180 degrees"):
        gsas.simulate(halite, *angles)


@pytest.mark.skipif(not gsas.available(), reason="GSAS-II is not installed")
def test_the_real_one(halite):
    pattern, lines = gsas.simulate(halite, 20, 80)
    assert lines.q[lines.intensity.argmax()] == pytest.approx(4 * np.pi / 5.6402, rel=1e-4)  # 200 is the strongest
    assert pattern.two_theta[pattern.intensity.argmax()] == pytest.approx(31.7, abs=0.1)
