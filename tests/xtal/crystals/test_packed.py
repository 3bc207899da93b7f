"""Many crystals in one block and one file."""

import io
from pathlib import Path

import numpy as np
import pytest

from xtal.crystals import Crystal, CrystalTable, read_cif
from xtal.crystals.packed import from_bytes
from xtal.errors import UserError

CIFS = Path(__file__).parents[2] / "data" / "cifs"


@pytest.fixture(scope="module")
def crystals() -> list[Crystal]:
    return [read_cif(f.read_text(), f.stem) for f in sorted(CIFS.glob("*.cif"))]


def assert_same(one: Crystal, other: Crystal, tolerance: float) -> None:
    assert one.name == other.name
    assert (one.lattice == other.lattice).all()
    assert (one.numbers == other.numbers).all()
    assert one.occupancies == pytest.approx(other.occupancies, abs=1e-6)
    assert np.abs((one.frac_coords - other.frac_coords + 0.5) % 1 - 0.5).max() <= tolerance


@pytest.mark.parametrize(("coordinates", "tolerance"), [(np.float32, 6e-8), (np.uint16, 0.5 / 65536)])
def test_round_trip_through_a_file(crystals, tmp_path, coordinates, tolerance):
    table = CrystalTable.from_crystals(crystals, coordinates)
    assert table.occupancies is not None  # olivine is disordered
    path = tmp_path / "structures.npz.part"
    table.save(path)
    loaded = CrystalTable.load(path)
    assert path.exists()  # under the very name that was asked for
    assert len(loaded) == len(crystals)
    assert loaded.frac.dtype == coordinates
    for row, crystal in enumerate(crystals):
        assert_same(loaded[row], crystal, tolerance)
        assert_same(from_bytes(loaded.payload(row), crystal.name), crystal, tolerance)


def test_open_stream_no_crystals_and_full_occupancies(crystals):
    for chosen in ([], [c for c in crystals if c.name != "olivine"]):
        stream = io.BytesIO()
        CrystalTable.from_crystals(chosen).save(stream)
        stream.seek(0)
        with np.load(stream, allow_pickle=False) as arrays:
            assert sorted(arrays) == ["frac", "lattice", "n_atoms", "name", "numbers"]
            assert arrays["frac"].shape == (sum(map(len, chosen)), 3)


def test_coordinate_just_below_one_wraps():
    table = CrystalTable.from_crystals([Crystal(np.eye(3) * 5, [[0.9999999999, 0, 0]], [6])], np.uint16)
    assert table[0].frac_coords[0, 0] == 0


def good() -> dict[str, np.ndarray]:
    return {
        "name": np.array(["a", "b"]),
        "lattice": np.eye(3, dtype=np.float32)[None].repeat(2, 0) * 5,
        "n_atoms": np.array([1, 2], np.int32),
        "numbers": np.array([6, 7, 8], np.uint8),
        "frac": np.zeros((3, 3), np.uint16),
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"frac": None}, "it lacks frac; needed are name, lattice"),
        ({"frac": np.zeros((4, 3), np.uint16)}, "do not fit together"),
        ({"frac": np.zeros((3, 3), np.int64)}, "frac float32 or uint16, got .*int64"),
        ({"n_atoms": np.array([1, 1])}, "at least one atom each and 3 in all"),
        ({"n_atoms": np.array([0, 3])}, "at least one atom each"),
        ({"n_atoms": np.array([-1, 4])}, "at least one atom each"),
        ({"n_atoms": np.array(["x", "y"])}, "not a packed file"),
        ({"name": np.array(["a"])}, "do not fit together"),
        ({"name": np.array([1, 2])}, "names must be text"),
        ({"lattice": np.array(3.0)}, "do not fit together"),
        ({"occupancies": np.ones(5)}, "occupancies must be 3 numbers"),
        ({"name": np.array([{}, "b"], dtype=object)}, "not a packed file of crystals .*pickle"),
    ],
)
def test_bad_files_are_refused(tmp_path, change, message):
    arrays = {k: v for k, v in (good() | change).items() if v is not None}
    path = tmp_path / "bad.npz"
    np.savez(path, **arrays)
    with pytest.raises(UserError, match=message) as caught:
        CrystalTable.load(path)
    assert str(path) in str(caught.value)


def test_no_file_and_no_npz(tmp_path):
    with pytest.raises(UserError, match="no packed file at"):
        CrystalTable.load(tmp_path / "none.npz")
    for content in (b"", b"PK\x03\x04 broken", b"hello", np.arange(3).tobytes()):
        (tmp_path / "x.npz").write_bytes(content)
        with pytest.raises(UserError, match="is not a packed file of crystals"):
            CrystalTable.load(tmp_path / "x.npz")
    np.save(tmp_path / "x.npy", np.arange(3))
    with pytest.raises(UserError, match="is not a packed file of crystals"):
        CrystalTable.load(tmp_path / "x.npy")


def test_broken_rows_are_refused_when_they_are_read():
    with pytest.raises(UserError, match="row1: 100 bytes are no packed crystal"):
        from_bytes(b"\0" * 100, "row1")
    with pytest.raises(UserError, match="lattice must be three independent vectors"):
        from_bytes(b"\0" * 105, "row1")
