"""A generation that a program asked for: where it stands, and what ends it before it is done."""

import json
import socket
import time
from urllib.parse import urlsplit

import gradio as gr
import httpx
import pytest
from ui_fakes import FakeEngine, FakeSolver

from generate.preview import Cancelled
from ui.api import add_api, call_routes
from ui.api import calls as calls_module
from ui.guard import Hosts, guarded
from ui.library import Library

WAIT = 120  # seconds, on a machine that does much else
ASKED = "/gradio_api/call/v2/solve"


class Slow(FakeSolver):
    """Takes no second step until `go` is set, and counts those of each generation."""

    def __init__(self):
        super().__init__(FakeEngine(), "miss")
        self.steps, self.taken, self.answered = 10_000, [], []
        self.go.clear()

    def _generation(self, answer, options, hear):
        number = len(self.taken)
        self.taken.append(0)

        def count(preview):
            self.taken[number] += 1
            hear(preview)

        return super()._generation(answer, options, count)

    def solve(self, *given):
        self.answered.append(super().solve(*given))
        return self.answered[-1]


@pytest.fixture
def server():
    """Address and solver of a server whose generation stands still until `go` is set."""
    library = Library("salts")
    library.solver = Slow()
    with gr.Blocks(analytics_enabled=False) as page:
        add_api(library)
    kwargs = {"routes": call_routes(library), "lifespan": guarded(Hosts.of("127.0.0.1"))}
    library.solver.page = page
    _, address, _ = page.launch(quiet=True, ssr_mode=False, prevent_thread_lock=True, app_kwargs=kwargs)
    try:
        yield address.rstrip("/"), library.solver
    finally:
        library.solver.go.set()
        page.close()


def ask(address: str, sample, seed: int = 0) -> str:
    """Ask for a generation; returns the id of the call."""
    path = httpx.post(f"{address}/gradio_api/upload", files={"files": ("a.xye", sample.read_bytes())}).json()[0]
    given = {"file": {"path": path}, "generate": "always", "seed": seed}
    return httpx.post(f"{address}{ASKED}", json=given).json()["event_id"]


def state(address: str, name: str) -> dict:
    return httpx.get(f"{address}/calls/{name}").json()


def until(what) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + WAIT
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def cancel(address: str, name: str) -> bool:
    return httpx.post(f"{address}/gradio_api/cancel", json={"event_id": name}).json()["success"]


def test_who_waits_is_told_the_place(server, sample):
    address, solver = server
    names = [ask(address, sample, seed) for seed in range(3)]
    until(lambda: solver.taken == [1])
    until(lambda: state(address, names[0]).get("share") == pytest.approx(0, abs=1e-3))
    assert [state(address, name) for name in names[1:]] == [
        {"state": "waiting", "place": 1, "of": 2},
        {"state": "waiting", "place": 2, "of": 2},
    ]
    assert cancel(address, names[1])
    assert state(address, names[2]) == {"state": "waiting", "place": 1, "of": 1}
    said = httpx.get(f"{address}{ASKED}/{names[1]}", timeout=WAIT).text
    assert "event: error" in said
    assert "cancelled before it began" in said
    assert httpx.get(f"{address}/calls/unknown").status_code == 404


def test_cancelling_stops_the_work_and_lets_the_next_go_on(server, sample):
    address, solver = server
    first, second = ask(address, sample, 1), ask(address, sample, 2)
    until(lambda: solver.taken == [1])
    assert cancel(address, first)
    solver.go.set()
    said = httpx.get(f"{address}{ASKED}/{first}", timeout=WAIT).text
    assert "event: complete" in said
    assert calls_module.STOPPED in said
    assert "event: complete" in httpx.get(f"{address}{ASKED}/{second}", timeout=WAIT).text
    assert solver.taken == [2, solver.steps]
    assert not cancel(address, "unknown")
    assert httpx.post(f"{address}/gradio_api/cancel", content=b"{").status_code == 400


def test_a_program_that_leaves_stops_its_generation(server, sample):
    address, solver = server
    name = ask(address, sample)
    until(lambda: solver.taken == [1])
    with httpx.stream("GET", f"{address}{ASKED}/{name}", timeout=WAIT):
        time.sleep(0.1)  # gradio sees the stream open, then closed at its next look
    until(lambda: not any(event.alive for job in solver.page._queue.active_jobs if job for event in job))
    solver.go.set()
    until(lambda: solver.answered)
    assert solver.answered[0].notes == (calls_module.LEFT,)
    assert solver.taken[0] == 2


def test_a_generation_that_nobody_listens_to_ends(server, sample, monkeypatch):
    monkeypatch.setattr(calls_module, "UNHEARD", 0.5)
    address, solver = server
    path = httpx.post(f"{address}/gradio_api/upload", files={"files": ("a.xye", sample.read_bytes())}).json()[0]
    body = json.dumps({"file": {"path": path}, "generate": "always"})
    where = urlsplit(address)
    head = f"POST {ASKED} HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Type: application/json\r\n"
    with socket.create_connection((where.hostname, where.port)) as line:
        line.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        assert b"200 OK" in line.recv(4096)
    until(lambda: solver.taken == [1])
    time.sleep(0.6)
    solver.go.set()
    until(lambda: solver.answered)
    assert solver.answered[0].notes == (calls_module.LEFT,)
    assert solver.taken == [2]


def test_who_asks_how_far_a_generation_is_waits_for_it(monkeypatch):
    monkeypatch.setattr(calls_module, "UNHEARD", 1.0)
    read, unread = calls_module.Call(), calls_module.Call(None, lambda: 1)
    time.sleep(1.1)
    read.go_on()
    with pytest.raises(Cancelled, match="nobody waits"):
        unread.go_on()
    unread.asked_after()
    unread.go_on()


def test_a_generation_ends_when_its_time_is_up(server, sample, monkeypatch):
    address, solver = server
    monkeypatch.setattr(calls_module, "LONGEST", 0.0)
    name = ask(address, sample)
    solver.go.set()
    said = httpx.get(f"{address}{ASKED}/{name}", timeout=WAIT).text
    assert "stopped after 0 s, the limit" in said
    assert "Na" in said  # what the search found


def test_one_that_waits_for_a_generation_of_the_page_can_be_cancelled(server, sample):
    address, solver = server
    with solver._generating:
        name = ask(address, sample)
        until(lambda: state(address, name)["state"] == "working")
        assert cancel(address, name)
        assert calls_module.STOPPED in httpx.get(f"{address}{ASKED}/{name}", timeout=WAIT).text
    assert solver.taken == []


def test_nobody_goes_past_the_queue():
    from ui.app import build_page

    assert not build_page(Library("none")).api_open
