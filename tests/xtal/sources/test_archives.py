"""CIF files in folders and archives."""

import io
import os
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from xtal.errors import UserError
from xtal.sources import open_source
from xtal.sources.archive import fingerprint, iter_files

CIFS = Path(__file__).parents[2] / "data" / "cifs"
STEMS = sorted(f.stem for f in CIFS.glob("*.cif"))


def zipped(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def tarred(path: Path, members: list[tuple[str, bytes]]) -> Path:
    mode = {".tar": "w", ".tgz": "w:gz", ".bz2": "w:bz2", ".xz": "w:xz"}[path.suffix]
    with tarfile.open(path, mode) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize("kind", ["folder", "x.zip", "x.tar", "x.tgz", "x.tar.bz2", "x.tar.xz", "X.TAR.XZ"])
def test_cifs_in_every_form(tmp_path, kind):
    path = CIFS
    members = [(f"some/where/{f.name}", f.read_bytes()) for f in sorted(CIFS.iterdir())]
    if kind.endswith(".zip"):
        path = zipped(tmp_path / kind, dict(members))
    elif kind != "folder":
        path = tarred(tmp_path / kind.lower(), members).rename(tmp_path / kind)
    source = open_source(f"cif:{path}")
    records = list(source.records())
    assert sorted(r.id for r in records) == STEMS
    assert [r.id for r in source.records()] == [r.id for r in records]
    assert {r.id: len(source.read(r)) for r in records}["halite"] == 8
    assert source.name == ("cifs" if kind == "folder" else kind[0])


def test_one_file_whatever_its_suffix(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_bytes((CIFS / "halite.cif").read_bytes())
    (record,) = open_source(f"cif:{path}").records()
    assert record.id == "mine.txt"


def test_ids_are_unique_stable_and_fit_for_file_names(tmp_path):
    text = (CIFS / "halite.cif").read_bytes()
    names = ["a.cif", "b/a.cif", "b/a.CIF", "../../etc/a.cif", "/x\n y.cif", "...cif", "._a.cif", "readme.md"]
    path = tarred(tmp_path / "x.tar", [(name, text) for name in names])
    ids = [record.id for record in open_source(f"cif:{path}").records()]
    assert ids == ["a", "b_a", "b_a~2", "_.._etc_a", "x_y", "_"]
    assert not any("/" in i or i.startswith(".") for i in ids)


def test_every_structure_of_a_file_is_an_entry(tmp_path):
    text = (CIFS / "halite.cif").read_bytes()
    text = text[text.index(b"data_") :].rstrip() + b"\n"
    block = text.split()[0]
    other = text.replace(block, b"data_ThO2/2").replace(b"Cl1 CL", b"F1 F")
    note = b"data_global\n_publ_section_comment\n;\ndata_of_nothing\n_atom_site_fract_x\n;\n"
    members = {
        "several.cif": note + text + other + text,  # one name twice
        "one.cif": text + b"data_powder\n_pd_meas_number_of_points 3\n",
        "unnamed.cif": text.replace(block, b"data_") + other.replace(b"data_ThO2/2", b"DATA_"),
        "wide.cif": (text + other).decode().encode("utf-16"),
        "spin.mcif": text,
    }
    source = open_source(f"cif:{zipped(tmp_path / 'x.zip', members)}")
    found = {record.id: source.read(record) for record in source.records()}
    name = block.removeprefix(b"data_").decode()
    assert {id_: crystal.formula for id_, crystal in found.items()} == {
        f"several@{name}": "Cl4Na4",
        "several@ThO2_2": "F4Na4",
        f"several@{name}~2": "Cl4Na4",
        "one": "Cl4Na4",
        "unnamed@1": "Cl4Na4",
        "unnamed@2": "F4Na4",
        f"wide@{name}": "Cl4Na4",
        "wide@ThO2_2": "F4Na4",
        "spin.mcif": "Cl4Na4",
    }
    assert [crystal.name for crystal in found.values()] == list(found)
    assert [record.id for record in source.records()] == list(found)


def test_a_file_of_too_many_structures_is_one_broken_entry(tmp_path):
    path = tmp_path / "many.cif"
    path.write_text("".join(f"data_{n}\n_atom_site_fract_x 0\n" for n in range(2001)))
    source = open_source(f"cif:{path}")
    (record,) = source.records()
    with pytest.raises(UserError, match=r"^many: the CIF holds 2,001 data blocks, more than 2,000; give one file"):
        source.read(record)


def test_broken_entries_are_errors_of_their_own(tmp_path):
    path = zipped(tmp_path / "x.zip", {"good.cif": (CIFS / "halite.cif").read_bytes(), "bad.cif": b"data_x\nloop_\n"})
    source = open_source(f"cif:{path}")
    good, bad = source.records()
    assert len(source.read(good)) == 8
    with pytest.raises(UserError, match=r"^bad: not a readable CIF"):
        source.read(bad)


def test_large_files_come_cut_off(tmp_path):
    for path in (zipped(tmp_path / "x.zip", {"a.cif": b"x" * 99}), tarred(tmp_path / "x.tar", [("a.cif", b"x" * 99)])):
        assert [len(data) for _, data in iter_files(path, ".cif", 10)] == [11]


def test_nothing_there(tmp_path):
    (tmp_path / "readme.md").write_text("no crystals here")
    with pytest.raises(UserError, match=r"no \.cif files in"):
        list(open_source(f"cif:{tmp_path}").records())


@pytest.mark.parametrize("kind", ["x.zip", "x.tgz", "x.tar.bz2", "x.tar.xz"])
def test_bombs_are_refused(tmp_path, kind, monkeypatch):
    monkeypatch.setattr("xtal.sources.archive.SLACK", 2**20)
    members = [(f"{n}.cif", bytes(2**20)) for n in range(10)]
    path = zipped(tmp_path / kind, dict(members)) if kind == "x.zip" else tarred(tmp_path / kind, members)
    with pytest.raises(UserError, match="expands more than 400 times"):
        list(iter_files(path, ".cif", 100))


@pytest.mark.parametrize("kind", ["x.zip", "x.tar", "x.tgz", "x.tar.xz"])
def test_damaged_archives_are_refused(tmp_path, kind):
    rng = np.random.default_rng(0)
    members = [("a.cif", rng.bytes(50_000)), ("b.cif", rng.bytes(50_000))]
    path = zipped(tmp_path / kind, dict(members)) if kind == "x.zip" else tarred(tmp_path / kind, members)
    whole = path.read_bytes()
    for content in (b"", b"hello", whole[:60_000], whole[:30_000] + bytes(100) + whole[30_100:]):
        path.write_bytes(content)
        if content == b"" and kind != "x.zip":
            continue  # an empty file is an empty tar
        if len(content) == len(whole) and kind == "x.tar":
            continue  # a plain tar has no checksum over its files
        with pytest.raises(UserError, match="cannot be read to its end"):
            list(iter_files(path, ".cif", 100_000))


def test_encrypted_zip_is_refused(tmp_path):
    path = zipped(tmp_path / "x.zip", {"a.cif": b"data_a"})
    raw = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(mark) + offset] |= 1
    path.write_bytes(raw)
    with pytest.raises(UserError, match="is encrypted; unpack it first"):
        list(iter_files(path, ".cif", 100))


def test_links_in_a_tar_are_left_alone(tmp_path):
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            info = tarfile.TarInfo("passwd.cif")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
    assert list(iter_files(path, ".cif", 100)) == []


def test_fingerprints_follow_the_content(tmp_path):
    file = tmp_path / "f" / "a.cif"
    file.parent.mkdir()
    prints = []
    for content, time in (("one", 1), ("two", 2), ("one", 1)):
        file.write_text(content)
        os.utime(file, (time, time))
        prints.append((fingerprint(file), fingerprint(file.parent)))
    assert prints[0] == prints[2]
    assert prints[0][0] != prints[1][0]
    assert prints[0][1] != prints[1][1]


def test_fingerprint_of_a_large_file_reads_its_ends(tmp_path, monkeypatch):
    monkeypatch.setattr("xtal.sources.archive.WHOLE", 10)
    monkeypatch.setattr("xtal.sources.archive.EDGE", 4)
    path = tmp_path / "x"
    prints = []
    for content in (b"head....tail!", b"HEAD....tail!", b"head....tail?", b"head.....tail!", b"head,,,,tail!"):
        path.write_bytes(content)
        prints.append(fingerprint(path))
    assert len(set(prints)) == 4  # the middle is not read
