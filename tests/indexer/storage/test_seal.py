"""A build is checked as a whole once; afterwards its blocks are checked when they are read."""

import os

import numpy as np
import pytest
from indexer_helpers import publish_salts, rocksalt

from indexer.storage import mapped, open_index, seal
from indexer.storage.seal import COLUMNS, SEAL, Seal
from xtal.errors import UserError

MANY = tuple(rocksalt(3.5 + 0.03 * n, 11, 17 if n % 2 else 9, f"salt-{n:03d}") for n in range(120))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An index whose files have several blocks."""
    for module in (mapped, seal):
        monkeypatch.setattr(module, "BLOCK", 512)
    monkeypatch.setattr(mapped, "SMALL", 100)
    return tmp_path / "indexes" / "salts" / publish_salts(tmp_path, crystals=MANY).build_id


def never(*_):
    raise AssertionError("everything is checked again")


def rot(path, place):
    """Turn over a bit as a failing disk does: nothing else tells of it."""
    state, data = path.stat(), bytearray(path.read_bytes())
    data[place] ^= 4
    with path.open("r+b") as file:
        file.write(data)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def test_a_published_build_is_sealed_and_opened_without_reading_it(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(seal, "make_seal", never)
    index = open_index("salts", tmp_path)
    assert [str(index.entries.ids[row]) for row in (0, 7, -1)] == ["salt-000", "salt-007", "salt-119"]
    for few in (0, 1000):  # in order, and in a dictionary
        monkeypatch.setattr("indexer.storage.columns.FEW", few)
        assert [index.row_of(id_) for id_ in ("salt-000", "salt-044", "salt-119")] == [0, 44, 119]
        assert [index.entries.row_of(id_) for id_ in ("", "salt", "salt-0440", "zinc")] == [None] * 4
    assert {SEAL, COLUMNS} <= {path.name for path in folder.iterdir()}


def test_what_was_touched_is_checked_again_and_sealed_again(folder, tmp_path, monkeypatch):
    for name in ("lines.npz", COLUMNS):
        os.utime(folder / name)
        assert len(open_index("salts", tmp_path)) == len(MANY)
    monkeypatch.setattr(seal, "make_seal", never)
    assert len(open_index("salts", tmp_path)) == len(MANY)


@pytest.mark.parametrize("array", ["lines.npz/q", "structures.npz/frac", "vectors.faiss"])
def test_what_rots_unseen_is_refused_before_it_is_used(folder, tmp_path, array):
    place = Seal.from_bytes((folder / SEAL).read_bytes()).places[array]
    name = place.file
    rot(folder / name, place.offset + 1000)
    index = open_index("salts", tmp_path)
    with pytest.raises(UserError, match=rf"index 'salts' is damaged: bytes \d+ to \d+ of .*{name} have changed"):
        index.take(np.arange(len(MANY)))
    with pytest.raises(UserError, match=f"{name} does not have the digest"):
        open_index("salts", tmp_path)


def test_a_column_that_rots_is_refused_and_then_made_again(folder, tmp_path):
    rot(folder / COLUMNS, (folder / COLUMNS).stat().st_size // 2)
    with pytest.raises(UserError, match=f"{COLUMNS} have changed"):
        open_index("salts", tmp_path).entries.take(np.arange(len(MANY)))
    assert open_index("salts", tmp_path).entries.ids.tolist() == [salt.name for salt in MANY]


def test_a_seal_that_rots_counts_as_none(folder, tmp_path):
    whole = (folder / SEAL).read_bytes()
    for place in np.random.default_rng(0).integers(0, len(whole), 20):
        rot(folder / SEAL, int(place))
        assert Seal.from_bytes((folder / SEAL).read_bytes()) is None
        (folder / SEAL).write_bytes(whole)
    rot(folder / SEAL, 0)
    assert len(open_index("salts", tmp_path)) == len(MANY)
    assert Seal.from_bytes((folder / SEAL).read_bytes()) is not None


def test_a_seal_of_another_build_or_layout_counts_as_none(folder, tmp_path, monkeypatch):
    made = Seal.from_bytes((folder / SEAL).read_bytes())
    assert made.holds(folder, made.manifest)
    assert not made.holds(folder, "0" * 64)
    assert not made.holds(tmp_path, made.manifest)
    monkeypatch.setattr(seal, "LAYOUT", seal.LAYOUT + 1)
    assert Seal.from_bytes((folder / SEAL).read_bytes()) is None


def test_a_build_that_cannot_be_sealed_opens_all_the_same(folder, tmp_path, monkeypatch):
    for name in (SEAL, COLUMNS):
        (folder / name).unlink()
    monkeypatch.setattr(seal, "replacing", lambda _: (_ for _ in ()).throw(PermissionError("read-only")))
    index = open_index("salts", tmp_path)
    assert index.entries.ids.tolist() == [salt.name for salt in MANY]
    assert (index.crystal(33).lattice == MANY[33].lattice).all()
    assert not (folder / SEAL).exists()


def test_a_file_cut_short_under_a_reader_is_refused(folder, tmp_path):
    """Reading what a mapped file lacks would end the process."""
    index = open_index("salts", tmp_path)
    os.truncate(folder / "lines.npz", 1000)
    with pytest.raises(UserError, match=r"lines\.npz was changed while it was in use"):
        index.lines.take(np.arange(len(MANY)))


def test_arrays_that_cannot_be_read_where_they_lie_are_refused(tmp_path):
    np.savez(tmp_path / "turned.npz", a=np.ones((3, 4)).T)
    np.savez_compressed(tmp_path / "small.npz", a=np.ones(3))
    (tmp_path / "vectors.faiss").write_bytes(b"IxF2" + bytes(100))
    with pytest.raises(ValueError, match="cannot be read where it lies"):
        seal.npz_places(tmp_path / "turned.npz")
    with pytest.raises(ValueError, match="is compressed"):
        seal.npz_places(tmp_path / "small.npz")
    with pytest.raises(ValueError, match="does not hold plain vectors"):
        seal.flat_place(tmp_path / "vectors.faiss")
