"""What programs get from the running server, and what they are refused."""

import base64
import json
import logging
from importlib.metadata import PackageNotFoundError

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ui.api import health_route, offers_tools
from ui.api.api import Endpoints
from ui.library import Library, Progress
from xtal.crystals import read_cif

TOOLS = "solve search refine left history answer structure figure health"
QUICK = {"contents": "NaCl", "candidates": 2, "steps": 3}
WAIT = 60  # seconds


@pytest.fixture(scope="module")
def client(api):
    return Client(api[0], verbose=False)


@pytest.fixture(autouse=True)
def _forgotten(api):
    yield
    api[1].solver.cache.forget_all()


def raw(address: str, name: str, **values: object) -> str:
    """Call an endpoint as a client that keeps to no rules; returns the events as text."""
    at = f"{address}/gradio_api/call/v2/{name}"
    event = httpx.post(at, json=values, timeout=WAIT).json()["event_id"]
    return httpx.get(f"{at}/{event}", timeout=WAIT).text


def test_a_search_finds_the_entry_and_generates_nothing(client, sample):
    found = client.predict(handle_file(sample), must="C", api_name="/search")
    assert found["verdict"]["kind"] == "match"
    assert found["hits"][0]["row"] == 7
    assert found["candidates"] == []
    assert found["pattern"]["source"] == "sample.xye"
    again = client.predict(handle_file(sample), must="C", api_name="/search")
    assert (found["cached"], again["cached"]) == (False, True)


def test_filters_and_wavelength_reach_the_search(client, sample):
    found = client.predict(handle_file(sample), wavelength="MoKa", elements="Zn,C,H,O,N", hits=3, api_name="/search")
    assert found["pattern"]["wavelength"] == pytest.approx(0.71075, abs=1e-4)
    assert len(found["hits"]) == 3
    assert all(
        "Zn" in hit["formula"] or set("CHON") >= set(hit["formula"]) - set("0123456789") for hit in found["hits"]
    )
    formula = found["hits"][0]["formula"]
    only = client.predict(handle_file(sample), formula=formula, api_name="/search")
    assert {hit["formula"] for hit in only["hits"]} == {formula}


def test_lines_can_be_given(client, sample):
    found = client.predict(handle_file(sample), api_name="/search")
    pairs = [[line["two_theta"], line["intensity"]] for line in found["lines"]]
    edited = client.predict(handle_file(sample), lines=pairs[1:], api_name="/search")
    assert (found["lines_edited"], edited["lines_edited"], edited["cached"]) == (False, True, False)
    assert [line["two_theta"] for line in edited["lines"]] == pytest.approx([place for place, _ in pairs[1:]])
    assert client.predict(edited["id"], api_name="/answer")["lines_edited"]
    assert client.predict(handle_file(sample), lines=None, api_name="/search")["cached"]


def test_what_is_generated_is_made_with_the_lines_that_are_given(client, sample):
    found = client.predict(handle_file(sample), api_name="/search")
    pairs = [[line["two_theta"], line["intensity"]] for line in found["lines"]][1:]
    made = client.predict(handle_file(sample), generate="always", lines=pairs, **QUICK, api_name="/solve")
    assert (made["lines_edited"], len(made["candidates"])) == (True, 2)
    assert [line["two_theta"] for line in made["lines"]] == pytest.approx([place for place, _ in pairs])
    plain = client.predict(handle_file(sample), generate="always", lines=None, **QUICK, api_name="/solve")
    assert (plain["lines_edited"], plain["cached"]) == (False, False)
    assert [c["similarity"] for c in plain["candidates"]] != [c["similarity"] for c in made["candidates"]]
    edited = {entry["id"]: entry["edited"] for entry in client.predict(5, api_name="/history")}
    assert edited == {found["id"]: False, made["id"]: True, plain["id"]: False}


def test_solving_generates_crystals_as_cif_and_remembers(client, sample):
    made = client.predict(handle_file(sample), generate="always", **QUICK, api_name="/solve")
    assert [candidate["rank"] for candidate in made["candidates"]] == [1, 2]
    cif = made["candidates"][0]["cif"]
    assert "not verified" in cif
    assert read_cif(cif).formula == "ClNa"
    listed = client.predict(5, api_name="/history")
    assert [entry["id"] for entry in listed] == [made["id"]]
    assert listed[0]["candidates"] == 2
    known = client.predict(made["id"], api_name="/answer")
    assert known["origin"]["build_id"] == client.predict(api_name="/health")["build_id"]
    first, again = ([{**each, "cif": "", "volume": 0} for each in of["candidates"]] for of in (made, known))
    assert again == first
    assert "not verified" in known["candidates"][0]["cif"]
    assert known["verdict"] == made["verdict"]


def test_a_hit_can_be_fetched_as_cif(client, sample):
    hit = client.predict(handle_file(sample), api_name="/search")["hits"][0]
    structure = client.predict(hit["id"], api_name="/structure")
    assert read_cif(structure["cif"]).reduced_formula == hit["formula"] == structure["formula"]


def test_searches_go_on_while_one_generates(client, sample, api):
    with api[1].solver._generating:  # the generation stands still
        slow = client.submit(handle_file(sample), generate="always", **QUICK, api_name="/solve")
        assert client.submit(handle_file(sample), api_name="/search").result(WAIT)["hits"]
        assert not slow.done()
    assert len(slow.result(WAIT)["candidates"]) == 2


@pytest.mark.parametrize("name", ["search", "solve"])
@pytest.mark.parametrize(
    "file",
    ["/etc/passwd", "http://example.org/a.xy", {"path": "/etc/passwd"}, {"path": "http://example.org/a.xy"}, None, 7],
)
def test_only_uploads_are_read(api, name, file):
    said = raw(api[0], name, file=file, wavelength="CuKa")
    assert "event: error" in said
    assert "the file must be an upload" in said


def test_paths_out_of_the_upload_folder_are_refused(api, sample):
    from gradio.utils import get_upload_folder

    for path in (f"{get_upload_folder()}/../../etc/passwd", str(sample)):
        assert "the file must be an upload" in raw(api[0], "search", file={"path": path})
    assert "is no longer there" in raw(api[0], "search", file={"path": f"{get_upload_folder()}/gone.xy"})


def test_a_path_that_calls_itself_a_file_is_refused(api, sample):
    marked = {"path": str(sample), "meta": {"_type": "gradio.FileData"}}
    said = raw(api[0], "search", file=marked)
    assert "event: error" in said
    assert "hits" not in said


@pytest.mark.parametrize("name", ["file", "formula"])
def test_an_address_that_calls_itself_a_file_is_not_fetched(api, name):
    marked = {"path": "http://example.org/a.xy", "meta": {"_type": "gradio.FileData"}}
    said = raw(api[0], "search", **{"file": None, name: marked})
    assert "nothing is fetched, got the address 'http://example.org/a.xy'" in said


def test_the_address_of_an_upload_is_that_upload(api, sample):
    with sample.open("rb") as file:
        path = httpx.post(f"{api[0]}/gradio_api/upload", files={"files": file}).json()[0]
    marked = {"path": f"https://somewhere.org/gradio_api/file={path}", "meta": {"_type": "gradio.FileData"}}
    assert "event: complete" in raw(api[0], "search", file=marked)


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("search", {"wavelength": "red"}, "'red' is no wavelength"),
        ("search", {"wavelength": ["CuKa"]}, "wavelength must be a text"),
        ("search", {"elements": "Zz"}, "'Zz' is no element symbol"),
        ("search", {"must": "Xe"}, "no entry of the index has all of the elements Xe"),
        ("search", {"elements": 7}, "elements must be a text, got 7"),
        ("search", {"hits": 0}, "hits must be a whole number from 1 to 100, got 0"),
        ("search", {"hits": "ten"}, "hits must be a whole number"),
        ("search", {"lines": [[5.0]]}, r"lines must be a list of pairs .two_theta, intensity., both finite numbers"),
        ("search", {"lines": "5 100"}, "lines must be a list of pairs"),
        ("search", {"lines": [[175.0, 100.0]]}, "lines must lie in the measured range"),
        ("search", {"lines": []}, "1 to 256 lines can be searched with, got 0"),
        ("solve", {"lines": [[5.0]]}, r"lines must be a list of pairs .two_theta, intensity., both finite numbers"),
        ("solve", {"lines": [[175.0, 100.0]]}, "lines must lie in the measured range"),
        ("solve", {"generate": "perhaps"}, "generate must be one of auto, never, always, got 'perhaps'"),
        ("solve", {"candidates": 21}, "candidates must be a whole number from 1 to 20, got 21"),
        ("solve", {"steps": 1.5}, "steps must be a whole number from 1 to 1000, got 1.5"),
        ("solve", {"seed": True}, "seed must be a whole number"),
        ("solve", {"metals": "Zn"}, "give one to three linkers with the metals, got 0"),
        ("solve", {"metals": "Zn", "linkers": "BDC; /etc/hosts.mol"}, "no known name of a linker"),
        ("solve", {"metals": "Zn", "linkers": 7}, "linkers must be a text, got 7"),
    ],
)
def test_wrong_values_are_told_in_plain_words(client, sample, name, values, words, capfd):
    with pytest.raises(AppError, match="(?s)" + words.replace("(", r"\(")):
        client.predict(handle_file(sample), **values, api_name=f"/{name}")
    assert "Traceback" not in capfd.readouterr().err


def test_unknown_answers_and_structures_are_told(client):
    with pytest.raises(AppError, match="no query 0123456789 in the cache"):
        client.predict("0123456789", api_name="/answer")
    with pytest.raises(AppError, match="hexadecimal digits"):
        client.predict("../x", api_name="/answer")
    with pytest.raises(AppError, match="nowhere"):
        client.predict("nowhere", api_name="/structure")
    with pytest.raises(AppError, match="limit must be a whole number from 1 to 1000, got 0"):
        client.predict(0, api_name="/history")


def test_no_pattern_is_no_defect(client, tmp_path):
    path = tmp_path / "words.xy"
    path.write_text("no pattern\n")
    with pytest.raises(AppError, match=r"words\.xy"):
        client.predict(handle_file(path), wavelength="CuKa", api_name="/search")


def test_health_is_ready_with_the_index(api):
    answer = httpx.get(f"{api[0]}/health")
    state = answer.json()
    assert (answer.status_code, state["status"], state["entries"]) == (200, "ready", 60)
    assert state["cache_usable"] is True
    assert state["uptime_seconds"] > 0
    assert len(state["embedder_id"]) == len(state["denoiser_id"]) == 64
    assert httpx.get(f"{api[0]}/").status_code == 200  # the page is still there


@pytest.mark.parametrize(
    ("progress", "status"),
    [(Progress("computing fingerprints", 3, 60), "starting"), (Progress("", error="the disk is full"), "failed")],
)
def test_health_is_503_without_an_index(progress, status):
    library = Library("salts")
    library.progress = progress
    answer = TestClient(Starlette(routes=[health_route(library)])).get("/health")
    state = answer.json()
    assert (answer.status_code, state["status"], state["entries"]) == (503, status, None)
    assert (state["stage"], state["done"], state["error"]) == (progress.stage, progress.done, progress.error)


def test_nothing_is_answered_before_the_index_is_ready():
    import gradio as gr

    with pytest.raises(gr.Error, match=r"index salts is not ready \(it is opening\)"):
        Endpoints(Library("salts")).structure("x")


def test_without_a_cache_there_is_no_history(api):
    import gradio as gr

    library = Library("salts")
    library.solver = replace_cache(api[1].solver)
    with pytest.raises(gr.Error, match="no answers are kept: the cache is off"):
        Endpoints(library).history()


def replace_cache(solver):
    return type(solver)(solver.engine, solver.judge, None)


def test_tools_are_offered_where_their_package_is_and_no_password(monkeypatch):
    def version(_name):
        raise PackageNotFoundError

    monkeypatch.setattr("ui.api.api.version", lambda _name: "1.30.0")
    assert offers_tools(None)
    assert not offers_tools(("ann", "secret"))  # gradio's tools ask for no password
    monkeypatch.setattr("ui.api.api.version", lambda _name: "2.3.0")
    assert not offers_tools(None)
    monkeypatch.setattr("ui.api.api.version", version)
    assert not offers_tools(None)


def test_the_endpoints_are_tools_for_models(api, sample, caplog):
    pytest.importorskip("mcp")
    if not offers_tools(None):
        pytest.skip("gradio cannot use this version of mcp")
    import anyio
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    caplog.set_level(logging.ERROR)
    data = f"data:text/plain;base64,{base64.b64encode(sample.read_bytes()).decode()}"

    async def talk():
        async with (
            streamable_http_client(f"{api[0]}/gradio_api/mcp/") as (read, write, *_),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            tools = (await session.list_tools()).tools
            found = await session.call_tool("search", {"file": data})
            refused = await session.call_tool("search", {"file": "http://example.org/a.xy"})
            return tools, found, refused

    tools, found, refused = anyio.run(talk)
    assert {tool.name for tool in tools} == set(TOOLS.split())
    by_name = {tool.name: tool for tool in tools}
    assert "generate candidates after a miss" in by_name["solve"].description
    assert json.dumps(by_name["solve"].inputSchema).count("description") == 15
    assert not found.isError
    assert "'kind': 'match'" in found.content[0].text
    assert refused.isError
    assert "nothing is fetched" in refused.content[0].text
