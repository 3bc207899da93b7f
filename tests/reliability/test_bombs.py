"""Archives made to hurt: they unpack to too much, lead elsewhere, or never end."""

import gzip
import io
import os
import tarfile
import threading
import zipfile
from pathlib import Path

import pytest
from indexer_helpers import CIFS

from xtal.errors import UserError
from xtal.readers import read_pattern
from xtal.sources import open_source

PLACES = ["../../evil.cif", "/tmp/evil.cif", "a/../../../evil.cif", "..\\..\\evil.cif", "C:\\evil.cif", "evil\0.cif"]


def records(path: Path) -> list:
    return list(open_source(f"cif:{path}").records())


def everything(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


def zipped(path: Path, name: str, content: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return path


def bomb(path: Path) -> Path:
    """128 MiB of blanks in an archive of 128 KiB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.cif", "w") as member:
        for _ in range(128):
            member.write(b" " * 2**20)
    return path


def nested(path: Path) -> Path:
    inner = bomb(path.with_name("inner.zip")).read_bytes()
    return zipped(path, "inner.zip", inner)


def tar_bomb(path: Path) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("a.cif")
        info.size = 2**27
        archive.addfile(info, io.BytesIO(bytes(2**27)))
    return path


@pytest.mark.parametrize(("make", "name"), [(bomb, "x.zip"), (nested, "x.zip"), (tar_bomb, "x.tar.gz")])
def test_a_bomb_is_refused(tried, tmp_path, make, name):
    tried("archives that unpack to 128 MiB: refused", 1, 1)
    with pytest.raises(UserError):
        records(make(tmp_path / name))


def test_no_member_leads_out(tried, tmp_path):
    tried("members with names that lead elsewhere: nothing is written", len(PLACES), len(PLACES))
    for number, place in enumerate(PLACES):
        path = zipped(tmp_path / f"{number}.zip", place, CIFS[0][1])
        before = everything(tmp_path)
        try:
            found = records(path)
        except UserError:
            found = []
        assert all("/" not in record.id and "\\" not in record.id for record in found)
        assert everything(tmp_path) == before
    assert not Path("/tmp/evil.cif").exists()


def test_links_are_not_followed(tried, tmp_path):
    tried("links in archives: not followed", 2, 2)
    secret = tmp_path / "secret.cif"
    secret.write_bytes(CIFS[1][1])
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as archive:
        for name, kind in (("soft.cif", tarfile.SYMTYPE), ("hard.cif", tarfile.LNKTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, str(secret)
            archive.addfile(info)
        info = tarfile.TarInfo("own.cif")
        info.size = len(CIFS[0][1])
        archive.addfile(info, io.BytesIO(CIFS[0][1]))
    assert [record.data for record in records(path)] == [CIFS[0][1]]


@pytest.mark.parametrize("name", ["x.brml", "x.rasx", "x.xye"])
def test_patterns_that_are_bombs_are_refused(tried, tmp_path, name):
    tried("patterns that unpack to 128 MiB, or do not end: refused", 1, 1)
    path = bomb(tmp_path / name) if name != "x.xye" else tmp_path / name
    if name == "x.xye":
        path.write_bytes(gzip.compress(b"1 2\n" * 30_000_000))
    with pytest.raises(UserError):
        read_pattern(path, 1.5406)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_what_does_not_end_is_refused_and_what_ends_is_read(tried, tmp_path):
    tried("pipes and devices in the place of files: bounded, or refused", 3, 3)
    pipe = tmp_path / "pipe.xye"
    os.mkfifo(pipe)
    rows = "".join(f"{angle / 50:.2f} {100 + angle % 7}\n" for angle in range(200, 2000)).encode()
    writer = threading.Thread(target=pipe.write_bytes, args=(rows,))
    writer.start()
    assert len(read_pattern(pipe, 1.5406).two_theta) == 1800
    writer.join()
    for path in (pipe, Path("/dev/zero")):
        with pytest.raises(UserError, match="no file or folder"):
            records(path)
    with pytest.raises(UserError, match="goes on after"):
        read_pattern(Path("/dev/zero"), 1.5406)
