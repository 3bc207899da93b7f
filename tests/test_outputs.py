"""What a command cannot write is said before its work, not after it."""

import pytest
from typer.testing import CliRunner

import generate.__main__
import models.__main__
import search.__main__
from xtal.console import errors_reported

GENERATE, MODELS, SEARCH = (module.__main__.app for module in (generate, models, search))
FILES = (
    (SEARCH, "calibrate NAME --out"),
    (SEARCH, "export"),
    (SEARCH, "refine a.xy --cif"),
    (SEARCH, "refine a.xy --csv"),
    (SEARCH, "simulate ID"),
    (GENERATE, "benchmark --source lab --record"),
    (GENERATE, "calibrate a.npz --out"),
    (GENERATE, "knowledge learn --source lab --out"),
    (GENERATE, "parts build --source lab --out"),
    (GENERATE, "parts series --out"),
)
FOLDERS = (
    (SEARCH, "solve a.xy --out"),
    (SEARCH, "figures NAME --out"),
    (GENERATE, "run a.xy --out"),
    (MODELS, "train cpcp --source lab --out"),
    (MODELS, "train ccsg --source lab --out"),
)


def told(app, command, path):
    done = CliRunner().invoke(app, [*command.split(), str(path)], env={"COLUMNS": "1000"})
    assert done.exit_code == 2, done.output
    return done.stderr


@pytest.mark.parametrize(("app", "command"), FILES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_file_needs_a_folder_that_is_there(app, command, tmp_path):
    assert f"there is no folder {tmp_path / 'no'} for x.json; make it first" in told(
        app, command, tmp_path / "no/x.json"
    )
    assert f"{tmp_path} is a folder; give the name of a file" in told(app, command, tmp_path)


@pytest.mark.parametrize(("app", "command"), FOLDERS, ids=lambda value: value if isinstance(value, str) else "")
def test_a_folder_is_not_made_below_a_file(app, command, tmp_path):
    (tmp_path / "file").write_text("")
    assert f"{tmp_path / 'file'} is a file; give a folder" in told(app, command, tmp_path / "file" / "below")


@pytest.mark.parametrize("command", ["benchmark lab --measured", "benchmark-refinement"])
def test_a_folder_of_patterns_that_is_not_there_is_named(command, tmp_path, monkeypatch):
    monkeypatch.setattr("search.__main__.opened", lambda _: None)
    monkeypatch.setattr("search.benchmark.restricted", lambda *_: None)
    assert f"there is no folder {tmp_path / 'no'} of measured patterns" in told(SEARCH, command, tmp_path / "no")


def test_what_the_system_refuses_is_said_in_words(capsys, tmp_path):
    with pytest.raises(generate.__main__.typer.Exit), errors_reported():
        (tmp_path / "no").read_bytes()
    assert capsys.readouterr().err == f"error: cannot use {tmp_path / 'no'}: No such file or directory\n"
