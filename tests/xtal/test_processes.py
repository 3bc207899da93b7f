import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from xtal.processes import end_with_parent, settle

PATIENCE = 30  # seconds
PARENT = """
import multiprocessing, time
from test_processes import work
if __name__ == "__main__":
    multiprocessing.get_context("spawn").Process(target=work, args=({prepare!r},)).start()
    time.sleep(600)
"""


def work(prepare: str) -> None:
    """Live for ever, but not longer than the parent."""
    {"settle": settle, "end_with_parent": end_with_parent}[prepare]()
    sys.stdout.write(f"{os.getpid()}\n")
    sys.stdout.flush()
    time.sleep(600)


@pytest.mark.parametrize("prepare", ["settle", "end_with_parent"])
def test_a_worker_ends_with_a_parent_that_was_killed(prepare, tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(prepare=prepare))
    paths = os.pathsep.join([str(Path.cwd()), str(Path(__file__).parent)])
    environment = {**os.environ, "PYTHONPATH": paths}
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, env=environment) as parent:
        worker = psutil.Process(int(parent.stdout.readline()))
        assert worker.ppid() == parent.pid
        parent.send_signal(signal.SIGKILL)
    assert psutil.wait_procs([worker], PATIENCE)[1] == []


def test_a_process_that_nobody_started_stays(monkeypatch):
    monkeypatch.setattr(multiprocessing, "parent_process", lambda: None)
    end_with_parent()
