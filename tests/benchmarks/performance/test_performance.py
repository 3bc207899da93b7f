"""The page of what things cost is written, and the checks of a GPU say when there is none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[2]


def checked(path: str) -> subprocess.CompletedProcess[str]:
    """Run the checks of a GPU with nothing but `path` on the search path."""
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(FOLDER / "gpu.py")]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def test_without_a_gpu_nothing_is_claimed(tmp_path):
    done = checked(str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("No GPU on this machine")


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="there is a GPU: the checks would be made")
def test_a_gpu_that_no_library_can_use_fails_each_check(tmp_path):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 'Some GPU, 24576 MiB, 1.0'\n")
    tool.chmod(0o755)
    done = checked(f"{tmp_path}:/usr/bin:/bin")
    assert done.returncode == 1, done.stderr
    assert "Some GPU" in done.stdout
    assert done.stdout.count("FAILED") == 6
    assert "install the extra gpu" in done.stdout
    assert "0 of 6 checks passed" in done.stdout


@pytest.mark.parametrize("room", ["simulation", "neighbours"])
def test_a_section_is_written(engine, monkeypatch, room):
    monkeypatch.syspath_prepend(FOLDER)
    report, section = __import__("report"), __import__(room)
    sizes = report.Sizes(simulated=2, queries=2, batch=2, most=10_000, crystals=1)
    text = "\n".join(section.tables(SimpleNamespace(engine=engine), sizes))
    assert text.startswith("## ")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in rows}) <= 2, "rows of a table have as many cells as its head"
    assert "nan" not in text


def test_the_parts_of_a_query_add_up(engine, monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    warm = __import__("warm")
    searcher = engine, SimpleNamespace(verdict=str), None  # what a verdict takes is not told apart
    patterns = warm.drawn(SimpleNamespace(engine=engine), 2, warm.LABORATORY_SCAN)
    times = warm.taken_apart(searcher, patterns, further=False)
    assert {len(values) for values in times.values()} == {len(patterns)}
    for number in range(len(patterns)):
        parts = sum(times[part][number] for part in warm.PARTS[:6])
        assert times["search"][number] == pytest.approx(parts)
        assert min(times[part][number] for part in ("lines", "embedding", "fit")) > 0
