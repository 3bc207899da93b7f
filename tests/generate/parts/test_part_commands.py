import json

import pytest
from library_helpers import frameworks
from typer.testing import CliRunner

from generate.__main__ import app
from generate.parts import Library
from xtal.crystals import CrystalTable


@pytest.fixture
def source(tmp_path) -> str:
    CrystalTable.from_crystals(list(frameworks())[:4]).save(tmp_path / "few.npz")
    return f"packed:{tmp_path / 'few.npz'}"


def test_a_library_is_built_and_summed_up(source, tmp_path):
    out = tmp_path / "parts.npz"
    call = ["parts", "build", "--source", source, "--out", str(out), "--workers", "1", "--json"]
    done = CliRunner().invoke(app, call)
    assert done.exit_code == 0, done.stderr
    library = Library.load(out)
    said = json.loads(done.stdout)
    assert said["crystals"] == len(library) == 4
    assert sum(said["kinds"].values()) == len(library.kinds)
    assert "few" in library.about


def test_an_unknown_split_is_refused(source, tmp_path):
    call = ["parts", "build", "--source", source, "--out", str(tmp_path / "x.npz"), "--split", "all"]
    done = CliRunner().invoke(app, call)
    assert done.exit_code != 0
    assert "unknown split 'all'; known are train, val and test" in done.stderr
