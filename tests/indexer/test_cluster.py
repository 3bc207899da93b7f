import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import dask
import numpy as np
import pytest
from distributed import Client, LocalCluster
from indexer_helpers import BinEmbedder, ScriptedSource
from typer.testing import CliRunner

from indexer import pool
from indexer.__main__ import app
from indexer.build import build
from indexer.cluster import ClusterLostError, ClusterPool
from indexer.plan import open_plan
from indexer.proof import OtherCodeError
from indexer.storage import store
from indexer.time_limit import ItemTimeoutError, time_limit
from xtal.errors import UserError


def work(item):
    """Double a number; -1 crashes as a segmentation fault does, -2 as the kernel's memory killer does, -3 late."""
    if item == -3:
        time.sleep(1)
    if item in (-1, -3):
        os.abort()
    if item == -2:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * item


def give_up(item):
    return f"{item} crashed"


def compute_for_ever(_item):
    """Compute until the time limit, as a record does that leads into an endless loop."""
    try:
        with time_limit(0.1):
            while True:
                sum(range(1000))
    except ItemTimeoutError as error:
        return str(error)


def start(workers):
    return LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, dashboard_address="127.0.0.1:0")


@pytest.fixture(scope="module")
def address():
    """A cluster of two worker processes that gives a task up with the first worker it costs: quick to test."""
    with dask.config.set({"distributed.scheduler.allowed-failures": 0}):
        running = start(2)
    with running:
        yield running.scheduler_address


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr("indexer.cluster.PATIENCE", 0.5)


def test_a_cluster_builds_what_this_machine_builds(address, tmp_path):
    plans = [
        open_plan(["coremof2019-asr"], BinEmbedder(), limit=20, home=tmp_path / home) for home in ("here", "there")
    ]
    manifests = [build(plans[0], workers=1), build(plans[1], scheduler=address)]
    assert manifests[0].counts.entries == manifests[1].counts.entries == 20
    assert manifests[0].files == manifests[1].files  # names, sizes and SHA-256
    here, there = (store.open_index(plan.name, plan.home) for plan in plans)
    assert here.entries.ids.tolist() == there.entries.ids.tolist()
    np.testing.assert_array_equal(*(index.lines.take(np.arange(20)).q for index in (here, there)))


def test_the_command_line_takes_a_scheduler(address, tmp_path):
    command = ["build", "coremof2019-asr", "--limit", "3", "--embedder", "profile", "--scheduler", address]
    done = CliRunner().invoke(app, command, env={"XTALSCOUT_HOME": str(tmp_path)})
    assert done.exit_code == 0, done.output
    assert "3 entries in 3 groups" in done.stdout
    both = CliRunner().invoke(app, [*command, "--workers", "2"], env={"XTALSCOUT_HOME": str(tmp_path)})
    assert both.exit_code == 2
    assert "give one or the other" in both.stderr


def test_results_come_in_order_and_crashes_are_named(address):
    chunks = [[0, 1], [2, -1, 3], [4], [-2], [5, 6]] + [[n] for n in range(7, 30)]
    with ClusterPool(address, work, give_up) as workers:
        results = list(workers.map(chunks))
    expected = [[0, 2], [4, "-1 crashed", 6], [8], ["-2 crashed"], [10, 12]] + [[2 * n] for n in range(7, 30)]
    assert results == expected


def test_a_sound_record_is_not_blamed_for_its_neighbour(address):
    """The late crash takes down whatever waits at the same worker: the first chunk must not be tried again there."""
    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(2)  # a worker that the test before has cost is back
    with ClusterPool(address, work, give_up) as workers:
        assert list(workers.map([[2, -1, 3], [-3]])) == [[4, "-1 crashed", 6], ["-3 crashed"]]


def test_a_crashing_record_is_a_broken_entry(address, tmp_path):
    plan = open_plan(["coremof2019-asr"], BinEmbedder(), limit=1, home=tmp_path)
    payload = next(iter(plan.sources[0].records()))
    scripted = ScriptedSource((("crash", b"crash"), (payload.id, payload.data), ("bad", b"broken")))
    manifest = build(replace(plan, sources=(scripted,), name="mine", limit=None), scheduler=address)
    assert (manifest.counts.entries, manifest.counts.broken) == (1, 2)
    reasons = {b.id: b.reason for b in store.broken_entries("mine", tmp_path)}
    assert reasons == {"crash": "reading it crashed the worker process", "bad": "no cell"}


def test_a_time_limit_holds_on_a_worker(address):
    with ClusterPool(address, compute_for_ever, give_up) as workers:
        assert list(workers.map([[0], [0]])) == [["took longer than 0.1 s"]] * 2


def test_chunks_are_read_only_a_little_ahead(address):
    read = []

    def chunks():
        for number in range(100):
            read.append(number)
            yield [number]

    with ClusterPool(address, work, give_up) as workers:
        next(workers.map(chunks()))
    assert len(read) <= 2 * pool.LOOK_AHEAD + 1


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("given", ["tcp://127.0.0.1:1", "127.0.0.1", "tls://127.0.0.1:1", "nonsense://127.0.0.1:1", ""])
def test_a_scheduler_that_is_not_there_is_named(given):
    began = time.monotonic()
    with pytest.raises(UserError, match=f"no Dask scheduler answers at '{given}' .*`dask scheduler`"):
        ClusterPool(given, work, give_up).__enter__()
    assert time.monotonic() - began < 5


@pytest.mark.usefixtures("impatient")
def test_a_server_that_says_nothing_is_no_scheduler():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        given = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(UserError, match=f"no Dask scheduler answers at '{given}'"):
            ClusterPool(given, work, give_up).__enter__()


@pytest.mark.usefixtures("impatient")
def test_a_cluster_without_workers_or_without_the_package_is_refused(address):
    with start(0) as empty, pytest.raises(UserError, match=r"has no worker; start some: dask worker tcp://"):
        ClusterPool(empty.scheduler_address, work, give_up).__enter__()
    stranger = type(work)(work.__code__, {}, "work")
    stranger.__module__ = "package_of_this_machine"
    with pytest.raises(UserError, match=r"No module named 'package_of_this_machine'\); install the same version"):
        ClusterPool(address, stranger, give_up).__enter__()


def test_a_scheduler_lost_during_the_work_ends_it_with_a_hint():
    """A scheduler and a worker from the command line, as the hint says; the scheduler is killed."""
    dask_command = [sys.executable, "-m", "dask"]
    scheduler = subprocess.Popen(
        [*dask_command, "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"],
        stderr=subprocess.PIPE,
        text=True,
    )
    given = next(found[0] for line in scheduler.stderr if (found := re.search(r"tcp://127\.0\.0\.1:\d+", line)))
    worker = subprocess.Popen(
        [*dask_command, "worker", given, "--nworkers", "1", "--nthreads", "1", "--no-dashboard"],
        stderr=subprocess.DEVNULL,
    )
    try:
        with ClusterPool(given, time.sleep, give_up) as workers:
            threading.Timer(0.5, scheduler.kill).start()
            with pytest.raises(ClusterLostError, match=r"lost the Dask scheduler at tcp://.* goes on where it stopped"):
                list(workers.map([[2.0]] * 10))
    finally:
        for process in (scheduler, worker):
            process.terminate()  # a worker that is killed leaves its own process behind for a moment
            process.communicate()


@pytest.fixture
def other_worker(tmp_path):
    """Address of a cluster whose one worker has a changed copy of the packages."""
    root = Path(pool.__file__).parents[1]
    for package in ("xtal", "indexer", "models"):
        shutil.copytree(root / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "weights"))
    with (tmp_path / "xtal" / "physics" / "powder.py").open("a") as code:
        code.write("\n# as somebody changed it\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    dask_command = [sys.executable, "-P", "-m", "dask"]
    with LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0") as cluster:
        address = cluster.scheduler_address
        worker = subprocess.Popen(
            [*dask_command, "worker", address, "--nworkers", "1", "--nthreads", "1", "--no-dashboard"],
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=tmp_path,
        )
        try:
            yield address
        finally:
            worker.terminate()
            worker.communicate()


def test_a_worker_of_other_code_is_refused_and_leaves_nothing(other_worker, tmp_path):
    plan = open_plan(["coremof2019-asr"], BinEmbedder(), limit=2, home=tmp_path)
    with pytest.raises(OtherCodeError, match="runs other code, weights or libraries than this machine"):
        build(plan, scheduler=other_worker)
    assert not plan.folder.exists()


def test_one_that_joins_later_is_refused_with_its_first_chunk(other_worker, monkeypatch):
    monkeypatch.setattr("indexer.cluster._check_workers", lambda *_: None)
    with (
        ClusterPool(other_worker, abs, abs) as workers,
        pytest.raises(OtherCodeError, match="what it does would be wrong"),
    ):
        list(workers.map([[-1]]))


def test_without_dask_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UserError, match=r"pip install 'xtalscout\[cluster\]'"):
        ClusterPool("tcp://127.0.0.1:8786", work, give_up)
