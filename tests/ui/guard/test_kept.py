"""The folder of uploads: of one server, and gone with it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import ui
from ui.guard.kept import LOCK, PREFIX

SERVER = """
import sys
from ui.guard.kept import own_folder
folder = own_folder()
(folder / "pattern.xy").write_text("1 2")
print(folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def start(tmp_path):
    """Start a process with a folder of uploads; gives the process and the folder."""
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(ui.__file__).parents[1])}
    started = []

    def begin():
        command = [sys.executable, "-c", SERVER]
        process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        started.append(process)
        return process, Path(process.stdout.readline().strip())

    yield begin
    for process in started:
        process.communicate()


def test_what_a_killed_server_left_goes_with_the_next_start(start, tmp_path):
    killed, left = start()
    _running, used = start()
    assert left != used
    assert (used.stat().st_mode & 0o077) == 0
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    (tmp_path / f"{PREFIX}of-a-stranger").mkdir()
    (tmp_path / f"{PREFIX}link").symlink_to(used)
    assert (left / "pattern.xy").exists()
    third, own = start()
    assert not left.exists()
    assert (used / "pattern.xy").exists()
    assert (used / LOCK).exists()
    third.communicate()
    assert not own.exists()
