"""Passwords cannot be guessed quickly, at the page or by programs."""

import time

import httpx
import pytest
from api_server import serving
from starlette.datastructures import Headers

from ui.guard import tries
from ui.guard.tries import Tries


@pytest.fixture
def server(api_home):
    with serving(api_home, ready=False, auth=("ann", "secret")) as (address, _):
        yield address


def typed(address: str, password: str) -> int:
    return httpx.post(f"{address}/login", data={"username": "ann", "password": password}).status_code


def sent(address: str, password: str) -> int:
    return httpx.post(f"{address}/search", files={"file": ("a.xy", b"1 2")}, auth=("ann", password)).status_code


@pytest.mark.parametrize(("attempt", "wrong", "right"), [(typed, 400, 200), (sent, 401, 503)])
def test_a_few_wrong_passwords_are_free_and_more_are_not(server, monkeypatch, attempt, wrong, right):
    assert [attempt(server, "wrong") for _ in range(tries.FREE)] == [wrong] * tries.FREE
    assert {attempt(server, "wrong") for _ in range(10)} == {429}
    assert attempt(server, "secret") == 429  # else the wait would tell that it is right
    assert httpx.get(f"{server}/health").status_code == 503  # nobody else waits
    monkeypatch.setattr(tries, "FIRST", 0.0)
    assert attempt(server, "secret") == right
    assert attempt(server, "wrong") == wrong


def test_the_wait_grows_and_is_told(server):
    for _ in range(tries.FREE):
        typed(server, "wrong")
    said = httpx.post(f"{server}/login", data={"username": "ann", "password": "wrong"})
    assert said.headers["retry-after"] == "1"
    assert said.json() == {"error": "too many wrong passwords; try again in 1 s"}


def scope(address: str, path: str = "/login") -> dict:
    return {"type": "http", "method": "POST", "path": path, "client": (address, 1)}


NONE = Headers({})


def test_the_wait_doubles_up_to_a_limit_and_belongs_to_an_address():
    brake = Tries()
    for number in range(tries.FREE + 20):
        wait = brake.wait(scope("10.0.0.1"), NONE)
        due = min(tries.LONGEST, 2 ** (number - tries.FREE)) if number >= tries.FREE else 0
        assert wait == pytest.approx(due, abs=0.5)
        brake._note("10.0.0.1", right=False)
    assert brake.wait(scope("10.0.0.2"), NONE) == 0
    assert brake.wait(scope("10.0.0.1", "/search"), NONE) == 0  # brings no password
    assert brake.wait(scope("10.0.0.1", "/search"), Headers({"authorization": "basic eDp5"})) > 0
    for number in range(2 * tries.KEPT):
        brake._note(str(number), right=False)
    assert len(brake._past) == tries.KEPT


def test_one_network_of_ipv6_is_one_address():
    brake = Tries()
    for _ in range(tries.FREE):
        brake._note(tries._address(scope("2001:db8:0:1::5")), right=False)
    assert brake.wait(scope("2001:db8:0:1::6"), NONE) > 0
    assert brake.wait(scope("2001:db8:0:2::5"), NONE) == 0


def test_of_those_that_come_at_once_after_a_wait_one_is_let_in(monkeypatch):
    monkeypatch.setattr(tries, "FIRST", 0.1)
    brake = Tries()
    for _ in range(tries.FREE):
        brake._note("10.0.0.1", right=False)
    time.sleep(0.11)
    assert [brake.wait(scope("10.0.0.1"), NONE) > 0 for _ in range(3)] == [False, True, True]
