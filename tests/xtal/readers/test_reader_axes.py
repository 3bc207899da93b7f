"""What the x axis of a text file is, and the wavelength that its words state."""

import numpy as np
import pytest
from reader_helpers import CU_MEAN, TWO_THETA, rows

from xtal.errors import UserError
from xtal.readers import read_pattern


@pytest.mark.parametrize(
    ("heading", "unit"),
    [("q,I", 1), ("Q (1/A),intensity", 1), ("q_A^-1,I", 1), ("q_nm^-1,I", 10), ("q (nm⁻¹),counts", 10)],
)
def test_a_q_axis_is_converted_when_the_heading_says_so(write, heading, unit):
    q = 4 * np.pi * np.sin(np.radians(TWO_THETA) / 2) / 0.7
    path = write("a.csv", heading + "\n" + rows(q * unit, separator=","))
    np.testing.assert_allclose(read_pattern(path, 0.7).two_theta, TWO_THETA, atol=1e-3)
    with pytest.raises(UserError, match=r"no wavelength in a\.csv"):
        read_pattern(path)


def test_q_beyond_what_the_wavelength_reaches_is_refused(write):
    with pytest.raises(UserError, match=r"q axis reaches 21\.18 Å⁻¹, but 1\.54 Å reaches 8\.16 Å⁻¹.*q_nm\^-1"):
        read_pattern(write("a.csv", "q,I\n" + rows(separator=",")), 1.54)
    with pytest.raises(UserError, match=r"a\.csv: wavelength must lie in 0\.01 to 10"):
        read_pattern(write("a.csv", "q,I\n" + rows(separator=",")), 0.0)


def test_fit2d_on_q_and_its_count_of_points(write):
    q = 4 * np.pi * np.sin(np.radians(TWO_THETA) / 2) / 0.7
    head = "image.tif\nQ (nm^-1)\nIntensity\n      {}  1\n"
    pattern = read_pattern(write("a.chi", head.format(60) + rows(10 * q)), 0.7)
    np.testing.assert_allclose(pattern.two_theta, TWO_THETA, atol=1e-3)
    with pytest.raises(UserError, match=r"promises 61 points, the file holds 60"):
        read_pattern(write("b.chi", head.format(61) + rows(10 * q)), 0.7)


@pytest.mark.parametrize("heading", ["theta intensity", "channel counts", "temperature I", "log(q) I", "sample_x I"])
def test_other_axes_are_refused(write, heading):
    with pytest.raises(UserError, match=r"a\.dat: its x axis is .*give 2θ in degrees, or q"):
        read_pattern(write("a.dat", f"# {heading}\n" + rows()), 1.54)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("wavelength = 0.4127", 0.4127),
        ("Wavelength: 4.127e-11 m", pytest.approx(0.4127)),
        ("wavelength (nm): 0.04127", 0.4127),
        ("X-RAY WAVELENGTH=1.541838", 1.541838),
        ("Mean wavelength is:     0.413128", 0.413128),
        ("lambda 0.7093 Å", 0.7093),
        ("K-Alpha1 wavelength,1.540598\n# K-Alpha2 wavelength,1.544426\n# K-Beta wavelength,1.39", CU_MEAN),
    ],
)
def test_wavelengths_stated_in_words(write, line, expected):
    assert read_pattern(write("a.xy", f"# {line}\n" + rows())).wavelength == expected


@pytest.mark.parametrize(
    "line", ["wavelength unknown", "Lambda 750K detector", "wavelength: 4127 m", "Kβ wavelength 1.39"]
)
def test_no_wavelength_is_made_of_other_words(write, line):
    with pytest.raises(UserError, match="no wavelength in"):
        read_pattern(write("a.xy", f"# {line}\n" + rows()))


def test_contradicting_wavelengths_are_refused(write):
    with pytest.raises(UserError, match=r"a\.xy states several wavelengths, 1\.54, 0\.71 Å"):
        read_pattern(write("a.xy", "# wavelength 1.54\n# wavelength 0.71\n" + rows()))
