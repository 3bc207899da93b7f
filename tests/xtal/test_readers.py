"""Every format of one scan: 60 points from 20° in steps of 0.02°."""

import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xtal.errors import UserError
from xtal.readers import SUFFIXES, read_pattern

FOLDER = Path(__file__).parents[1] / "data" / "patterns"
POINT = np.arange(60)
TWO_THETA = 20 + 0.02 * POINT
COUNTS = np.round(900 * np.exp(-(((POINT - 30) / 6) ** 2)) + 40 + (POINT * 7) % 11)
CU_MEAN = pytest.approx(1.54187, abs=3e-5)


@pytest.fixture
def write(tmp_path):
    def file(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return file


def rows(two_theta=TWO_THETA, counts=COUNTS, separator=" "):
    return "".join(f"{x:.5f}{separator}{y:g}\n" for x, y in zip(two_theta, counts, strict=True))


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
        with pytest.raises(UserError, match=rf"no wavelength in {name}; give one: --wavelength CuKa .*keV"):
            read_pattern(FOLDER / name)
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


def test_a_third_column_without_a_name_is_no_uncertainty(write):
    table = "".join(f"{x:.2f} {y:g} {x / 10:.3f}\n" for x, y in zip(TWO_THETA, COUNTS, strict=True))
    assert read_pattern(write("a.xy", table), 1.54).sigma is None
    named = read_pattern(write("b.xy", "2theta I esd\n" + table), 1.54)
    np.testing.assert_allclose(named.sigma, TWO_THETA / 10, atol=1e-3)


def test_first_of_several_scans_is_named_so():
    assert read_pattern(FOLDER / "two_scans.ras").source == "two_scans.ras, scan 1 of 2"


@pytest.mark.parametrize("mark", ["#", "!", ";", "'", "//", "%", "* "])
def test_comments_anywhere(write, mark):
    lines = rows().splitlines()
    text = "\n".join([f"{mark} made by hand", "", *lines[:30], f"{mark} half way 5 6", *lines[30:], f"{mark} 1 2 3"])
    np.testing.assert_array_equal(read_pattern(write("a.xy", text), 1.54).intensity, COUNTS)


@pytest.mark.parametrize(
    "convert",
    [
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace(" ", ","),
        lambda text: text.replace(" ", ", "),
        lambda text: text.replace(" ", ";"),
        lambda text: text.replace(" ", "\t"),
        lambda text: text.replace(".", ","),
        lambda text: text.replace(".", ",").replace(" ", ";"),
        lambda text: text.replace(".", ",").replace(" ", "\t"),
        lambda text: text.replace(" ", "   ").replace("\n", "  \n"),
        lambda text: "Angle;Counts\n" + text.replace(" ", ";"),
        lambda text: '"2theta","counts"\n' + "".join(f'"{a}","{b}"\n' for a, b in map(str.split, text.splitlines())),
        lambda text: text.rstrip("\n"),
    ],
)
def test_text_dialects(write, convert):
    pattern = read_pattern(write("a.csv", convert(rows())), 1.54)
    np.testing.assert_allclose(pattern.two_theta, TWO_THETA, atol=1e-6)
    np.testing.assert_array_equal(pattern.intensity, COUNTS)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_text_encodings(write, encoding):
    path = write("a.txt", ("Probe 5 µm\nWinkel [°] Intensität\n" + rows()).encode(encoding))
    np.testing.assert_array_equal(read_pattern(path, 1.54).intensity, COUNTS)


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


@pytest.mark.parametrize("heading", ["d-spacing I", "d(A) counts", "theta intensity", "TOF counts", "channel counts"])
def test_other_axes_are_refused(write, heading):
    with pytest.raises(UserError, match=r"a\.dat: its x axis is .*give 2θ in degrees, or q"):
        read_pattern(write("a.dat", f"# {heading}\n" + rows()), 1.54)


@pytest.mark.parametrize("title", ["Thorite R050123", "Q sample", "time 12:30", "d 3"])
def test_titles_are_no_headings(write, title):
    np.testing.assert_allclose(read_pattern(write("a.xy", f"# {title}\n" + rows()), 1.54).two_theta, TWO_THETA)


def test_columns_are_found_by_name_and_refused_without(write):
    table = "".join(f"{i},{y:g},{x:.2f},0\n" for i, (x, y) in enumerate(zip(TWO_THETA, COUNTS, strict=True)))
    pattern = read_pattern(write("a.csv", "index,I(obs),2theta,background\n" + table), 1.54)
    np.testing.assert_allclose(pattern.two_theta, TWO_THETA)
    np.testing.assert_array_equal(pattern.intensity, COUNTS)
    with pytest.raises(UserError, match="4 columns and no line above them that names them"):
        read_pattern(write("b.csv", table), 1.54)
    with pytest.raises(UserError, match="none of the columns index, I, x, b is named 2theta or q"):
        read_pattern(write("c.csv", "index,I,x,b\n" + table), 1.54)


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


def test_descending_scans_are_turned_round_and_zero_is_left_out(write):
    pattern = read_pattern(write("a.xy", rows(TWO_THETA[::-1], COUNTS[::-1])), 1.54)
    np.testing.assert_array_equal(pattern.intensity, COUNTS)
    shifted = read_pattern(write("b.xy", rows(TWO_THETA - 20.1)), 1.54)
    assert len(shifted) == 54
    assert shifted.two_theta[0] == pytest.approx(0.02)


def test_small_negative_values_become_zero_and_mostly_negative_is_refused(write):
    noisy = COUNTS - 45.0
    assert noisy.min() < 0
    np.testing.assert_array_equal(read_pattern(write("a.xy", rows(counts=noisy)), 1.54).intensity, noisy.clip(0))
    with pytest.raises(UserError, match=r"b\.xy: the intensities are mostly negative"):
        read_pattern(write("b.xy", rows(counts=COUNTS - 900)), 1.54)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "the file is empty"),
        (" \n\r\n", "the file is empty"),
        ("hello\nworld\n", "no rows of numbers"),
        (rows()[:108], "at least 10 points"),
        (rows(counts=np.full(60, 7)), r"constant \(7 everywhere\)"),
        (rows().replace(" 941", " nan"), "point 31 holds NaN or infinity"),
        (rows().replace(" 941", " 1e999"), "holds NaN or infinity"),
        (rows() + rows(), r"must rise from point to point, but 20 follows 21\.18"),
        (rows(np.repeat(TWO_THETA[::2], 2)), "20 appears twice"),
        (rows(TWO_THETA + 170), "within 0 to 180"),
        ("20.0 0.02 21.18\n" + "".join(f"{y:g}\n" for y in COUNTS), r"line 2 \('4.'\) holds 1 numbers.*start and step"),
        ("20 0.02 21\n" + rows(), "holds 2 numbers, the rows before it 3"),
        (rows() + "20.5 oops\n", "holds 0 numbers, the rows before it 2"),
        ("".join(f"{y:g}\n" for y in COUNTS), "no rows of numbers"),
        (rows() + "1 " * 3000, "line 61 has 6,000 characters"),
    ],
)
def test_what_is_no_pattern_is_refused_by_name(write, text, match):
    with pytest.raises(UserError, match=match) as caught:
        read_pattern(write("bad.xy", text), 1.54)
    assert "bad.xy" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("a.xy", bytes(range(256)) * 20, "the file is binary"),
        ("a.raw", b"FI\0\0" + bytes(5000), "binary"),
        ("a.raw", b"RAW1.01\0" + bytes(20), r"a\.raw: "),
        ("a.xrdml", "<xrdMeasurements><scan>", "not readable as XML"),
        ("a.xrdml", "<other/>", r"a\.xrdml: "),
        ("a.brml", b"PK\x03\x04 truncated", "the archive is damaged"),
        ("a.cif", "data_x\n_cell_length_a 5", "no powder pattern in this CIF"),
        ("a.cif", "loop_ loop_ 'x", "not a readable CIF"),
        ("a.fxye", "title\nBANK 1 60 60 SLOG 1000 2000 0.001 0 FXYE\n 1 2 3\n", r"a\.fxye: "),
        ("a.pdf", "1 2\n" * 20, r"\.pdf is no pattern format known here; known are \.xy, "),
        ("a", "1 2\n" * 20, "a file without suffix"),
    ],
)
def test_damaged_and_foreign_files(write, name, content, match):
    with pytest.raises(UserError, match=match):
        read_pattern(write(name, content), 1.54)


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


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*gone\.xy: No such file"):
        read_pattern(tmp_path / "gone.xy", 1.54)
    (tmp_path / "folder.xy").mkdir()
    with pytest.raises(UserError, match=r"cannot read .*folder\.xy"):
        read_pattern(tmp_path / "folder.xy", 1.54)


def test_too_long_files(write):
    with pytest.raises(UserError, match="more than 200,000 rows"):
        read_pattern(write("a.xy", b"".join(b"%d %d\n" % (i, i % 7) for i in range(200_001))), 1.54)
    with pytest.raises(UserError, match="more than 500,000 lines"):
        read_pattern(write("b.ras", b"*RAS_DATA_START\n" + b"1 2\n" * 500_001), 1.54)
    with pytest.raises(UserError, match="at most 50,000,000"):
        read_pattern(write("c.xy", bytes(50_000_001)), 1.54)


def test_bombs(write, tmp_path):
    for count, size, name in ((1, 17_000_000, "a.brml"), (10_001, 0, "b.rasx")):
        with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(count):
                archive.writestr(f"Data{number}/Profile{number}.txt", b"1" * size)
        with pytest.raises(UserError, match=rf"{name}: the archive unpacks to {count} files of up to {size:,}"):
            read_pattern(tmp_path / name, 1.54)
    entities = '<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    text = f"<?xml version='1.0'?><!DOCTYPE x [{entities}]><xrdMeasurements>&i;</xrdMeasurements>"
    with pytest.raises(UserError, match="amplification"):
        read_pattern(write("c.xrdml", text), 1.54)


REFUSED_OR_READ = settings(
    max_examples=150, deadline=5000, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)


def refused_or_read(path):
    try:
        outcome = read_pattern(path, 1.54).source
    except UserError as error:
        outcome = str(error)
    assert path.name in outcome


@REFUSED_OR_READ
@given(suffix=st.sampled_from(SUFFIXES), content=st.binary(min_size=1, max_size=400))
def test_random_bytes_are_refused_or_read(write, suffix, content):
    refused_or_read(write(f"random{suffix}", content))


@REFUSED_OR_READ
@given(
    suffix=st.sampled_from(SUFFIXES),
    lines=st.lists(st.lists(st.from_regex(r"[-+0-9.,eEnaif;#_q ]{1,6}", fullmatch=True), max_size=4), max_size=30),
    separator=st.sampled_from([" ", ",", ";", "\t"]),
)
def test_random_tables_are_refused_or_read(write, suffix, lines, separator):
    refused_or_read(write(f"table{suffix}", "\n".join(separator.join(line) for line in lines) or " "))


@REFUSED_OR_READ
@given(
    name=st.sampled_from(sorted(path.name for path in FOLDER.iterdir() if path.name != "scheelite.xy")),
    place=st.floats(0, 1),
    cut=st.integers(0, 30),
    insert=st.binary(max_size=12) | st.sampled_from([b"nan", b"-", b"1e999", b"\0", b"99999999999", b"</", b"loop_\n"]),
)
def test_damaged_files_are_refused_or_read(write, name, place, cut, insert):
    content = (FOLDER / name).read_bytes()
    at = int(place * len(content))
    refused_or_read(write(name, content[:at] + insert + content[at + cut :]))
