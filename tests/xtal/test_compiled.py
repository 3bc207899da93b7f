"""Compiled code of a function is not used when a function of another file, compiled into it, has changed."""

import os
import subprocess
import sys

HEAD = "from numba import njit\n{}\n\n@njit(cache=True)\ndef {}():\n    return {}\n"
INSIDE = "from pathlib import Path\nfrom xtal.compiled import forget_older\nfrom room.outer import outer\n"
ASKED = "from room import outer; print(outer(), sum(outer.stats.cache_hits.values()))"


def test_a_change_in_another_file_is_seen(tmp_path):
    folder = tmp_path / "room"
    folder.mkdir()
    (folder / "__init__.py").write_text(INSIDE + "forget_older(Path(__file__).parent)\n")
    (folder / "inner.py").write_text(HEAD.format("", "inner", 1))
    (folder / "outer.py").write_text(HEAD.format("from room.inner import inner", "outer", "inner() + 1"))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    environment.pop("NUMBA_CACHE_DIR", None)

    def told() -> list[str]:
        """What another process is told, and how often it took what was kept."""
        words = [sys.executable, "-c", ASKED]
        return subprocess.run(words, env=environment, capture_output=True, text=True, check=True).stdout.split()

    assert [told(), told()] == [["2", "0"], ["2", "1"]]
    (folder / "inner.py").write_text(HEAD.format("", "inner", 5))
    assert [told(), told()] == [["6", "0"], ["6", "1"]]
