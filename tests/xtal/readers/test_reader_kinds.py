"""What people bring: one scan written in every way that files were seen in, and what it must come back as."""

import numpy as np
import pytest
from reader_helpers import rows
from reader_kinds import ANGLE, COPPER, COUNTS, FALLING, D, Q, between, table

from xtal.errors import UserError
from xtal.readers import read_pattern


def the_scan(pattern, note=""):
    """The scan of `reader_kinds`: points, first and last angle, strongest point."""
    assert len(pattern) == len(ANGLE)
    np.testing.assert_allclose(pattern.two_theta, ANGLE, atol=2e-4)
    assert pattern.two_theta[pattern.intensity.argmax()] == pytest.approx(8.0, abs=2e-4)
    np.testing.assert_allclose(pattern.intensity, COUNTS, rtol=1e-4)
    assert note in pattern.source


@pytest.mark.parametrize(
    ("label", "x"),
    [
        ("2theta", ANGLE),
        ("2Θ (°)", ANGLE),
        ("Two-Theta [deg]", ANGLE),
        ("Pos. [°2Th.]", ANGLE),
        ("Scattering Angle (deg)", ANGLE),
        ("Angle/°", ANGLE),
        ("x", ANGLE),
        ("2th_rad", np.radians(ANGLE)),
        ("2-Theta (radians)", np.radians(ANGLE)),
        ("2θ [mrad]", 1000 * np.radians(ANGLE)),
        ("q [Å⁻¹]", Q),
        ("Q(A-1)", Q),
        ("Q [1/A]", Q),
        ("A^-1", Q),
        ("qtot_A^-1", Q),
        ("DSM_Qvec", Q),
        ("momentum_transfer", Q),
        ("Scattering vector magnitude (1/A)", Q),
        ("|Q| (inverse Angstroms)", Q),
        ("Q (Inverse Nanometres)", 10 * Q),
        ("q_nm^-1", 10 * Q),
        ("Momentum transfer [1/nm]", 10 * Q),
        ("q (pm^-1)", Q / 100),
        ("q^2 (A^-2)", Q**2),
        ("d (A)", D),
        ("d-spacing (nm)", D / 10),
        ("1/d (1/A)", 1 / D),
        ("d*2_A^-2", 1 / D**2),
        ("d*^2 (nm^-2)", 100 / D**2),
        ("sin(theta)/lambda", Q / (4 * np.pi)),
    ],
)
@pytest.mark.parametrize(("separator", "name"), [(",", "a.csv"), ("\t", "a.dat")])
def test_an_axis_is_converted_from_what_its_heading_says(write, label, x, separator, name):
    path = write(name, f"{label}{separator}Intensity\n" + table(x, COUNTS, separator=separator))
    the_scan(read_pattern(path, COPPER))


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("s (nm^-1)", "'s \\(nm\\^-1\\)'; give 2θ"),
        ("K (1/A)", "its x axis is"),
        ("foo", "its x axis is 'foo'; give 2θ .*accepted are 2theta"),
        ("q (rlu)", "accepted are 2theta"),
        ("qz (1/A)", "a component of q"),
        ("log(1+q.nm)_None", "a function of an axis"),
        ("Theta", "an angle other than 2θ"),
        ("Omega (deg)", "an angle other than 2θ"),
        ("Raman Shift (cm-1)", "a Raman shift"),
        ("cm-1", "a wavenumber"),
        ("Wavelength (nm)", "UV-vis"),
        ("Energy (keV)", "an energy"),
        ("E[keV]", "an energy"),
        ("Temperature (°C)", "TGA"),
        ("r($\\AA$)", "pair distribution"),
        ("Binding energy (eV)", "XPS"),
        ("TOF (us)", "time of flight"),
        ("Time (s)", "a time"),
        ("Channel", "a channel number"),
        ("Potential (V)", "no angle"),
        ("m/z", "a mass"),
    ],
)
def test_another_quantity_is_refused_by_name(write, label, words):
    with pytest.raises(UserError, match=words) as caught:
        read_pattern(write("other.csv", f"{label},Counts\n" + table(ANGLE, COUNTS, separator=",")), COPPER)
    assert str(caught.value).count("other.csv") == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("neutron diffraction, wavelength 1.54 A", "neutron diffraction"),
        ("electron diffraction SAED, wavelength 0.0251 A", "electron diffraction"),
        ("Time-of-flight (microseconds)", "time of flight"),
        ("Analysis Method:   XPS", "XPS"),
        ("#DATA TYPE=INFRARED SPECTRUM", "a spectrum"),
        ("pair distribution function", r"G\(r\)"),
    ],
)
def test_another_technique_is_refused_by_the_words_of_its_header(write, line, words):
    with pytest.raises(UserError, match=rf"{words}.*only X-ray powder patterns"):
        read_pattern(write("a.xy", f"# {line}\n" + table(ANGLE, COUNTS)), COPPER)


@pytest.mark.parametrize(
    "line",
    ["x axis: q (nm^-1)", "First column represents Q values (1/nm) and second intensities", '{"unit": "q_nm^-1"}'],
)
def test_the_header_may_speak_of_the_axis_without_naming_columns(write, line):
    the_scan(read_pattern(write("a.xy", f"# {line}\n# detector\n" + table(10 * Q, COUNTS)), COPPER))


def test_another_technique_is_refused_by_the_suffix(write):
    with pytest.raises(UserError, match=r"a\.gr: .*pair distribution function"):
        read_pattern(write("a.gr", table(ANGLE, COUNTS)), COPPER)


LAYOUTS = {
    "units below the names": ("a.csv", "2theta,Intensity\n(rad),(counts)\n" + table(np.radians(ANGLE), COUNTS, ",")),
    "three heading lines": (
        "a.txt",
        "Column3\tColumn5\nTwoTheta\tLYNXEYE(ScanCounter)\n[°]\t[Counts]\n" + table(ANGLE, COUNTS, "\t"),
    ),
    "angle brackets": ("a.txt", "<Group name> test\n   < 2Theta >   <   I   >\n" + table(ANGLE, COUNTS)),
    "EVA": ("a.xy", 'Id: "x" Anode: "Cu" Scantype: "Coupled TwoTheta/Theta"\n' + table(ANGLE, COUNTS)),
    "ini": (
        "a.txt",
        "[RawHeader]\nAnode=Cu\n[Data]\nAngle,   Det1,\n" + between(ANGLE, COUNTS, "  {:.4f},   {:.0f},\n"),
    ),
    "quoted thousands": ("a.csv", "2theta,counts\n" + between(ANGLE, COUNTS, '{:.4f},"{:,.0f}"\n')),
    "thousands after a tab": ("a.txt", "2theta\tcounts\n" + between(ANGLE, COUNTS, "{:.4f}\t{:,.0f}\n")),
    "thousands after a blank": ("a.txt", between(ANGLE, COUNTS, "{:.4f} {:,.0f}\n")),
    "German thousands": (
        "a.csv",
        "2theta;counts\n" + between(ANGLE, COUNTS, "{:.4f};{:,.0f}\n").translate(str.maketrans({",": ".", ".": ","})),
    ),
    "computed before observed": ("a.csv", "2theta,Icalc,Iobs\n" + table(ANGLE, COUNTS * 0 + 7, COUNTS, separator=",")),
    "Rietveld output": (
        "a.csv",
        "x,y_obs,y_calc,difference\n" + table(ANGLE, COUNTS, COUNTS * 0.9, COUNTS * 0.1, separator=","),
    ),
    "background first": ("a.csv", "2theta,background,intensity\n" + table(ANGLE, COUNTS * 0, COUNTS, separator=",")),
    "intensity first": ("a.csv", "Intensity,2theta\n" + table(COUNTS, ANGLE, separator=",")),
    "counted rows": ("a.csv", "Unnamed: 0,2theta,I\n" + table(np.arange(551), ANGLE, COUNTS, separator=",")),
    "dates": ("a.dat", "twotheta intensity date time\n" + between(ANGLE, COUNTS, "{:.4f} {:g} 07/07/2022 19:15:30\n")),
    "dates first": ("a.csv", "day,2theta,counts\n" + between(ANGLE, COUNTS, "2022-07-07,{:.4f},{:g}\n")),
    "falling": ("a.xy", table(ANGLE[::-1], FALLING)),
    "no suffix": ("data", table(ANGLE, COUNTS)),
    "unknown suffix": ("a.xrd", table(ANGLE, COUNTS)),
    "STOE text": ("a.xyd", table(ANGLE, COUNTS)),
    "numbers above": ("a.xy", "1 551\nsample\n" + table(ANGLE, COUNTS)),
    "a scale of a drawing": ("a.csv", "2theta,Intensity (log scale)\n" + table(ANGLE, COUNTS, separator=",")),
    "units of other things": ("a.xy", "# unit: s\n# x-ray tube\n" + table(ANGLE, COUNTS)),
    "a footer": ("a.xy", table(ANGLE, COUNTS) + "Total points: 551\n"),
    "a table of lines behind": ("a.txt", "2theta I\n" + table(ANGLE, COUNTS) + "Lines\npos height fwhm\n8.0 500 0.2\n"),
    "FullProf XYDATA": ("a.dat", "XYDATA\ntitle\nINTER 1.0 1.0 0.0\n" + table(ANGLE, COUNTS, np.sqrt(COUNTS))),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_of_columns(write, layout):
    name, text = LAYOUTS[layout]
    the_scan(read_pattern(write(name, text), COPPER))


CHOICES = {
    "column 'sample A', the first of 2": "2theta,sample A,sample B\n" + table(ANGLE, COUNTS, FALLING, separator=","),
    "table 1 of 2 side by side": "2theta,I,2theta,I\n" + table(ANGLE, COUNTS, ANGLE + 3, FALLING, separator=","),
    "range 1 of 2": table(ANGLE, COUNTS) + table(ANGLE, FALLING),
    "range 2 of 2": table(ANGLE[::10], COUNTS[::10]) + table(ANGLE, COUNTS),
    "2 ranges joined": table(ANGLE[300:], COUNTS[300:]) + table(ANGLE[:300], COUNTS[:300]),
    "2 ranges joined ": table(ANGLE[:310], COUNTS[:310]) + table(ANGLE[290:], COUNTS[290:]),
    "points at one angle averaged (1)": table(ANGLE[:301], COUNTS[:301]) + table(ANGLE[300:], COUNTS[300:]),
    "converted from decimal logarithms": "2theta,log10(I)\n" + table(ANGLE, np.log10(COUNTS), separator=","),
    "converted from logarithms": "2theta,Log Intensity\n" + table(ANGLE, np.log10(COUNTS), separator=","),
    "converted from natural logarithms": "2theta,ln(counts)\n" + table(ANGLE, np.log(COUNTS), separator=","),
    "converted from square roots": "2theta,sqrt(Intensity)\n" + table(ANGLE, np.sqrt(COUNTS), separator=","),
}


@pytest.mark.parametrize("note", CHOICES)
def test_what_was_chosen_or_done_is_said(write, note):
    the_scan(read_pattern(write("a.csv", CHOICES[note]), COPPER), note.strip())


def test_tables_side_by_side_may_end_at_different_rows(write):
    short = "".join(f"{x:g},{y:g}," + (f"{x:g},5\n" if x < 12 else ",\n") for x, y in zip(ANGLE, COUNTS, strict=True))
    the_scan(read_pattern(write("a.csv", "2theta,I,2theta,I\n" + short), COPPER), "table 1 of 2")
    other = "".join((f"{x:g},5," if x < 12 else ",,") + f"{x:g},{y:g}\n" for x, y in zip(ANGLE, COUNTS, strict=True))
    with pytest.raises(UserError, match="constant \\(5 everywhere\\)"):
        read_pattern(write("b.csv", "2theta,I,2theta,I\n" + other), COPPER)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2theta,Ycalc\n" + table(ANGLE, COUNTS, separator=","), "holds a measured intensity"),
        (table(ANGLE * 100, COUNTS), "runs to 2700, but 2θ must lie within 0 to 180"),
        (table(np.repeat(ANGLE[::2], 2)[:551], COUNTS), "appears twice, and so do many"),
        (table(D[::40], COUNTS[::40]), "name it: 2theta, or d"),
        (rows() + "20.5 oops\n", "line 61"),
    ],
)
def test_what_could_mean_several_things_is_refused(write, text, words):
    with pytest.raises(UserError, match=words):
        read_pattern(write("a.csv", text), COPPER)
