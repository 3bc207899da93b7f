"""Searches in processes of their own: the same answers, errors that arrive, and processes that may die."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import models
from indexer.build import build
from indexer.plan import open_plan
from search.options import Options
from search.solve import Solver
from search.workers import Searcher, Workers
from xtal.errors import UserError
from xtal.physics.simulate import simulate_all

INDEX, ENTRIES = "coremof2019-asr", 20
PATIENCE = 60  # seconds for a process to start or to end


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("workers-home")
    build(open_plan([INDEX], models.load(), limit=ENTRIES, home=folder), workers=1)
    return folder


@pytest.fixture(scope="module")
def here(place) -> Searcher:
    return Searcher.open(INDEX, place)


@pytest.fixture(scope="module")
def workers(place):
    made = Workers(INDEX, 1, place)
    yield made
    made.close()


@pytest.fixture(scope="module")
def pattern(here):
    return simulate_all([here.engine.index.crystal(3)], 0.5, 1)[0]


def children() -> list[psutil.Process]:
    """Workers of this process; the other child of `spawn` tracks resources."""
    return [child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline())]


def test_a_worker_answers_as_this_process_does(workers, here, pattern):
    (answer, verdict), (expected, known) = workers.search(pattern, Options(k=5)), here.search(pattern, Options(k=5))

    assert [hit.id for hit in answer.hits] == [hit.id for hit in expected.hits]
    assert answer.hits[0].chi_square == pytest.approx(expected.hits[0].chi_square)
    assert verdict.kind == known.kind
    assert verdict.reasons == known.reasons


def test_errors_of_the_user_arrive(workers, pattern):
    with pytest.raises(UserError, match="number of hits"):
        workers.search(pattern, Options(k=0))


def test_a_killed_worker_is_replaced(workers, pattern):
    workers.search(pattern, Options(k=2))
    for child in children():
        child.kill()

    assert len(workers.search(pattern, Options(k=2))[0].hits) == 2


def test_a_solver_with_workers_remembers_what_they_found(place, pattern):
    solver = Solver.open(INDEX, place, workers=1)
    try:
        first, again = (solver.solve(pattern, Options(generate="never")) for _ in range(2))
    finally:
        solver.close()

    assert (first.cached, again.cached) == (False, True)
    assert first.answer.hits[0].id == again.answer.hits[0].id


def test_workers_outlive_no_parent(place):
    code = (
        "import sys, pathlib, time\n"
        "from search.workers import Workers\n"
        "if __name__ == '__main__':\n"
        f"    made = Workers({INDEX!r}, 1, pathlib.Path(sys.argv[1]))\n"
        "    print('started', flush=True)\n"
        "    time.sleep(600)\n"
    )
    script = place / "parent.py"
    script.write_text(code)
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen([sys.executable, str(script), str(place)], stdout=subprocess.PIPE, env=environment) as parent:
        assert parent.stdout is not None
        parent.stdout.readline()
        family = psutil.Process(parent.pid)
        wait_until(lambda: family.children())
        made = family.children()
        time.sleep(3)  # until they watch their parent
        parent.send_signal(signal.SIGKILL)
    wait_until(lambda: not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in made))


def wait_until(done) -> None:
    """Look until something has come true."""
    end = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.mark.parametrize("count", [0, -1, 65])
def test_the_number_of_workers_is_limited(place, count):
    with pytest.raises(UserError, match=r"workers must lie in 1 to 64"):
        Workers(INDEX, count, place)
