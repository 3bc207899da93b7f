import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtal.errors import UserError
from xtal.patterns import mean_wavelength, parse_wavelength
from xtal.patterns.pattern import LONGEST_WAVELENGTH, SHORTEST_WAVELENGTH
from xtal.patterns.wavelengths import ANODES, doublet


@pytest.mark.parametrize("text", ["CuKa", "cuka", "Cu Kα", "cu-ka", "CU_KA", "Cu K-alpha", " Cu Ka "])
def test_mean_of_the_doublet_in_any_spelling(text):
    assert parse_wavelength(text) == pytest.approx((2 * 1.540593 + 1.544427) / 3, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CuKa1", 1.540593),
        ("CuKα1", 1.540593),
        ("Cu Kα₂", 1.544427),
        ("CuKb", 1.392235),
        ("Cu Kβ1", 1.392235),
        ("MoKa1", 0.709317),
        ("MoKa", 0.710747),
        ("CoKa1", 1.788996),
        ("FeKa", 1.937352),
        ("CrKa1", 2.289726),
        ("AgKa1", 0.559422),
        ("WKa1", 0.209013),
        ("0.4127", 0.4127),
        (0.4127, 0.4127),
        (1, 1.0),
        ("1.5418 A", 1.5418),
        ("1.54 Å", 1.54),
        ("1.54 \N{ANGSTROM SIGN}", 1.54),
        ("1.54 angstrom", 1.54),
        ("0.154 nm", 1.54),
        ("154 pm", 1.54),
        ("17.4 keV", 12.398419843 / 17.4),
        ("17400eV", 12.398419843 / 17.4),
        ("8.047 KEV", 12.398419843 / 8.047),
        ("1,5406", 1.5406),
        ("0,15406 nm", 1.5406),
        ("8,047 keV", 12.398419843 / 8.047),
        ("λ = 1.5406 Å", 1.5406),
    ],
)
def test_known_values(text, expected):
    assert parse_wavelength(text) == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize(
    "text", ["", "Cu", "CuKa3", "CuKa21", "XxKa", "1.5 m", "nan", "inf", "-1.54", "0", "1,541.8", "1,5,4", None]
)
def test_anything_else_is_refused_with_what_is_accepted(text):
    with pytest.raises(UserError, match=r"is no wavelength; give a line name \(CuKa.*number in Å.*energy"):
        parse_wavelength(text)


@pytest.mark.parametrize("text", ["0.001", 50, "2000 keV", "0.1 keV"])
def test_wavelengths_no_diffractometer_has_are_refused(text):
    with pytest.raises(UserError, match=r"outside 0\.01 to 10"):
        parse_wavelength(text)


@given(st.text(max_size=12))
def test_never_anything_but_a_usable_number_or_a_user_error(text):
    try:
        found = parse_wavelength(text)
    except UserError:
        return
    assert SHORTEST_WAVELENGTH <= found <= LONGEST_WAVELENGTH


@given(st.floats(0.02, 9))
def test_numbers_and_energies_are_inverse_to_each_other(wavelength):
    assert parse_wavelength(repr(wavelength)) == wavelength
    assert parse_wavelength(f"{12.398419843 / wavelength!r} keV") == pytest.approx(wavelength, rel=1e-12)


@pytest.mark.parametrize("symbol", sorted(ANODES))
def test_doublet_of_an_anode_by_its_mean_and_its_first_line(symbol):
    anode = ANODES[symbol]
    assert anode.kb < anode.ka1 < anode.ka < anode.ka2
    for wavelength in (anode.ka, anode.ka1):
        assert doublet(wavelength) == (anode.ka1, anode.ka2)
    assert doublet(anode.kb) is None


@pytest.mark.parametrize("wavelength", [1.5418, 1.541838, 1.54056, 1.5406])
def test_handbook_values_of_copper_belong_to_copper(wavelength):
    assert doublet(wavelength) == (1.540593, 1.544427)


@pytest.mark.parametrize("wavelength", [0.4127, 1.0, 1.55, 1.544427, math.pi])
def test_synchrotron_wavelengths_have_no_doublet(wavelength):
    assert doublet(wavelength) is None


def test_mean_wavelength_of_what_a_file_states():
    assert mean_wavelength(1.54056, 1.54439) == pytest.approx((2 * 1.54056 + 1.54439) / 3)
    assert mean_wavelength(1.54056, None) == 1.54056
    assert mean_wavelength(1.54056, 0.0) == 1.54056
    assert mean_wavelength(1.5418, 1.54439) == 1.5418  # a mean already
    assert mean_wavelength(0.4127, 0.4137) == 0.4127
