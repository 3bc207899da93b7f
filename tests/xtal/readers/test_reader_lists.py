"""Lists of lines, uncertainties that are not known, powder CIFs: what they are read as."""

import numpy as np
import pytest
from reader_helpers import FOLDER
from reader_kinds import ANGLE, COPPER, COUNTS, D, Q, between, table

from xtal.errors import UserError
from xtal.readers import read_pattern

LINES = np.array([7.36, 8.5, 12.04, 14.14, 14.74, 17.03, 17.35, 18.61, 19.08, 20.93, 22.2, 25.3, 25.7])
HEIGHTS = np.array([100, 40, 5, 3, 4, 6, 5, 2, 3, 2, 6, 8, 9.0])
SPACINGS = COPPER / 2 / np.sin(np.radians(LINES) / 2)
ORDER = np.argsort(-HEIGHTS)


@pytest.mark.parametrize(
    "text",
    [
        table(LINES, HEIGHTS),
        "2theta intensity\n" + table(LINES, HEIGHTS),
        "2theta,I,h,k,l\n" + table(LINES, HEIGHTS, LINES * 0, LINES * 0, LINES * 0, separator=","),
        table(LINES[ORDER], HEIGHTS[ORDER]),
        "d (A) I\n" + table(SPACINGS, HEIGHTS),
        "No.,Pos. [°2Th.],d-spacing [Å],Height [cts]\n" + table(np.arange(13), LINES, SPACINGS, HEIGHTS, separator=","),
    ],
)
def test_a_list_of_lines_is_drawn_and_says_so(write, text):
    pattern = read_pattern(write("list.txt", text), COPPER)
    assert "a peak list of 13 lines, drawn 0.15° wide" in pattern.source
    assert pattern.two_theta[0] == pytest.approx(6.36, abs=1e-3)
    assert pattern.two_theta[-1] == pytest.approx(26.7, abs=0.03)
    np.testing.assert_allclose(np.diff(pattern.two_theta), 0.02, atol=1e-9)
    assert pattern.two_theta[pattern.intensity.argmax()] == pytest.approx(7.36, abs=0.02)
    assert np.interp(8.5, pattern.two_theta, pattern.intensity) == pytest.approx(40, rel=0.05)


def test_lines_at_a_short_wavelength_are_drawn_as_narrow_as_they_lie(write):
    pattern = read_pattern(write("list.txt", table(LINES / 10, HEIGHTS)), COPPER / 10)
    assert "drawn 0.015° wide" in pattern.source


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (ANGLE[::12], COUNTS[::12]),
        (ANGLE[::5], COUNTS[::5]),
        (np.r_[ANGLE[:60:6], ANGLE[60:90], ANGLE[90::12]], np.r_[COUNTS[:60:6], COUNTS[60:90], COUNTS[90::12]]),
        (ANGLE[::5] + 0.004 * np.sin(np.arange(111) ** 2), COUNTS[::5]),
        (np.geomspace(1, 60, 120), np.arange(120) % 7 + 1.0),
    ],
)
def test_a_coarse_scan_is_no_list(write, x, y):
    pattern = read_pattern(write("a.xy", table(x, y)), COPPER)
    assert len(pattern) == len(x)
    assert pattern.source == "a.xy"


def test_unknown_uncertainties_are_those_that_counting_gives_or_none_at_all(write):
    sigma = 2 * np.sqrt(COUNTS)
    some = np.where(np.arange(551) % 10 == 3, 0, sigma)
    pattern = read_pattern(write("a.xye", table(ANGLE, COUNTS, some)), COPPER)
    np.testing.assert_allclose(pattern.sigma, sigma, rtol=1e-6)
    most = np.where(np.arange(551) % 3 == 0, sigma, 0)
    assert read_pattern(write("b.xye", table(ANGLE, COUNTS, most)), COPPER).sigma is None
    assert read_pattern(write("c.xye", table(ANGLE, COUNTS, 0 * sigma)), COPPER).sigma is None


def cif(axis, intensity, x=ANGLE, head="_diffrn_radiation_wavelength 1.5418\n", layout="{:.9g} {:g}\n"):
    return f"data_p\n{head}loop_\n{axis}\n{intensity}\n" + between(x, COUNTS, layout)


@pytest.mark.parametrize(
    "text",
    [
        cif("_pd_meas_2theta_scan", "_pd_meas_counts_total"),
        cif("_pd_proc_2theta_corrected", "_pd_proc_intensity_net"),
        cif("_pd_proc_2theta_corrected", "_pd_meas_intensity_net"),
        cif("_PD_MEAS_2THETA_SCAN", "_PD_PROC_INTENSITY_TOTAL"),
        cif("_pd_meas.2theta_scan", "_pd_meas.counts_total"),
        cif("_pd_proc_d_spacing", "_pd_proc_intensity_total", D),
        cif("_pd_proc_recip_len_Q", "_pd_proc_intensity_total", Q),
        cif("_pd_meas_2theta_scan", "_pd_meas_counts_total", layout="{:.9g} {:g}(9)\n"),
        cif("_pd_meas_2theta_scan", "_pd_calc_intensity_total\n_pd_proc_intensity_total", layout="{:.9g} 7 {:g}\n"),
        "data_g\n_diffrn_radiation_wavelength 1.5418\n" + cif("_pd_meas_2theta_scan", "_pd_meas_counts_total", head=""),
    ],
)
def test_powder_cifs(write, text):
    for name in ("a.cif", "a.txt"):
        pattern = read_pattern(write(name, text))
        np.testing.assert_allclose(pattern.two_theta, ANGLE, atol=2e-4)
        np.testing.assert_allclose(pattern.intensity, COUNTS)
        assert pattern.wavelength == pytest.approx(1.5418)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (cif("_pd_meas_2theta_scan", "_pd_meas_counts_total", head="_diffrn_radiation_probe neutron\n"), "neutrons"),
        (cif("_pd_meas_2theta_scan", "_pd_meas_counts_total", head="_diffrn_radiation_type 'Neutron'\n"), "neutrons"),
        (cif("_pd_meas_2theta_scan", "_pd_meas_counts_total", head="_diffrn_source 'nuclear reactor'\n"), "neutrons"),
        (cif("_pd_meas_2theta_scan", "_pd_meas_counts_total", head="_diffrn_radiation_probe electron\n"), "electrons"),
        (
            "data_g\n_diffrn_radiation_probe neutron\n" + cif("_pd_meas_2theta_scan", "_pd_meas_counts_total"),
            "neutrons",
        ),
        (cif("_pd_meas_time_of_flight", "_pd_proc_intensity_total"), "time-of-flight"),
        (cif("_pd_proc_energy_incident", "_pd_proc_intensity_total"), "energy-dispersive"),
        (cif("_pd_proc_2theta_corrected", "_pd_proc_intensity_bkg_calc"), "no powder pattern in this CIF; it needs"),
        (cif("_pd_proc_2theta_corrected", "_pd_calc_intensity_total"), "no powder pattern in this CIF; it needs"),
    ],
)
def test_cifs_of_other_things_are_refused(write, text, words):
    with pytest.raises(UserError, match=words) as caught:
        read_pattern(write("a.cif", text), COPPER)
    assert str(caught.value).count("a.cif") == 1


@pytest.mark.parametrize("axis", ["2-Theta", "2Theta", "Theta/2-Theta", "2-Theta/Omega", "TwoThetaTheta"])
def test_names_of_the_axis_in_a_ras_file(write, axis):
    text = (FOLDER / "rigaku.ras").read_text(errors="replace")
    stated = next(line for line in text.splitlines() if line.startswith("*MEAS_SCAN_AXIS_X "))
    pattern = read_pattern(write("a.ras", text.replace(stated, f'*MEAS_SCAN_AXIS_X "{axis}"')))
    assert len(pattern) == 60
    with pytest.raises(UserError, match="not clear that its axis is 2θ: it names 'Mystery'; export"):
        read_pattern(write("b.ras", text.replace(stated, '*MEAS_SCAN_AXIS_X "Mystery"')))
