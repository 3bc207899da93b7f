"""Files of every format and instrument: the same scan in each."""

import numpy as np
import pytest
from reader_helpers import COUNTS, CU_MEAN, FOLDER, TWO_THETA, rows

from xtal.errors import UserError
from xtal.readers import read_pattern


@pytest.mark.parametrize(
    ("name", "wavelength"),
    [
        ("bruker.brml", CU_MEAN),
        ("bruker.uxd", CU_MEAN),
        ("bruker3.raw", CU_MEAN),
        ("empyrean.csv", CU_MEAN),
        ("fit2d.chi", None),
        ("german.csv", None),
        ("gsas.fxye", 0.413128),
        ("gsas.gsas", None),
        ("loop.cif", 0.7093),
        ("panalytical.xrdml", CU_MEAN),
        ("panalytical_ka1.xrdml", 1.540598),
        ("plain.xy", None),
        ("pyfai.dat", pytest.approx(1.5406)),
        ("range.cif", pytest.approx((1.5405 * 2 + 1.5443) / 3)),
        ("rigaku.ras", CU_MEAN),
        ("rigaku.rasx", CU_MEAN),
        ("sigma.xye", 1.5406),
        ("two_scans.ras", CU_MEAN),
        ("windows.txt", None),
    ],
)
def test_every_format_gives_the_same_scan(name, wavelength):
    if wavelength is None:
        with pytest.raises(UserError, match=rf"^no wavelength in {name}$") as caught:
            read_pattern(FOLDER / name)
        assert caught.value.reason == "no_wavelength"
    pattern = read_pattern(FOLDER / name, 1.54 if wavelength is None else None)
    assert pattern.wavelength == (1.54 if wavelength is None else wavelength)
    np.testing.assert_allclose(pattern.two_theta, TWO_THETA, atol=1e-6)
    np.testing.assert_array_equal(pattern.intensity, COUNTS)
    assert pattern.source.startswith(name)


def test_the_callers_wavelength_wins():
    for name in ("sigma.xye", "panalytical.xrdml", "loop.cif"):
        assert read_pattern(FOLDER / name, 0.7107).wavelength == 0.7107


def test_uncertainties_come_from_the_formats_that_have_them():
    for name in ("sigma.xye", "gsas.fxye"):
        np.testing.assert_allclose(read_pattern(FOLDER / name).sigma, np.sqrt(COUNTS), atol=1e-4)
    np.testing.assert_array_equal(read_pattern(FOLDER / "loop.cif").sigma, np.floor(np.sqrt(COUNTS)))
    assert read_pattern(FOLDER / "plain.xy", 1.54).sigma is None


def test_first_of_several_scans_is_named_so():
    assert read_pattern(FOLDER / "two_scans.ras").source == "two_scans.ras, scan 1 of 2"


def test_a_rocking_curve_is_refused(write):
    text = (FOLDER / "bruker.uxd").read_text().replace("'COUPLED'", "'THETA'")
    with pytest.raises(UserError, match="rocking curve"):
        read_pattern(write("a.uxd", text), 1.54)
    with pytest.raises(UserError, match="not clear that its axis is 2θ"):
        read_pattern(write("b.uxd", text.replace("'THETA'", "'MYSTERY'")), 1.54)


def test_contents_decide_where_a_suffix_misleads(write):
    gsas = read_pattern(write("a.dat", (FOLDER / "gsas.fxye").read_bytes()))
    np.testing.assert_array_equal(gsas.intensity, COUNTS)
    plain = read_pattern(write("a.raw", rows()), 1.54)
    np.testing.assert_array_equal(plain.intensity, COUNTS)
