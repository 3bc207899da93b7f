"""Builds that are killed, that meet a full disk, that run beside others and beside readers."""

import contextlib
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from indexer_helpers import CIFS, scripted_plan

import indexer.build
from indexer.build import build
from indexer.storage import open_index
from indexer.storage.store import verify
from xtal.errors import UserError

ENTRIES, SHARD = 240, 40
WAIT = 600  # seconds, on a machine that does much else
LARGEST = (20_000, 1_000, 60_000)  # bytes that a file may have on the full disk
SCRIPT = """
import sys
from pathlib import Path
from indexer.build import build
import indexer.build
from test_build_kills import SHARD, salts_plan
if __name__ == "__main__":
    if len(sys.argv) > 2:
        import resource
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))  # like a full disk
    indexer.build.SHARD = SHARD
    build(salts_plan(Path(sys.argv[1])), workers=1)
"""


def salts_plan(home: Path):
    return scripted_plan(home, *((f"{CIFS[n % 5][0]}-{n}", CIFS[n % 5][1]) for n in range(ENTRIES)))


@pytest.fixture
def start(tmp_path):
    """Start a build in a process of its own, in a home, with at most so many bytes in a file."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    folders = Path(__file__).parent, Path(__file__).parents[1] / "helpers", Path(indexer.build.__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}

    def begin(home: Path, *most: int) -> subprocess.Popen:
        command = [sys.executable, str(script), str(home), *map(str, most)]
        return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)

    return begin


@pytest.fixture
def whole(tmp_path, monkeypatch):
    """The files of a build that nothing disturbed."""
    monkeypatch.setattr("indexer.build.SHARD", SHARD)
    return build(salts_plan(tmp_path / "undisturbed"), workers=1).files


def test_killed_builds_end_as_if_nothing_had_been(tried, tmp_path, start, whole):
    kills = tried("kill -9 of a build at a random moment: the index is identical in the end", 3, 100)
    chance, killed, number, took = random.Random(0), 0, 0, 6.0  # noqa: S311
    while killed < kills:
        home, number = tmp_path / f"home-{number}", number + 1
        for _ in range(chance.randint(1, 5)):
            process = start(home)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=chance.uniform(0, took))
            killed += process.poll() is None
            process.kill()
            process.communicate()
        begun, process = time.monotonic(), start(home)
        _, said = process.communicate()
        assert process.returncode == 0, said
        took = 0.5 * (took + time.monotonic() - begun)
        assert open_index("mine", home).manifest.files == whole
        assert not verify("mine", home).problems


def test_a_full_disk_ends_a_build_and_leaves_nothing_half_done(tried, tmp_path, start, whole):
    """In the midst of a shard, of the first file of the index, and of a later one."""
    for most in LARGEST[: tried("builds on a full disk: end, leave nothing, go on later, identical", 1, len(LARGEST))]:
        home = tmp_path / str(most)
        process = start(home, most)
        _, said = process.communicate(timeout=WAIT)
        assert process.returncode != 0
        assert "File too large" in said
        with pytest.raises(UserError, match="index 'mine' not found"):
            open_index("mine", home)
        assert build(salts_plan(home), workers=1).files == whole


def test_of_two_builds_at_once_one_is_refused(tried, tmp_path, start, whole):
    for number in range(tried("two builds of one index at once: one is refused, the other whole", 1, 20)):
        home = tmp_path / str(number)
        both = [start(home), start(home)]
        said = [process.communicate(timeout=WAIT)[1] for process in both]
        assert sorted(process.returncode for process in both) == [0, 1]
        assert "is being built or removed by another process" in "".join(said)
        assert open_index("mine", home).manifest.files == whole


def test_opens_and_queries_go_on_while_builds_are_published(tried, tmp_path, whole):
    wanted = tried("opens and queries beside publications: none fails", 30, 500)
    code = (
        "import sys, time; from pathlib import Path; from indexer.storage import open_index\n"
        "for number in range(int(sys.argv[2])):\n"
        "    index = open_index('mine', Path(sys.argv[1]))\n"
        "    row = number % len(index)\n"
        "    scores, rows = index.vectors.search(index.vectors.reconstruct(row)[None], 10)\n"
        "    assert abs(scores[0, 0] - 1) < 1e-5 and len(index.lines[row]) and index.crystal(row).volume > 0\n"
    )
    build(salts_plan(tmp_path), workers=1)
    reader = subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(wanted)], stderr=subprocess.PIPE)
    published = 0
    while reader.poll() is None or published < 2:
        assert build(salts_plan(tmp_path), workers=1).files == whole
        published += 1
    assert (reader.returncode, reader.stderr.read()) == (0, b"")
