"""The hypothetical MOFs of the XtalNet paper, and pickles of plain data."""

import builtins
import contextlib
import gzip
import os
import pickle
import pickletools
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xtal.crystals import Crystal
from xtal.errors import UserError
from xtal.sources import Record, TooManyAtomsError, open_source
from xtal.sources.hmof import CITATION, LICENCE, HmofLmdb
from xtal.sources.plain_pickle import load_plain

CIFS = Path(__file__).parents[2] / "data" / "cifs"


def entry(kind: str = "lists", atoms: int = 3) -> dict:
    """An entry as the paper's files hold it, in several spellings."""
    rng = np.random.default_rng(0)
    frac, numbers = rng.random((atoms, 3)), np.array([30, *[6] * (atoms - 1)])
    cell, y = np.array([10.0, 11, 12, 90, 95, 90]), np.zeros(50)
    entry = {"atoms_num": atoms, "x": np.arange(50.0), "y": y}
    if kind == "lists":
        return entry | {"atom_type": numbers.tolist(), "atom_frac_pos": frac.tolist(), "parameters": cell.tolist()}
    if kind == "symbols":
        symbols = ["Zn", *["C"] * (atoms - 1)]
        return entry | {"atom_type": symbols, "atom_frac_pos": list(frac), "parameters": cell[None]}
    if kind == "text array":
        symbols = np.array(["Zn", *["C"] * (atoms - 1)], dtype=object if atoms % 2 else "U2")
        return entry | {"atom_type": symbols, "atom_frac_pos": np.asfortranarray(frac), "parameters": list(cell)}
    return entry | {"atom_type": numbers.astype(float), "atom_frac_pos": frac.astype(">f4"), "parameters": cell}


def hmof(data: bytes, most: int = 400) -> Crystal:
    source = HmofLmdb("hmof400", (), "id", most, CITATION, LICENCE)
    return source.read(Record("test-1", gzip.compress(data)))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", ["lists", "symbols", "text array", "arrays"])
@pytest.mark.parametrize("atoms", [3, 4, 300])
def test_hmof_entries(protocol, kind, atoms):
    crystal = hmof(pickle.dumps(entry(kind, atoms), protocol=protocol))
    expected = np.random.default_rng(0).random((atoms, 3))
    assert crystal.name == "test-1"
    assert crystal.numbers.tolist() == [30] + [6] * (atoms - 1)
    assert crystal.frac_coords == pytest.approx(expected, abs=1e-6)
    assert np.linalg.norm(crystal.lattice, axis=1) == pytest.approx([10, 11, 12])


def test_pickles_of_older_numpy():
    data = pickle.dumps(entry("arrays"), protocol=4)
    assert b"numpy._core" in data
    old = data.replace(b"\x8c\x16numpy._core.multiarray", b"\x8c\x15numpy.core.multiarray")
    assert old != data
    frame = data.index(b"\x95") + 1
    size = int.from_bytes(data[frame : frame + 8], "little") - 1
    old = old[:frame] + size.to_bytes(8, "little") + old[frame + 8 :]
    assert hmof(old).formula == hmof(data).formula == "C2Zn"


class Call:
    """Pickles as the call of a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


HOSTILE = [
    Call(os.system, "touch /tmp/hostile"),
    Call(builtins.eval, "1"),
    Call(builtins.getattr, "x", "y"),
    Call(np.load, "x"),
    Call(np.memmap, "x"),
    Call(np.rec.fromrecords, [(1,)]),
    Call(subprocess.Popen, "true"),
    np.random.default_rng(0),
    np.float64,
    Path("x"),
    {1, 2},
    1 + 2j,
    np.datetime64("2020-01-01"),
    np.zeros(2, dtype=[("a", "f8")]),
    np.ma.masked_array([1.0]),
    Exception("x"),
]


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
@pytest.mark.parametrize("value", HOSTILE, ids=repr)
def test_hostile_pickles_are_refused(value, protocol):
    for data in (value, {"atom_type": value}, {"atom_type": [value]}):
        with pytest.raises(UserError, match="test-1: not a pickle of plain data"):
            hmof(pickle.dumps(data, protocol=protocol))


def handmade(*parts: bytes) -> bytes:
    return b"\x80\x04" + b"".join(parts) + b"."


def nested(depth: int) -> bytes:
    """A dict whose key is a tuple of a tuple of a tuple, as deep as wanted."""
    return b"}" + b")" + b"\x85" * depth + b"K\x01s"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a pickle of plain data"),
        (b"hello", "not a pickle of plain data"),
        (b"\x80\x04K\x01", "not a pickle of plain data"),
        (handmade(b"K\x01"), "a pickled dict is needed, got int"),
        (handmade(b"K\x01r\xff\xff\xff\x7f"), "a memo number is larger than the pickle"),
        (handmade(b"\x8e" + (2**62).to_bytes(8, "little")), "not a pickle of plain data"),
        (handmade(b"cos\nsystem\n"), "names os.system"),
        (handmade(b"(ios\nsystem\n"), r"instruction b'\('? ?.*not needed|instruction b'i' is not needed"),
        (handmade(b"\x82\x01"), r"instruction b'\\x82' is not needed"),
        (handmade(nested(100_000)), "more than 20,000 tuples"),
        (handmade(nested(1000)), "the entry lacks atom_type"),
        (handmade(b"cnumpy\ndtype\n}b"), "a function cannot be given a state"),
        (handmade(b"cnumpy\ndtype\nX\x02\x00\x00\x00V8\x85R"), "arrays of type 'V8' are no plain data"),
        (handmade(b"cnumpy\ndtype\nX\x02\x00\x00\x00f8\x85R}b"), "not a pickle of plain data"),
        (
            handmade(b"cnumpy.core.multiarray\n_reconstruct\n)Rcnumpy\ndtype\nX\x02\x00\x00\x00O8\x85R\x86b"),
            "not a pickle",
        ),
        (handmade(b"}]b"), "not a pickle of plain data"),
    ],
)
def test_handmade_pickles_are_refused(data, message):
    with pytest.raises(UserError, match=message):
        hmof(data)


def test_object_array_from_bytes_is_refused():
    head = b"cnumpy._core.multiarray\n_reconstruct\n)R"
    dtype = b"cnumpy\ndtype\nX\x01\x00\x00\x00O\x85R"
    state = b"(K\x01K\x01\x85" + dtype + b"\x89C\x08" + b"A" * 8 + b"t"
    with pytest.raises(UserError, match="an array of objects must be a list"):
        load_plain(handmade(head + state + b"b"))


@given(
    st.sampled_from(["arrays", "text array"]),
    st.integers(2, 5),
    st.lists(st.tuples(st.integers(0), st.binary(max_size=2))),
)
@settings(max_examples=200)
def test_damage_never_ends_in_anything_but_a_user_error(kind, protocol, changes):
    data = pickle.dumps(entry(kind, 4), protocol=protocol)
    for place, insert in changes:
        place %= len(data)
        data = data[:place] + insert + data[place + len(insert) :]
    with contextlib.suppress(UserError):
        assert len(hmof(data)) > 0


def test_text_that_is_no_text_is_refused():
    data = pickle.dumps(entry("text array", 4), protocol=4)
    assert b"Z\0\0\0n\0\0\0" in data
    with pytest.raises(UserError, match="bytes that are no text"):
        hmof(data.replace(b"Z\0\0\0n\0\0\0", b"\xff" * 8))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"atom_type": None}, "a list of at most 20,000 elements is needed, got NoneType"),
        ({"atom_type": ["Zn", "Xx", "C"]}, "atomic numbers must lie in"),
        ({"atom_type": [30, 6.5, 6]}, "atomic numbers must lie in"),
        ({"atom_type": [30, float("nan"), 6]}, "atomic numbers must lie in"),
        ({"atom_type": [30, {}, 6]}, "atomic numbers must lie in"),
        ({"atom_type": [10**30, 6, 6]}, "atomic numbers must lie in"),
        ({"atom_type": []}, "3 coordinates each"),
        ({"atom_type": [6] * 20_001}, "a list of at most 20,000 elements"),
        ({"atom_frac_pos": [[0, 0, 0]] * 2}, "3 atoms need 3 coordinates each"),
        ({"atom_frac_pos": [[0, 0, "x"]] * 3}, "atom_frac_pos must hold numbers only"),
        ({"atom_frac_pos": [[0, 0, 10**400]] * 3}, "a number beyond all bounds"),
        ({"atom_frac_pos": [[0, 0, 1e17]] * 3}, "atom_frac_pos must lie within 1000 cells"),
        ({"atom_frac_pos": [[0, 0, float("inf")]] * 3}, "fractional coordinates must be finite"),
        (
            {"atom_frac_pos": [[[0] * 50_000] * 50_000] * 20_000},
            "atom_frac_pos must hold numbers only|more than 60,000",
        ),
        ({"parameters": [1, 2, 3]}, "6 cell parameters, got 9, 3"),
        ({"parameters": [1, 2, 3, 0, 0, 0]}, "cell_angle_alpha must lie in 10 to 170, got 0"),
        ({"parameters": {"a": 1}}, "got dict"),
    ],
)
def test_senseless_entries_are_refused(change, message):
    with pytest.raises(UserError, match=message) as caught:
        hmof(pickle.dumps(entry() | change))
    assert str(caught.value).startswith("test-1: ")


def test_entries_beyond_the_limit_are_left_out_not_broken():
    with pytest.raises(TooManyAtomsError, match="test-1: 101 atoms; the database takes 100"):
        hmof(pickle.dumps(entry(atoms=101)), 100)


def test_gzip_bombs_and_broken_values():
    source = HmofLmdb("hmof400", (), "id", 400)
    for data, message in [
        (gzip.compress(bytes(2**25)), "holds more than 16,777,216 bytes"),
        (gzip.compress(bytes(100))[:-9], "cut off"),
        (b"hello", "not a gzip value"),
        (b"", "cut off"),
    ]:
        with pytest.raises(UserError, match=f"k: .*{message}"):
            source.read(Record("k", data))


def test_hmof_without_files_says_what_to_do(tmp_path):
    with pytest.raises(UserError, match=r"zenodo.org/records/13629658.*python -m indexer build hmof400 --source PATH"):
        open_source("hmof400")
    with pytest.raises(UserError, match="no file or folder at"):
        open_source("hmof100", tmp_path / "none")


def test_hmof_from_cifs_keeps_the_limit():
    source = open_source("hmof100", CIFS)
    records = {r.id: r for r in source.records()}
    assert len(source.read(records["DONNAW01_SL"])) == 76
    with pytest.raises(TooManyAtomsError, match="BIWSEG_ion_b: 483 atoms in the primitive cell; hmof100 takes 100"):
        source.read(records["BIWSEG_ion_b"])
    assert "Wilmer" in source.citation


def test_lmdb_needs_its_package(tmp_path, monkeypatch):
    (tmp_path / "test.lmdb").write_bytes(b"")
    monkeypatch.setattr("xtal.sources.hmof.find_spec", lambda _: None)
    with pytest.raises(
        UserError, match=r"test\.lmdb is an LMDB file, which needs the lmdb package; run: pip install lmdb"
    ):
        open_source("hmof400", tmp_path)


def test_lmdb_files(tmp_path):
    lmdb = pytest.importorskip("lmdb")
    for part, subdir in (("test.lmdb", False), ("train.lmdb", True)):
        with (
            lmdb.open(str(tmp_path / part), subdir=subdir, map_size=2**20) as environment,
            environment.begin(write=True) as t,
        ):
            t.put(b"1", gzip.compress(pickle.dumps(entry("lists"))))
            t.put(b"\xff", b"broken")
    source = pickle.loads(pickle.dumps(open_source("hmof400", tmp_path)))  # noqa: S301
    records = list(source.records())
    assert [r.id for r in records] == ["test-1", "test-ff", "train-1", "train-ff"]
    assert source.read(records[0]).formula == "C2Zn"
    with pytest.raises(UserError, match="test-ff: not a gzip value"):
        source.read(records[1])
    assert [r.id for r in open_source("hmof400", tmp_path / "test.lmdb").records()] == ["test-1", "test-ff"]
    (tmp_path / "test.lmdb").write_bytes(b"no database" * 1000)
    with pytest.raises(UserError, match=r"test\.lmdb is not a readable LMDB file"):
        list(open_source("hmof400", tmp_path).records())


def test_the_walker_knows_every_instruction_that_plain_data_needs():
    rich = entry("lists") | {
        "deep": [{"a": (1, 2, 3, 4), "b": b"x" * 300, "c": "y" * 300, "d": True, "e": None, "f": -5}]
    }
    for protocol in (2, 3, 4, 5):
        data = pickle.dumps(rich, protocol=protocol)
        assert {op.name for op, *_ in pickletools.genops(data)} > {"PROTO", "BINFLOAT", "STOP"}
        if protocol > 2:  # protocol 2 has no bytes
            assert load_plain(data)["deep"] == rich["deep"]
