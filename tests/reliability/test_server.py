"""A server that is killed while it answers, and one that many ask at once."""

import asyncio
import os
import random
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import api_server
import httpx
import numpy as np
import psutil
import pytest

from search.cache import Cache

HELPERS, ROOT = Path(api_server.__file__).parent, Path(api_server.__file__).parents[2]
WAIT = 60  # seconds
WARM_UP = 200  # answers, after which memory stays


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return api_server.build_home(tmp_path_factory.mktemp("reliable-home"))


@pytest.fixture(scope="module")
def pattern(place):
    """Return a function that measures the pattern of an entry once more: no two files are alike."""
    from indexer.storage import open_index
    from xtal.physics.simulate import simulate

    made = simulate(open_index(api_server.INDEX, place).crystal(7), 0.0, np.random.default_rng(0))
    rows = "\n".join(f"{angle:.2f} %d" for angle in made.two_theta)
    counts = made.intensity / made.intensity.max() * 5000
    rng = np.random.default_rng()
    return lambda: f"# wavelength = 1.5418\n{rows % tuple(rng.poisson(counts).tolist())}\n".encode()


@pytest.fixture
def start(place):
    """Start a server in a process of its own; gives the process and its address."""
    started = []

    def begin(workers: int = 0) -> tuple[subprocess.Popen, str]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(HELPERS)])}
        command = [sys.executable, str(HELPERS / "api_server.py"), str(place), str(port), str(workers)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, env=environment, text=True, **pipes)
        started.append(process)
        return process, process.stdout.readline().strip()

    yield begin
    for process in started:
        process.kill()
        process.communicate()


def test_nothing_acknowledged_is_lost_when_the_server_is_killed(tried, place, start, pattern):
    wanted = tried("answers of a server that was killed meanwhile: none that was acknowledged is lost", 12, 200)
    chance, acknowledged = random.Random(0), []  # noqa: S311

    def ask(address: str) -> None:
        """Ask until nobody answers."""
        while True:
            try:
                said = httpx.post(f"{address}/search", files={"file": ("a.xye", pattern())}, timeout=WAIT)
            except httpx.HTTPError:
                return
            acknowledged.append(said.json()["id"])

    while len(acknowledged) < wanted:
        process, address = start()
        clients = [threading.Thread(target=ask, args=(address,)) for _ in range(3)]
        before = len(acknowledged)
        for client in clients:
            client.start()
        while len(acknowledged) == before:
            time.sleep(0.01)
        time.sleep(chance.uniform(0, 2))
        process.kill()
        for client in clients:
            client.join()
        with Cache.open(place / "cache.duckdb") as cache:
            assert not cache.notice
            for key in acknowledged:
                assert cache.stored(key).solution.answer.hits
    assert len(set(acknowledged)) == len(acknowledged)


def test_many_clients_at_once_are_all_answered(tried, times, start, pattern):
    """For two minutes, and until so many were answered; the memory stays."""
    clients, seconds = tried("clients at once: no error", 8, 64), times(2, 120)
    least = tried("answers: the memory stays within a tenth", 8, 5_000)
    process, address = start(times(0, 2))
    took: list[float] = []
    memory: list[float] = []
    end = time.monotonic() + seconds

    async def ask() -> None:
        """Be one client."""
        async with httpx.AsyncClient(base_url=address, timeout=WAIT) as client:
            while time.monotonic() < end or len(took) < least:
                content, begun = pattern(), time.monotonic()
                said = await client.post("/search", files={"file": ("a.xye", content)})
                took.append(time.monotonic() - begun)
                assert said.status_code == 200, said.text
                assert said.json()["verdict"]["kind"] == "match"
                if len(took) == WARM_UP:
                    memory.append(resident(process.pid))

    async def ask_all() -> None:
        """Be all clients."""
        await asyncio.gather(*(ask() for _ in range(clients)))

    asyncio.run(ask_all())
    memory.append(resident(process.pid))
    half, most = np.percentile(took, [50, 95])
    sys.stdout.write(f"{len(took)} answers, median {half:.2f} s, p95 {most:.2f} s, memory {memory} MiB\n")
    if len(memory) > 1:
        assert memory[-1] < 1.1 * memory[0]


def resident(pid: int) -> float:
    """Memory of a process and of those it started, in MiB."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    return sum(each.memory_info().rss for each in family) / 2**20
