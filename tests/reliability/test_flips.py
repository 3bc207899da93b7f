"""One bit turned over in any file that is kept: it is found before it could change an answer."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from indexer_helpers import publish_salts

from indexer.storage import Index, mapped, open_index, seal
from indexer.storage.contents import DATA_FILES, LINES, STRUCTURES, VECTORS
from indexer.storage.folders import DamagedIndexError
from indexer.storage.seal import COLUMNS, SEAL
from xtal import shipped
from xtal.errors import UserError


def flipped(content: bytes, rng: np.random.Generator) -> bytes:
    data = bytearray(content)
    data[rng.integers(len(data))] ^= 1 << int(rng.integers(8))
    return bytes(data)


@pytest.mark.parametrize("name", [*DATA_FILES, "manifest.json", "../current"])
def test_files_of_an_index(tried, tmp_path, name):
    folder = tmp_path / "indexes" / "salts" / publish_salts(tmp_path).build_id
    path, rng = folder / name, np.random.default_rng(0)
    content = path.read_bytes()
    for _ in range(tried(f"bits turned over in {Path(name).name} of an index: refused", 20, 200)):
        path.write_bytes(flipped(content, rng))
        with pytest.raises(UserError):
            open_index("salts", tmp_path)
    path.write_bytes(content)
    assert len(open_index("salts", tmp_path)) == 5


@pytest.mark.parametrize("name", [VECTORS, LINES, STRUCTURES, COLUMNS])
def test_files_that_rot_unseen_while_an_index_is_open(tried, tmp_path, monkeypatch, name):
    """Nothing tells of it but the sums of the blocks: whatever is read is right, or refused."""
    for module in (mapped, seal):
        monkeypatch.setattr(module, "BLOCK", 512)
    path, rng = tmp_path / "indexes" / "salts" / publish_salts(tmp_path).build_id / name, np.random.default_rng(0)
    content, state = path.read_bytes(), path.stat()
    sealed, right = (path.parent / SEAL).read_bytes(), everything(open_index("salts", tmp_path))
    refused = 0
    for _ in range(tried(f"bits turned over unseen in {name} of an open index: refused or unread", 20, 200)):
        index = open_index("salts", tmp_path)
        with path.open("r+b") as file:
            file.write(flipped(content, rng))
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        try:
            assert everything(index) == right
        except DamagedIndexError:
            refused += 1
        with path.open("r+b") as file:
            file.write(content)
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        (path.parent / SEAL).write_bytes(sealed)
    assert refused


def everything(index: Index) -> list[bytes]:
    """All that is read of an index, as bytes."""
    rows = np.arange(len(index))
    tables = index.entries.take(rows), index.lines.take(rows), index.contents.crystals.take(rows)
    found = [np.asarray(array).astype(array.dtype.str.replace("O", "U")) for one in tables for array in columns(one)]
    return [array.tobytes() for array in (*found, *index.vectors.search(index.vectors.reconstruct_n(0, 5), 5))]


def columns(table) -> list[np.ndarray]:
    return [array for array in vars(table).values() if isinstance(array, np.ndarray)]


@pytest.mark.parametrize("path", shipped.shipped_files(), ids=lambda path: f"{path.parent.name}-{path.name}")
def test_files_of_the_package(tried, tmp_path, monkeypatch, path):
    copy, rng = tmp_path / path.relative_to(shipped.ROOT), np.random.default_rng(0)
    copy.parent.mkdir(parents=True)
    shutil.copy(path, copy)
    monkeypatch.setattr(shipped, "ROOT", tmp_path)
    content = bytearray(copy.read_bytes())
    for _ in range(tried(f"bits turned over in {path.parent.name}/{path.name}: refused", 2, 200)):
        at, bit = int(rng.integers(len(content))), 1 << int(rng.integers(8))
        with copy.open("r+b") as file:
            file.seek(at)
            file.write(bytes([content[at] ^ bit]))
        with pytest.raises(shipped.DamagedFileError):
            shipped.whole(copy)
        with copy.open("r+b") as file:
            file.seek(at)
            file.write(bytes([content[at]]))
    assert shipped.whole(copy) == copy
