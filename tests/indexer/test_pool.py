import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from indexer import pool as pool_module
from indexer.pool import CrashProofPool, MachineError
from indexer.time_limit import ItemTimeoutError, StalledError, time_limit


def work(item):
    """Double a number; -1 crashes as a segmentation fault does, -2 as the kernel's memory killer does."""
    if item == -1:
        os.abort()
    if item == -2:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * item


def give_up(item):
    return f"{item} crashed"


def threads(_item):
    return os.environ["OMP_NUM_THREADS"], os.environ["OPENBLAS_NUM_THREADS"]


def test_results_come_in_order_and_crashes_are_named():
    chunks = [[0, 1], [2, -1, 3], [4], [-1], [5, 6]] + [[n] for n in range(7, 30)]
    with CrashProofPool(2, work, give_up) as pool:
        results = list(pool.map(chunks))
    expected = [[0, 2], [4, "-1 crashed", 6], [8], ["-1 crashed"], [10, 12]] + [[2 * n] for n in range(7, 30)]
    assert results == expected


def test_chunks_are_read_only_a_little_ahead():
    read = []

    def chunks():
        for number in range(50):
            read.append(number)
            yield [number]

    with CrashProofPool(1, work, give_up) as pool:
        next(pool.map(chunks()))
    assert len(read) < 10


def test_workers_compute_with_one_thread_and_the_parent_keeps_its_setting(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    with CrashProofPool(1, threads, give_up) as pool:
        assert list(pool.map([[0]])) == [[("1", "1")]]
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "OPENBLAS_NUM_THREADS" not in os.environ


def test_a_time_limit_ends_a_long_wait_and_is_lifted_after():
    with pytest.raises(StalledError, match=r"longer than 0\.5 s, mostly waiting"), time_limit(0.05):
        time.sleep(10)
    time.sleep(0.1)  # a timer left running would end the test here


def test_time_that_others_had_does_not_count():
    """On a loaded machine an item waits for its turn again and again."""
    with time_limit(0.05):
        for _ in range(10):
            time.sleep(0.02)
    with ThreadPoolExecutor(1) as thread:
        assert thread.submit(_wait_in_turns).result() == "done"


def _wait_in_turns():
    with time_limit(0.05):
        for _ in range(10):
            time.sleep(0.02)
    return "done"


def short_of_memory(item):
    """Fail the first `item` times, as a machine does until somebody frees memory."""
    folder, fails = item
    tries = len(list(folder.iterdir()))
    (folder / str(tries)).touch()
    return "out of memory" if tries < fails else "done"


def told(result):
    return "no memory for it" if result == "out of memory" else ""


def test_passing_trouble_is_waited_out_and_lasting_trouble_ends_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr(pool_module, "PAUSES", (0.0, 0.0, 0.0))
    items = [(tmp_path / str(fails), fails) for fails in range(5)]
    for folder, _ in items:
        folder.mkdir()
    with CrashProofPool(1, short_of_memory, give_up, told) as pool:
        assert list(pool.map([items[:2], items[2:4]])) == [["done"] * 2] * 2
        with pytest.raises(MachineError, match=r"no memory for it, 4 times; free some memory, .* goes on where it"):
            list(pool.map([items[4:]]))


def test_a_process_that_the_system_ends_is_not_the_fault_of_its_item():
    with (
        CrashProofPool(1, work, give_up) as pool,
        pytest.raises(MachineError, match="had -2 in hand and nothing else beside it, for its memory"),
    ):
        list(pool.map([[-2]]))


STARTS_NONE = """
from indexer.pool import CrashProofPool, MachineError

try:
    with CrashProofPool(2, abs, abs) as pool:
        list(pool.map([[n] for n in range(1000)]))
except MachineError as error:
    print(error)
"""


def test_without_a_single_worker_the_work_ends_at_once(tmp_path):
    """A script that starts itself again in every worker, for it does not say where it begins."""
    script = tmp_path / "unguarded.py"
    script.write_text(STARTS_NONE)
    environment = {**os.environ, "PYTHONPATH": str(Path(pool_module.__file__).parents[1])}
    done = subprocess.run([sys.executable, script], env=environment, capture_output=True, text=True, timeout=60)
    assert "no worker process can start: what it wrote above says why. A script that" in done.stdout
    assert done.stderr.count("Traceback") < 10


def compute(seconds):
    """Compute for a while under a limit of 0.05 s, then for a while without."""
    try:
        with time_limit(0.05):
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                pass
    except ItemTimeoutError as error:
        return str(error)
    end = time.monotonic() + 0.1  # a limit left running would end the test here
    while time.monotonic() < end:
        pass
    return "done"


def test_a_time_limit_works_in_a_thread_and_is_lifted_after():
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(compute, [10, 0, 10, 0])) == ["took longer than 0.05 s", "done"] * 2


def test_a_time_limit_that_ends_with_the_work_hits_nothing_else():
    with ThreadPoolExecutor(1) as thread:
        outcomes = thread.submit(lambda: [compute(0.05) for _ in range(8)]).result()
    assert set(outcomes) <= {"took longer than 0.05 s", "done"}
