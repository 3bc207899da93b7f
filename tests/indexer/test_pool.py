import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from indexer.pool import CrashProofPool, ItemTimeoutError, time_limit


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
    chunks = [[0, 1], [2, -1, 3], [4], [-2], [5, 6]] + [[n] for n in range(7, 30)]
    with CrashProofPool(2, work, give_up) as pool:
        results = list(pool.map(chunks))
    expected = [[0, 2], [4, "-1 crashed", 6], [8], ["-2 crashed"], [10, 12]] + [[2 * n] for n in range(7, 30)]
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
    with pytest.raises(ItemTimeoutError, match=r"longer than 0\.05 s"), time_limit(0.05):
        time.sleep(10)
    time.sleep(0.1)  # a timer left running would end the test here


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
