"""Formats of our own readers: the scan of `reader_kinds` in each, in several ranges, damaged, and there and back."""

import struct
import zipfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reader_helpers import FOLDER
from reader_kinds import ANGLE, COPPER, COUNTS, FALLING, in_rows, table

from xtal.errors import UserError
from xtal.readers import read_pattern

DOUBLET = pytest.approx(1.54186, abs=2e-5)
UXD = "_FILEVERSION=2\n_ANODE='Cu'\n_WL1=1.540600\n_WL2=1.544390\n"
ASC = "*TYPE = Raw\n*SCAN_AXIS = 2theta/theta\n*WAVE_LENGTH1 = 1.5406\n*WAVE_LENGTH2 = 1.54439\n*BEGIN\n"
SEVERAL = settings(max_examples=40, suppress_health_check=list(HealthCheck), derandomize=True)


def uxd(start, step, counts, width=8, mark="_COUNTS", seconds=1.0):
    keys = f"_DRIVE='COUPLED'\n_STEPTIME={seconds}\n_STEPSIZE={step:.6f}\n_START={start:.6f}\n{mark}\n"
    return keys + in_rows(counts, width, " {:.6g}")


def asc(start, step, counts, width=4):
    stop = start + step * (len(counts) - 1)
    head = f"*GROUP = 0\n*START = {start:.6f}\n*STOP = {stop:.6f}\n*STEP = {step:.6f}\n*COUNT = {len(counts)}\n"
    rows = (", ".join(f"{value:g}" for value in counts[i : i + width]) for i in range(0, len(counts), width))
    return head + "\n".join(rows) + "\n*END\n"


def raw1(start, step, counts, more=0, mark=b"RAW ", seconds=1.0):
    head = mark + struct.pack("<IffIffff", len(counts), seconds, step, 0, 0, start, start / 2, -1e6)
    head = (head + struct.pack("<f", -1e6)).ljust(72 - 4 + len(mark), b"\0") + struct.pack("<2f", 1.5406, 1.54439)
    return head.ljust(148 + len(mark), b"\0") + struct.pack("<I", more) + np.asarray(counts, "<f4").tobytes()


def raw2(*ranges, length=60):
    head = (b"RAW2" + struct.pack("<H", len(ranges))).ljust(186, b"\0") + b"  Cu" + struct.pack("<2f", 1.5406, 1.54439)
    body = b"".join(
        struct.pack("<2H4x3f", length, len(counts), 1.0, step, start).ljust(length, b"\0")
        + np.asarray(counts, "<f4").tobytes()
        for start, step, counts in ranges
    )
    return head.ljust(256, b"\0") + body


def stoe(start, step, counts):
    stop = start + step * (len(counts) - 1)
    blocks = -(-4 * len(counts) // 512)
    head = b"RAW_1.06Powdat".ljust(322, b"\0") + struct.pack("<2f", 1.5406, 1.54439)
    head = head.ljust(474, b"\0") + struct.pack("<2H", blocks, blocks + 3)
    own = struct.pack("<34xH8x6f", len(counts), start, start / 2, stop, stop / 2, step, step / 2).ljust(120, b"\0")
    own += struct.pack("<2I", int(min(counts)), int(max(counts)))
    data = np.asarray(counts, "<u4").tobytes()
    return head.ljust(1024, b"\0") + own.ljust(512, b"\0") + data.ljust(512 * blocks, b"\0")


def steps(start, step, counts, first="title\n"):
    return f"{first}{start:.6f} {step:.6f} {start + step * (len(counts) - 1):.6f}\n" + in_rows(counts, 10)


def cpi(start, step, counts):
    stop = start + step * (len(counts) - 1)
    head = f"SIETRONICS XRD SCAN\n{start:.6f}\n{stop:.6f}\n{step:.6f}\nCu\n1.54060\n1-1-2000\n0.6\nsample\nSCANDATA\n"
    return head + "\n".join(f"{value:g}" for value in counts) + "\n"


def mdi(start, step, counts):
    stop = start + step * (len(counts) - 1)
    return f"02/03/04 test\n{start:.4f} {step:.4f} 1.0 CU 1.54060 {stop:.4f} {len(counts)}\n" + in_rows(counts)


WRITERS = {
    "counts.uxd": (lambda a, b, y: UXD + uxd(a, b, y), DOUBLET),
    "ten.uxd": (lambda a, b, y: UXD + uxd(a, b, y, 10, "_CPS"), DOUBLET),
    "rows.asc": (lambda a, b, y: ASC + asc(a, b, y), DOUBLET),
    "one.asc": (lambda a, b, y: ASC + asc(a, b, y, 1), DOUBLET),
    "one.raw": (raw1, DOUBLET),
    "two.raw": (lambda a, b, y: raw2((a, b, y)), DOUBLET),
    "long.raw": (lambda a, b, y: raw2((a, b, y), length=300), DOUBLET),
    "stoe.raw": (stoe, DOUBLET),
    "xfit.xdd": (steps, None),
    "instrm0.dat": (lambda a, b, y: steps(a, b, y, ""), None),
    "scan.cpi": (cpi, 1.5406),
    "cpi.txt": (cpi, 1.5406),
    "jade.mdi": (mdi, 1.5406),
}


@pytest.mark.parametrize("name", WRITERS)
def test_the_scan_in_each_format(write, name):
    made, wavelength = WRITERS[name]
    content = made(5.0, 0.04, COUNTS)
    pattern = read_pattern(write(name, content), COPPER if wavelength is None else None)
    np.testing.assert_allclose(pattern.two_theta, ANGLE, atol=2e-4)
    np.testing.assert_allclose(pattern.intensity, COUNTS)
    assert pattern.wavelength == (COPPER if wavelength is None else wavelength)


@pytest.mark.parametrize("name", WRITERS)
@SEVERAL
@given(
    start=st.integers(1, 9000).map(lambda n: n / 100),
    step=st.sampled_from([0.005, 0.01, 0.02, 0.04, 0.1]),
    counts=st.lists(st.integers(0, 99_999), min_size=11, max_size=60).filter(lambda counts: len(set(counts)) > 1),
)
def test_there_and_back(write, name, start, step, counts):
    pattern = read_pattern(write(name, WRITERS[name][0](start, step, counts)), COPPER)
    np.testing.assert_allclose(pattern.two_theta, start + step * np.arange(len(counts)), atol=2e-4)
    np.testing.assert_allclose(pattern.intensity, counts)


def test_the_last_angle_of_a_jade_file_is_no_wavelength(write):
    """Its plan ends in an angle that a wavelength may be, too: 1.30 to 1.55 degrees."""
    counts = [*range(26)]
    pattern = read_pattern(write("small.mdi", mdi(1.3, 0.01, counts)))
    assert (len(pattern), pattern.wavelength) == (26, 1.5406)
    assert pattern.two_theta[-1] == pytest.approx(1.55)


@pytest.mark.parametrize("name", WRITERS)
@SEVERAL
@given(place=st.floats(0, 1), cut=st.integers(0, 200), insert=st.binary(max_size=8) | st.just(b"nan"))
def test_damage_is_refused_or_read(write, name, place, cut, insert):
    content = WRITERS[name][0](5.0, 0.04, COUNTS[:120])
    content = content if isinstance(content, bytes) else content.encode()
    at = int(place * len(content))
    try:
        outcome = read_pattern(write(name, content[:at] + insert + content[at + cut :]), COPPER).source
    except UserError as error:
        outcome = str(error)
    assert outcome.count(name) == 1


HALVES = (5.0, 0.04, COUNTS[:300]), (17.0, 0.04, COUNTS[300:])
TWO_RANGES = {
    "a.uxd": UXD + uxd(*HALVES[0]) + uxd(*HALVES[1]),
    "times.uxd": UXD + uxd(*HALVES[0], seconds=1.0) + uxd(17.0, 0.04, COUNTS[300:] * 4, seconds=4.0),
    "a.asc": ASC + asc(*HALVES[0]) + asc(*HALVES[1]),
    "one.raw": raw1(*HALVES[0], more=1) + raw1(*HALVES[1]),
    "early.raw": raw1(*HALVES[0], more=1) + raw1(*HALVES[1], mark=b""),
    "two.raw": raw2(*HALVES),
}
AGAIN = (5.0, 0.04, FALLING)
TWO_SCANS = {
    "a.uxd": UXD + uxd(5.0, 0.04, COUNTS) + uxd(*AGAIN),
    "a.asc": ASC + asc(5.0, 0.04, COUNTS) + asc(*AGAIN),
    "one.raw": raw1(5.0, 0.04, COUNTS, more=1) + raw1(*AGAIN),
    "two.raw": raw2((5.0, 0.04, COUNTS), AGAIN),
}


@pytest.mark.parametrize(("files", "notes"), [(TWO_RANGES, ("s joined",)), (TWO_SCANS, ("1 of 2",))])
def test_ranges_are_joined_or_the_first_is_read(write, files, notes):
    for name, content in files.items():
        pattern = read_pattern(write(name, content))
        np.testing.assert_allclose(pattern.two_theta, ANGLE, atol=2e-4)
        np.testing.assert_allclose(pattern.intensity, COUNTS)
        assert pattern.source.endswith(notes)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.uxd", UXD + "_STEPCOUNT=600\n" + uxd(5.0, 0.04, COUNTS), "promises 600 points, the file holds 551"),
        ("a.uxd", UXD + uxd(5.0, 0.04, COUNTS).replace("COUPLED", "THETA"), "a rocking curve"),
        ("a.asc", ASC + asc(5.0, 0.04, COUNTS).replace("= 551", "= 552"), "promises 552 points, the file holds 551"),
        ("a.asc", ASC.replace("2theta/theta", "omega") + asc(5.0, 0.04, COUNTS), "a scan over 'omega'"),
        ("a.raw", raw1(5.0, 0.04, COUNTS)[:-40], "promises 551 points, but ends after 541"),
        ("a.raw", raw2((5.0, 0.04, COUNTS))[:-40], "promises 551 points, but ends after 541"),
        ("a.raw", stoe(5.0, 0.04, COUNTS)[:-512], "a STOE raw file of a kind that is not known here, or damaged"),
        ("a.xdd", steps(5.0, 0.04, COUNTS)[:-20], "promise 551 counts, the file holds 54"),
        ("a.cpi", cpi(5.0, 0.04, COUNTS)[:-20], "promise 551 counts, the file holds 54"),
    ],
)
def test_what_is_promised_must_be_there(write, name, content, words):
    with pytest.raises(UserError, match=words):
        read_pattern(write(name, content))


def test_an_interrupted_brml_gives_the_points_that_were_measured(tmp_path):
    with zipfile.ZipFile(FOLDER / "bruker.brml") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    raw = next(name for name in members if "RawData" in name)
    text = members[raw].decode()
    last = text.split("<Datum>")[-1].split("</Datum>")[0]
    members[raw] = text.replace(last, ",".join(["0", "0", *last.split(",")[2:-1], "-9999"])).encode()
    with zipfile.ZipFile(tmp_path / "stopped.brml", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    assert len(read_pattern(tmp_path / "stopped.brml")) == len(read_pattern(FOLDER / "bruker.brml")) - 1


def test_gsas_banks(write):
    bank = "BANK {} 551 56 CONST 500.00 4.00 0 0 STD\n"
    text = "a title\n" + bank.format(1) + in_rows(COUNTS, 10) + bank.format(2) + in_rows(FALLING, 10)
    pattern = read_pattern(write("a.gss", text), COPPER)
    np.testing.assert_allclose(pattern.intensity, COUNTS)
    assert pattern.source == "a.gss, bank 1 of 2"
    flight = "a title\nBANK 1 60 60 SLOG 1000.0 20000.0 0.001 0 FXYE\n" + table(
        ANGLE[:60] * 200, COUNTS[:60], COUNTS[:60]
    )
    with pytest.raises(UserError, match="time-of-flight pattern"):
        read_pattern(write("b.gss", flight), COPPER)


@pytest.mark.parametrize(
    "header",
    [
        "Start angle: 5.00\nStop angle: 27.00\nStep size: 0.04\n",
        "START=5.0\nSTEP=0.04\nEND=27\n",
        "Start 2Theta = 5.0 deg\nEnd 2Theta = 27.0 deg\nStep time = 1.0\nStep 2Theta = 0.04 deg\n",
        "# ScanStart, 5.0\n# ScanEnd, 27.0\n# StepSize, 0.04\n",
    ],
)
def test_counts_below_a_header_that_states_start_and_step_in_words(write, header):
    counts = "\n".join(f"{value:g}" for value in COUNTS)
    pattern = read_pattern(write("a.txt", f"sample\nWavelength: 1.5406\n{header}{counts}\n"))
    np.testing.assert_allclose(pattern.two_theta, ANGLE, atol=2e-4)
    assert pattern.wavelength == pytest.approx(1.5406)
    with pytest.raises(UserError, match="no rows of numbers found"):
        read_pattern(write("b.txt", f"{header}{counts}\n7\n8\n9\n"), COPPER)
