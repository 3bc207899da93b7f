"""The wavelength that a header states: as a length, an energy or an anode, with any unit, or not at all."""

import pytest
from reader_helpers import CU_MEAN
from reader_kinds import ANGLE, COUNTS, table

from xtal.errors import UserError
from xtal.readers import read_pattern

CU_KA1, BY_ENERGY = pytest.approx(1.540593, abs=2e-5), pytest.approx(1.540559, abs=1e-6)
PLAIN = pytest.approx(1.5406)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Wavelength = 1,5406", PLAIN),
        ("wavelength: 0,15406 nm", PLAIN),
        ("Wavelength: 154.06 pm", PLAIN),
        ("wavelength: 1.5406e-10 m", PLAIN),
        ("Wavelength:1.5406A", PLAIN),
        ("wavelength=1.5406Angstroms", PLAIN),
        ("wavelength 1.5406(2) A", PLAIN),
        ("wavelength 1.5406 ± 0.0002 Å", PLAIN),
        ("λ(Å): 1.5406", PLAIN),
        ("X-ray wavelength (nm) 0.15406", PLAIN),
        ("Wavelength / Å: 1.5406", PLAIN),
        ("wavelength = 0.15406 [nm]", PLAIN),
        ("Wavelength: CuKa 1.5406", PLAIN),
        ("K-Alpha1 [Å] 1.54060", PLAIN),
        ("Kalpha1: 1.5406", PLAIN),
        ("Wavelength: 8.048 keV", BY_ENERGY),
        ("Wavelength [keV]: 8.048", BY_ENERGY),
        ("Energy: 8.048 keV", BY_ENERGY),
        ("Energy: 8,048 keV", BY_ENERGY),
        ("Photon energy = 8048 eV", BY_ENERGY),
        ("beam energy (keV): 8.048", BY_ENERGY),
        ("E = 8.048 keV", BY_ENERGY),
        ("Wavelength: 1.54060, 1.54443", CU_MEAN),
        ("wavelengths: 1.5406 and 1.5444", CU_MEAN),
        ("lambda1 = 1.5406, lambda2 = 1.5444", CU_MEAN),
        ("Lambda1 1.5406 Lambda2 1.5444", CU_MEAN),
        ("Ka1=1.540598 Ka2=1.544426", CU_MEAN),
        ("WL1=1.5406 WL2=1.5444 ratio=0.5", CU_MEAN),
        ("Lambda: 1.54060 1.54443 0.5", CU_MEAN),
        ("Kα1: 1.5406 Å, Kα2: 1.5444 Å, Kα2/Kα1: 0.5, Kβ: 1.3922 Å", CU_MEAN),
        ('Anode: "Cu"', CU_MEAN),
        ("Anode material,Cu", CU_MEAN),
        ("Radiation: Cu Ka", CU_MEAN),
        ("Source: copper", CU_MEAN),
        ("Cu anode, Ni filter", CU_MEAN),
        ("Radiation: CuKa1", CU_KA1),
        ("Ge(111) monochromator, Cu Ka1", CU_KA1),
        ("Target: Mo", pytest.approx(0.71075, abs=1e-5)),
        ("Anode: Cu, wavelength 1.5406", PLAIN),
    ],
)
def test_a_wavelength_is_read(write, line, expected):
    assert read_pattern(write("a.xy", f"# {line}\n" + table(ANGLE, COUNTS))).wavelength == expected


@pytest.mark.parametrize(
    "line",
    [
        "Wavelength: 1.5406 (furlong)",
        "Wavelength: 1.5406 THz",
        "wavelength 1.5406 cm",
        "Threshold energy: 8.048 keV",
        "Energy resolution 0.5 keV",
        "sample: Cu-BTC",
        "K-Alpha2 / K-Alpha1 intensity ratio: 0.5",
        "Kβ wavelength 1.39",
        "wavelength: 0 0 1.54",
        "anode: Cu or Mo: anode: Mo",
        "2theta_cuka I",
    ],
)
def test_what_is_no_wavelength_leaves_it_open(write, line):
    with pytest.raises(UserError, match=r"no wavelength in a\.xy$"):
        read_pattern(write("a.xy", f"# {line}\n" + table(ANGLE, COUNTS)))
