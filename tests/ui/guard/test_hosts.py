"""Requests under a foreign name or from a foreign page reach nothing; those of its own page and of programs do."""

import httpx
import pytest
from api_server import serving
from hypothesis import given
from hypothesis import strategies as st

from ui.api import offers_tools
from ui.guard import Hosts
from xtal.errors import UserError

ROUTES = [
    ("GET", "/"),
    ("GET", "/config"),
    ("GET", "/health"),
    ("GET", "/gradio_api/info"),
    ("GET", "/gradio_api/call/v2/history/0123"),
    ("POST", "/gradio_api/call/v2/history"),
    ("POST", "/gradio_api/upload"),
    ("POST", "/gradio_api/queue/join"),
    ("POST", "/gradio_api/cancel"),
    ("POST", "/gradio_api/mcp/"),
    ("POST", "/search"),
    ("POST", "/login"),
    ("OPTIONS", "/gradio_api/upload"),
]
ALL = "0.0.0.0"  # noqa: S104 - nothing listens there
PREFLIGHT = {"Access-Control-Request-Method": "POST"}


@pytest.fixture(scope="module")
def server(api_home):
    with serving(api_home, ready=False, mcp_server=offers_tools(None)) as (address, _):
        yield address


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_foreign_name_reaches_nothing(server, method, path):
    port = server.rpartition(":")[2]
    for name in (
        f"evil.example:{port}",
        "evil.example",
        f"evil@127.0.0.1:{port}",
        "127.0.0.1.evil.example",
        "10.0.0.9",
    ):
        said = httpx.request(method, f"{server}{path}", headers={"Host": name, **PREFLIGHT}, json={"data": []})
        assert said.status_code == 403
        assert "this server is not called" in said.json()["error"]
        assert "access-control-allow-origin" not in said.headers


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_a_foreign_page_reaches_nothing(server, method, path):
    for origin in ("http://evil.example", "null", "http://localhost:3000", f"{server}0", "file://", "http://[x"):
        said = httpx.request(method, f"{server}{path}", headers={"Origin": origin, **PREFLIGHT}, json={"data": []})
        assert (said.status_code, "may not use this server" in said.json()["error"]) == (403, True)
        assert "access-control-allow-origin" not in said.headers
    for site in ("cross-site", "same-site"):  # a picture or a form without scripts names no origin
        said = httpx.request(method, f"{server}{path}", headers={"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "no-cors"})
        assert (said.status_code, "but not use it" in said.json()["error"]) == (403, True)


def test_its_own_page_programs_and_links_are_let_in(server):
    port = server.rpartition(":")[2]
    for name in ("127.0.0.1", "localhost", "LOCALHOST", "[::1]"):
        at = f"{name}:{port}"
        own = {"Host": at, "Origin": f"http://{at}", "Sec-Fetch-Site": "same-origin"}
        said = httpx.post(f"{server}/gradio_api/upload", headers=own, files={"files": b"1 2"})
        assert said.status_code == 200
    assert httpx.get(f"{server}/gradio_api/info").status_code == 200
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert httpx.get(f"{server}/", headers=link).status_code == 200
    assert httpx.post(f"{server}/login", headers=link).status_code == 403


def test_names_that_a_person_allows():
    hosts = Hosts.of(ALL, ["Lab.Example", "xrd.local."])
    for name in ("lab.example", "lab.example:8443", "xrd.local", "192.168.1.5:7860", "[fe80::1]:7860", "localhost"):
        assert hosts.refusal("GET", {"host": name}) == ""
    for name in ("example", "evil.example", "", "lab.example:x", "a.lab.example", "[fe80::1", "lab.example/x"):
        assert "is not called" in hosts.refusal("GET", {"host": name})
    behind_a_proxy = {"host": "127.0.0.1:7860", "origin": "https://lab.example"}
    assert hosts.refusal("POST", behind_a_proxy) == ""
    assert "may not use" in Hosts.of("127.0.0.1").refusal("POST", behind_a_proxy)
    assert Hosts.of("lab.example").refusal("GET", {"host": "lab.example:80"}) == ""


def test_an_address_is_a_name_only_where_all_are_listened_on():
    assert Hosts.of("127.0.0.1").refusal("GET", {"host": "192.168.1.5"})
    assert Hosts.of("192.168.1.5").refusal("GET", {"host": "192.168.1.5:80"}) == ""
    assert Hosts.of("::").refusal("GET", {"host": "192.168.1.5"}) == ""
    assert Hosts.of(ALL).refusal("GET", {"host": ALL}) == ""


@pytest.mark.parametrize("name", ["", "http://lab.example", "lab.example:80", "a b", "u@lab.example", ".."])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(UserError, match="is no name of a host"):
        Hosts.of("127.0.0.1", [name])


@given(st.text(), st.text())
def test_any_header_is_judged(host, origin):
    hosts = Hosts.of("127.0.0.1")
    assert isinstance(hosts.refusal("GET", {"host": host, "origin": origin}), str)
