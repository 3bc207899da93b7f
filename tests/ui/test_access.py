"""Who is asked for a password, and that the server then lets nobody else in."""

import io
import socket

import httpx
import pytest
from api_server import serving
from gradio_client import Client

from ui.access import check_address, login
from xtal.errors import UserError


def test_nobody_is_asked_unless_a_user_is_named(monkeypatch):
    monkeypatch.delenv("XTALSCOUT_PASSWORD", raising=False)
    assert login(None) is None


def test_the_password_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("XTALSCOUT_PASSWORD", "pä ss")
    assert login(" ann ") == ("ann", "pä ss")


def test_a_password_without_a_user_protects_nothing_and_is_refused(monkeypatch):
    monkeypatch.setenv("XTALSCOUT_PASSWORD", "secret")
    with pytest.raises(UserError, match="no user: nobody would be asked for it; add --user NAME"):
        login(None)


@pytest.mark.parametrize(("user", "password", "words"), [(" ", "x", "needs a name"), ("ann", "", "ann is empty")])
def test_neither_may_be_empty(monkeypatch, user, password, words):
    monkeypatch.setenv("XTALSCOUT_PASSWORD", password)
    with pytest.raises(UserError, match=words):
        login(user)


def test_without_a_terminal_nobody_can_be_asked(monkeypatch):
    monkeypatch.delenv("XTALSCOUT_PASSWORD", raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO("secret\nsecret\n"))
    with pytest.raises(UserError, match="nobody can be asked here; set XTALSCOUT_PASSWORD"):
        login("ann")


def test_at_a_terminal_the_person_is_asked(monkeypatch):
    monkeypatch.delenv("XTALSCOUT_PASSWORD", raising=False)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.prompt", lambda text, **kinds: f"{text}/{kinds['hide_input']}")
    assert login("ann") == ("ann", "Password of ann/True")


def test_the_server_lets_in_who_knows_the_password(api_home):
    with serving(api_home, ready=False, auth=("ann", "secret")) as (address, _):
        for path in ("/config", "/gradio_api/info"):
            assert httpx.get(f"{address}{path}").status_code == 401
        said = httpx.post(f"{address}/gradio_api/call/health", json={"data": []})
        assert said.status_code == 401
        assert httpx.post(f"{address}/gradio_api/upload", files={"files": b"1 2"}).status_code == 401
        assert httpx.get(f"{address}/health").status_code == 503  # monitors need no password
        with pytest.raises(ValueError, match="Could not login"):
            Client(address, auth=("ann", "wrong"), verbose=False)
        client = Client(address, auth=("ann", "secret"), verbose=False)
        assert client.predict(api_name="/health")["status"] == "starting"


@pytest.mark.parametrize("port", [0, -1, 65536, 99999])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(UserError, match=f"--port must lie in 1 to 65535, got {port}"):
        check_address("127.0.0.1", port, None)


def test_a_busy_port_is_refused_and_a_free_one_is_not():
    with socket.create_server(("127.0.0.1", 0)) as server:
        busy = server.getsockname()[1]
        with pytest.raises(UserError, match=f"another program listens on port {busy}; choose another with --port"):
            check_address("127.0.0.1", busy, None)
    assert check_address("127.0.0.1", busy, None) == ""


def test_an_open_page_without_a_password_is_warned_of():
    assert "everybody who reaches 0.0.0.0 can use this page" in check_address("0.0.0.0", None, None)  # noqa: S104
    assert check_address("0.0.0.0", None, ("ann", "secret")) == ""  # noqa: S104
    assert check_address("127.0.0.1", None, None) == ""
