"""One plain request for a search: what it gives, what it refuses, and what it leaves behind."""

import base64
import tempfile

import httpx
import pytest
from api_server import serving
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ui.api import plain_search, search_route
from ui.library import Library

WAIT = 60  # seconds


@pytest.fixture(autouse=True)
def _forgotten(api):
    yield
    api[1].solver.cache.forget_all()


def ask(address: str, file: object, headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
    return httpx.post(f"{address}/search", files={"file": file}, data=fields, headers=headers, timeout=WAIT)


def offline(login: tuple[str, str] | None = None) -> TestClient:
    """The route alone, without an index."""
    return TestClient(Starlette(routes=[search_route(Library("salts"), login)]))


def test_the_answer_is_that_of_the_named_endpoint(api, sample):
    from gradio_client import Client, handle_file

    lines = "[[5.0, 100.0], [9.5, 30]]"
    for given in ({}, {"must": "C", "hits": "3", "wavelength": "MoKa"}, {"lines": lines}, {"lines": ""}):
        plain = ask(api[0], ("sample.xye", sample.read_bytes()), **given)
        assert plain.status_code == 200
        values = {**given, **({"hits": 3} if "hits" in given else {})}
        values["lines"] = [[5.0, 100.0], [9.5, 30]] if given.get("lines") else None
        named = Client(api[0], verbose=False).predict(handle_file(sample), **values, api_name="/search")
        assert {**plain.json(), "cached": True} == named
        assert named["pattern"]["source"] == "sample.xye"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"wavelength": "red"}, "'red' is no wavelength"),
        ({"elements": "Zz"}, "'Zz' is no element symbol"),
        ({"hits": "0"}, "hits must be a whole number from 1 to 100, got 0"),
        ({"hits": "ten"}, "hits must be a whole number from 1 to 100, got 'ten'"),
        ({"lines": "5 100"}, "lines must be JSON"),
        ({"lines": "[" * 5000}, "lines must be JSON"),
        ({"lines": "[[5.0]]"}, "lines must be a list of pairs"),
        ({"element": "C"}, "unknown argument 'element'; known are file, wavelength"),
    ],
)
def test_wrong_values_are_told_in_plain_words(api, sample, fields, words):
    said = ask(api[0], ("sample.xye", sample.read_bytes()), **fields)
    assert said.status_code == 400
    assert words in said.json()["error"]


@pytest.mark.parametrize("name", ["../../sample.xye", "..\\..\\sample.xye", "/tmp/sample.xye", "a\u0000b/sample.xye"])
def test_a_name_leads_nowhere(api, sample, name, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    said = ask(api[0], (name, sample.read_bytes()))
    assert said.json()["pattern"]["source"] == "sample.xye"
    assert list(tmp_path.rglob("*")) == []  # and nothing stays


@pytest.mark.parametrize("name", ["..", ".", "...", "sample"])
def test_a_name_that_is_none_leaves_the_content_to_say_what_it_is(api, sample, name):
    said = ask(api[0], (name, sample.read_bytes()))
    assert said.status_code == 200
    assert not set(said.json()["pattern"]["source"]) & set("./\\")
    said = ask(api[0], (name, b"shopping list: zinc"))
    assert (said.status_code, "no rows of numbers" in said.json()["error"]) == (400, True)


def test_a_path_is_no_file(api):
    for form in ({"data": {"file": "/etc/passwd"}}, {"json": {"file": "/etc/passwd"}}, {"content": b"1 2"}):
        said = httpx.post(f"{api[0]}/search", **form)
        assert said.status_code == 400
        assert "curl -F file=@sample.xye" in said.json()["error"]
    said = httpx.post(f"{api[0]}/search", files={"must": (None, "C")})
    assert (said.status_code, "holds no file" in said.json()["error"]) == (400, True)
    said = httpx.post(f"{api[0]}/search", files={"file": ("a.xy", b"1 2"), "lines": ("b.xy", b"1 2")})
    assert (said.status_code, "cannot be read: Too many files" in said.json()["error"]) == (400, True)


def test_web_pages_cannot_search(api, sample):
    for origin in ("http://example.org", "null", api[0]):
        said = ask(api[0], ("sample.xye", sample.read_bytes()), {"Origin": origin})
        assert (said.status_code, "hits" in said.text) == (403, False)
    assert httpx.get(f"{api[0]}/search").status_code == 405
    assert len(api[1].solver.cache) == 0


def test_large_bodies_are_cut_off(monkeypatch):
    monkeypatch.setattr(plain_search, "LARGEST_BODY", 100_000)
    large = {"file": ("large.xy", b"1 2\n" * 30_000)}
    body = httpx.Request("POST", "http://x/search", files=large)
    content = body.read()

    def pieces():  # its size is not said before
        yield from (content[at : at + 5000] for at in range(0, len(content), 5000))

    kind = {"Content-Type": body.headers["Content-Type"]}
    for said in (offline().post("/search", files=large), offline().post("/search", content=pieces(), headers=kind)):
        assert said.status_code == 413
        assert "the request is too large; a pattern has at most 100,000 bytes" in said.json()["error"]
    small = offline().post("/search", files={"file": ("small.xy", b"1 2\n" * 20_000)})
    assert small.status_code != 413
    field = offline().post("/search", files={"file": ("a.xy", b"1 2")}, data={"must": "C" * 70_000})
    assert (field.status_code, "maximum size of 64KB" in field.json()["error"]) == (400, True)


def test_before_the_index_is_ready_it_says_so(sample):
    said = offline().post("/search", files={"file": ("sample.xye", sample.read_bytes())})
    assert (said.status_code, "index salts is not ready" in said.json()["error"]) == (503, True)


def test_a_password_protects_it(api_home, sample, monkeypatch):
    monkeypatch.setattr("ui.guard.tries.FREE", 100)
    file = ("sample.xye", sample.read_bytes())
    with serving(api_home, ready=False, auth=("ann", "pä:ss")) as (address, _):
        at, files = f"{address}/search", {"file": file}
        for auth in (None, ("ann", "wrong"), ("bob", "pä:ss"), ("", "")):
            said = httpx.post(at, files=files, auth=auth)
            assert (said.status_code, said.json()) == (401, {"error": said.json()["error"]})
        for header in ("Basic", "Basic =", "Basic !!!", "Bearer YW5uOnDDpDpzcw==", "Basic \xe4".encode("latin-1")):
            assert httpx.post(at, files=files, headers={"Authorization": header}).status_code == 401
        known = base64.b64encode("ann:pä:ss".encode()).decode()
        for scheme in ("Basic", "basic", "BASIC"):
            said = httpx.post(at, files=files, headers={"Authorization": f"{scheme} {known}"})
            assert said.status_code == 503  # let in, but not ready


def test_the_served_page_hands_its_password_on(monkeypatch):
    from ui import app

    seen = []
    monkeypatch.setattr(app, "search_route", lambda library, login: seen.append(login) or search_route(library, login))
    library = Library("none")
    page = app.build_page(library)
    address = app.launch(page, library, "127.0.0.1", None, open_browser=False, login=("ann", "secret"))
    try:
        assert seen == [("ann", "secret")]
        assert httpx.post(f"{address}search", files={"file": ("a.xy", b"1 2")}).status_code == 401
    finally:
        page.close()
