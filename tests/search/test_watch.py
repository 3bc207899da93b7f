"""``watch``: scans answered as they arrive."""

import contextlib
import json

import pytest
from search_helpers import INDEX
from typer.testing import CliRunner

import models
from indexer.build import build
from indexer.plan import open_plan
from search.__main__ import app
from search.commands.watch import arrivals
from xtal.patterns import write_xye


class Days:
    """A folder in which something happens at each pause."""

    def __init__(self, *happenings):
        self._left = list(happenings)

    def sleep(self, _seconds):
        if not self._left:
            raise KeyboardInterrupt
        self._left.pop(0)()


def seen(folder, *happenings, ours=None):
    days, found = Days(*happenings), []
    with contextlib.suppress(KeyboardInterrupt):
        found.extend([file.name for file in files] for files in arrivals(folder, 1.0, 0.0, ours, days.sleep))
    return found


def nothing():
    """Let time pass."""


def test_scans_that_are_there_come_by_number_and_others_when_they_arrive(tmp_path):
    for name in ("s10.xy", "s2.xy", ".hidden.xy", "notes.md"):
        (tmp_path / name).write_text("1 2")
    late = tmp_path / "s3.xy"
    found = seen(tmp_path, nothing, lambda: late.write_text("1 2"), nothing, nothing)
    assert found == [["s2.xy", "s10.xy"], ["s3.xy"]]


def test_a_file_that_grows_is_left_until_it_is_whole_and_a_changed_one_comes_again(tmp_path):
    file = tmp_path / "s.xy"
    file.write_text("1")
    assert seen(tmp_path, lambda: file.write_text("12"), lambda: file.write_text("123"), nothing, nothing) == [["s.xy"]]
    assert seen(tmp_path, nothing, lambda: file.write_text("1234"), nothing, nothing) == [["s.xy"], ["s.xy"]]


def test_what_it_writes_itself_is_no_scan(tmp_path):
    (tmp_path / "series.csv").write_text("1 2")
    assert seen(tmp_path, nothing, nothing, ours=tmp_path / "series.csv") == []


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a small index that the shipped fingerprints made, which the shipped calibration judges."""
    folder = tmp_path_factory.mktemp("watch-home")
    build(open_plan([INDEX], models.load(), limit=30, home=folder), workers=1)
    return folder


def test_a_folder_is_answered_and_its_series_drawn(place, patterns, tmp_path):
    for number in range(2):
        write_xye(patterns[number], tmp_path / f"scan{number}.xye", "simulated")
    (tmp_path / "bad.xy").write_text("no pattern\n")
    options = ["--index", INDEX, "--every", "0.05", "--idle", "1", "--json", "--series", str(tmp_path / "series.csv")]
    done = CliRunner().invoke(app, ["watch", str(tmp_path), *options], env={"XTALSCOUT_HOME": str(place)})
    assert done.exit_code == 0, done.output
    bad, first, second = map(json.loads, done.stdout.splitlines())
    assert bad["error"]["reason"] == "no_pattern"
    assert [first["file"], second["file"]] == [str(tmp_path / f"scan{number}.xye") for number in range(2)]
    assert "2 scans answered, 1 could not be used" in done.stderr
    assert {row.split(",")[0] for row in (tmp_path / "series.csv").read_text().splitlines()} == {"scan", "1", "2"}


def test_no_folder_is_told(home, tmp_path):
    done = CliRunner().invoke(app, ["watch", str(tmp_path / "nowhere")], env={"XTALSCOUT_HOME": str(home)})
    assert done.exit_code == 2
    assert "there is no folder" in done.stderr
