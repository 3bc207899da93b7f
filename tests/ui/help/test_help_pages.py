"""The documentation that the page serves."""

import re
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from ui.help import help_routes
from ui.help.pages import ORDER, rendered, titles

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture(scope="module")
def client():
    return TestClient(Starlette(routes=help_routes()))


def test_it_begins_at_the_start(client):
    said = client.get("/help")
    assert said.status_code == 200
    assert said.url.path == "/help/index"
    assert "Ten minutes" in said.text


def test_every_page_is_served():
    assert set(titles()) == {path.stem for path in DOCS.glob("*.md")}
    assert tuple(titles())[: len(ORDER)] == ORDER
    assert titles()["tutorial"] == "Ten minutes"


@pytest.mark.parametrize("name", titles())
def test_every_link_and_picture_of_a_page_is_there(client, name):
    page = client.get(f"/help/{name}").text
    targets = re.findall(r'(?:href|src)="(?!https?:|#|data:)([^"#]+)', page)
    assert targets
    assert [target for target in targets if client.get(f"/help/{target}").status_code != 200] == []


@pytest.mark.parametrize("name", ["nothing", "../README", "%2e%2e/pyproject.toml", "index.md"])
def test_nothing_else_is_served(client, name):
    assert client.get(f"/help/{name}").status_code == 404


def test_names_of_python_objects_stand_as_code():
    html = rendered("::: search.engine.Engine\n    options:\n      members: [open]\n\nNext\n")
    assert "<code>search.engine.Engine</code>" in html
    assert "options" not in html
    assert "Next" in html
