"""Search with many clients at once: python tests/benchmarks/load.py --clients 64 --seconds 120 [--route gradio].

Start the page first (python -m ui). Each client sends a pattern, takes the answer, and goes on at once. The
patterns are simulated from entries of the default index and differ by counting noise, so that the cache knows none of
them; `--repeated` makes a share of the requests ask for one pattern of a small set again.
"""

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlparse

import httpx
import numpy as np

if TYPE_CHECKING:
    import psutil

    from xtal.patterns import Pattern

BASES = 100  # simulated patterns that noise is added to
FAVOURITES = 20  # patterns that repeated requests ask for
MEBIBYTE = 2**20
TIMEOUT = 120  # seconds for one request
WARM_UP = 200  # answers, after which the memory should stay
Search = Callable[[httpx.AsyncClient, bytes], Awaitable[dict]]


@dataclass
class Tally:
    """What the clients saw: seconds of each answered search, errors by their words, answers out of the cache."""

    seconds: list[float] = field(default_factory=list)
    errors: dict[str, int] = field(default_factory=dict)
    cached: int = 0


@dataclass(frozen=True)
class Base:
    """A simulated pattern without noise: the text of its file with a place for every count, and the (M,) counts."""

    text: str
    counts: np.ndarray

    @classmethod
    def of(cls, pattern: "Pattern") -> "Base":
        """Write the text; that for every request would keep a core busy which the server could use."""
        rows = "\n".join(f"{angle:.2f} %d" for angle in pattern.two_theta)
        return cls(f"# wavelength = 1.5418\n{rows}\n", pattern.intensity / pattern.intensity.max() * 5000)

    def counted(self, rng: np.random.Generator) -> bytes:
        """Count the pattern once more; a file."""
        return (self.text % tuple(rng.poisson(self.counts).tolist())).encode()


def base_patterns(index: str) -> list[Base]:
    """Simulate entries of an index at severity 1."""
    from indexer.storage import open_index
    from xtal.physics.simulate import simulate_all

    opened = open_index(index)
    rows = np.random.default_rng(2).permutation(len(opened))[:BASES]
    patterns = simulate_all([opened.crystal(int(row)) for row in rows], 1.0, 2)
    return [Base.of(pattern) for pattern in patterns]


async def search_plain(client: httpx.AsyncClient, content: bytes) -> dict:
    """Search in one request; the answer."""
    said = await client.post("/search", files={"file": ("load.xy", content)})
    return said.raise_for_status().json()


async def search_gradio(client: httpx.AsyncClient, content: bytes) -> dict:
    """Upload, ask and fetch, as gradio's clients do; the answer."""
    said = await client.post("/gradio_api/upload", files={"files": ("load.xy", content)})
    path = said.raise_for_status().json()[0]
    said = await client.post("/gradio_api/call/v2/search", json={"file": {"path": path}})
    event = said.raise_for_status().json()["event_id"]
    said = await client.get(f"/gradio_api/call/v2/search/{event}")
    event, data = [line for line in said.raise_for_status().text.splitlines() if line][-2:]
    if event != "event: complete":
        raise ValueError(data)
    return json.loads(data.removeprefix("data: "))[0]


ROUTES = {"plain": search_plain, "gradio": search_gradio}


async def keep_searching(
    url: str, search: Search, bases: list[Base], tally: Tally, repeated: float, until: float
) -> None:
    """Be one client until the time is over."""
    rng = np.random.default_rng()  # new noise in every run: the cache remembers the runs before
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT) as client:
        while time.monotonic() < until:
            again = rng.random() < repeated
            chosen = int(rng.integers(FAVOURITES if again else len(bases)))
            content = bases[chosen].counted(np.random.default_rng(chosen) if again else rng)
            begun = time.monotonic()
            try:
                answer = await search(client, content)
            except (httpx.HTTPError, ValueError) as error:
                words = f"{type(error).__name__}: {error}"[:160]
                tally.errors[words] = tally.errors.get(words, 0) + 1
                continue
            tally.seconds.append(time.monotonic() - begun)
            tally.cached += answer["cached"]


@dataclass
class Watch:
    """The server's process while it answers: memory in MiB and seconds of processor time."""

    pid: int
    before: float
    busy: float
    warm: float | None = None

    @classmethod
    def of(cls, pid: int) -> "Watch":
        """Look at it before the clients begin."""
        return cls(pid, resident(pid), processor_time(pid))

    async def after_warm_up(self, tally: Tally) -> None:
        """Look at the memory again after the first answers."""
        while len(tally.seconds) < WARM_UP:
            await asyncio.sleep(0.1)
        self.warm = resident(self.pid)

    def words(self, answers: int, own: float) -> str:
        """Say what it took."""
        warm = "" if self.warm is None else f", {self.warm:.0f} after {WARM_UP} answers"
        busy = 1000 * (processor_time(self.pid) - self.busy) / max(answers, 1)
        return (
            f"memory of process {self.pid} and its workers: {self.before:.0f} MiB before{warm}, "
            f"{resident(self.pid):.0f} at the end\n"
            f"processor per answer: {busy:.0f} ms of the server, {1000 * own / max(answers, 1):.0f} ms of the clients"
        )


async def load(asked: argparse.Namespace, bases: list[Base], watch: Watch) -> Tally:
    """Run all clients beside each other."""
    tally, until, search = Tally(), time.monotonic() + asked.seconds, ROUTES[asked.route]
    clients = (keep_searching(asked.url, search, bases, tally, asked.repeated, until) for _ in range(asked.clients))
    watching = asyncio.create_task(watch.after_warm_up(tally))
    await asyncio.gather(*clients)
    watching.cancel()
    return tally


def server_pid(url: str) -> int:
    """Find the process that listens at an address of this machine."""
    import psutil

    port = urlparse(url).port or 80
    found = [c.pid for c in psutil.net_connections("tcp") if c.status == "LISTEN" and c.laddr.port == port and c.pid]
    if not found:
        raise SystemExit(f"nothing on this machine listens at {url}; start the page first: python -m ui")
    return found[0]


def family(pid: int) -> "list[psutil.Process]":
    """Return a process and those it started."""
    import psutil

    first = psutil.Process(pid)
    return [first, *first.children(recursive=True)]


def resident(pid: int) -> float:
    """Memory of a process and those it started in MiB; what they share counts for each."""
    return sum(process.memory_info().rss for process in family(pid)) / MEBIBYTE


def processor_time(pid: int) -> float:
    """Seconds that a process and those it started computed."""
    times = [process.cpu_times() for process in family(pid)]
    return sum(each.user + each.system for each in times)


def main() -> None:
    """Print requests, errors, latency and the server's memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--url", default="http://127.0.0.1:7860")
    parser.add_argument("--repeated", type=float, default=0.0, help="share of requests that ask again, 0 to 1")
    parser.add_argument("--index", default="coremof2019-asr", help="index whose entries are simulated")
    parser.add_argument("--route", choices=ROUTES, default="plain", help="one plain request, or gradio's three")
    asked = parser.parse_args()
    pid, bases = server_pid(asked.url), base_patterns(asked.index)
    prepared, watch, begun = time.process_time(), Watch.of(pid), time.monotonic()
    tally = asyncio.run(load(asked, bases, watch))
    took, done = time.monotonic() - begun, len(tally.seconds)
    print(f"{asked.clients} clients, {asked.route} route, {took:.0f} s: {done} answers, {done / took:.1f} per second")
    print(f"errors: {sum(tally.errors.values())} " + "; ".join(f"{n} x {w}" for w, n in tally.errors.items()))
    if done:
        half, most, last = np.percentile(tally.seconds, [50, 95, 100])
        print(f"latency: p50 {half:.2f} s, p95 {most:.2f} s, max {last:.2f} s")
        print(f"{tally.cached / done:.0%} of the answers came from the cache")
    print(watch.words(done, time.process_time() - prepared))


if __name__ == "__main__":
    main()
