"""Files that are refused: no patterns, damaged, missing, too long, bombs."""

import zipfile

import numpy as np
import pytest
from reader_helpers import COUNTS, TWO_THETA, rows

from xtal.errors import UserError
from xtal.readers import read_pattern


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
        (rows(np.tile([20.0, 20.5, 21.0, 20.2], 15)), r"must rise from point to point, but 20\.2 follows 21"),
        (rows(np.repeat(TWO_THETA[::2], 2)), "20 appears twice"),
        (rows(TWO_THETA + 170), "within 0 to 180"),
        ("20.0 0.02 21.2\n" + "".join(f"{y:g}\n" for y in COUNTS), r"line 2 \('4.'\) holds 1 numbers.*start and step"),
        ("20 0.02 21\n" + rows(), "holds 2 numbers, the rows before it 3"),
        (rows() + "20.5 oops\n", "holds 1 numbers, the rows before it 2"),
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
        ("a.raw", b"FI\0\0" + bytes(5000), r"no \.raw known here \(Bruker RAW 1 to 4, STOE\); export it"),
        ("a.raw", b"RAW1.01\0" + bytes(20), r"a\.raw: "),
        ("a.xrdml", "<xrdMeasurements><scan>", "not readable as XML"),
        ("a.xrdml", "<other/>", r"a\.xrdml: "),
        ("a.xrdml", bytes(range(256)) * 20, r"a\.xrdml: the file is no \.xrdml known here, or damaged; export it"),
        ("a.brml", b"PK\x03\x04 truncated", "the archive is damaged"),
        ("a.cif", "data_x\n_cell_length_a 5", "no powder pattern in this CIF"),
        ("a.cif", "data_x\nloop_\n_atom_site_fract_x\n0.5\n", "this CIF holds a crystal structure and no measured"),
        ("a.cif", "loop_ loop_ 'x", "not a readable CIF"),
        ("a.fxye", "title\nBANK 1 60 60 SLOG 1000 2000 0.001 0 FXYE\n 1 2 3\n", r"a\.fxye: "),
        ("a.pdf", "%PDF-1.7\n" + "1 2\n" * 20, "the file is binary"),
        ("a.docx", b"PK\x03\x04" + bytes(range(256)), "the archive is damaged"),
    ],
)
def test_damaged_and_foreign_files(write, name, content, match):
    with pytest.raises(UserError, match=match):
        read_pattern(write(name, content), 1.54)


def test_missing_files_and_folders(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*gone\.xy: there is no such file, and .* holds no pattern file"):
        read_pattern(tmp_path / "gone.xy", 1.54)
    with pytest.raises(UserError, match=r"there is no folder .*nowhere"):
        read_pattern(tmp_path / "nowhere" / "gone.xy", 1.54)
    (tmp_path / "folder.xy").mkdir()
    with pytest.raises(
        UserError, match=r"cannot read .*folder\.xy: it is a folder; give one of the pattern files in it"
    ):
        read_pattern(tmp_path / "folder.xy", 1.54)


def test_what_is_there_instead_of_a_missing_file(tmp_path):
    for number in range(5):
        (tmp_path / f"scan{number}.xy").touch()
    (tmp_path / "notes.md").touch()
    with pytest.raises(UserError, match=r"no file matches it; the pattern files in .* are scan0\.xy, .* and 2 more"):
        read_pattern(tmp_path / "*.xyz")
    with pytest.raises(UserError, match=r"there is no such file; did you mean scan1\.xy\?"):
        read_pattern(tmp_path / "scna1.xy")


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
