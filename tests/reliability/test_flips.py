"""One bit turned over in any file that is kept: it is found before it could change an answer."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from indexer_helpers import publish_salts

from indexer.storage import open_index
from indexer.storage.contents import DATA_FILES
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
