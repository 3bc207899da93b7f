"""The buttons that hand out the shown structure as a figure and as columns."""

import base64
import json
from dataclasses import replace

import pytest
from ui_fakes import FakeEngine, candidate, library, loaded

from ui.actions import Actions
from ui.paper.events import PaperEvents
from ui.paper.shown import shown_profile
from ui.question import Question
from ui.view import View, pattern_view


@pytest.fixture(scope="module")
def shelf():
    return library(FakeEngine())


@pytest.fixture(scope="module")
def view(shelf) -> View:
    made, _ = Actions(shelf).begin(loaded(), Question())
    return replace(made, solution=replace(made.solution, candidates=(candidate(),)))


def offered(shelf, kind, view):
    file, message = PaperEvents(shelf).offer(kind, view)
    return json.loads(file), message


@pytest.mark.parametrize(("kind", "begin"), [("svg", b"<?xml"), ("pdf", b"%PDF-"), ("png", b"\x89PNG")])
def test_each_button_offers_its_kind_named_after_sample_and_structure(shelf, view, kind, begin):
    file, message = offered(shelf, kind, view)
    assert base64.b64decode(file["data"]).startswith(begin)
    assert file["name"] == f"salt-halite.{kind}"
    assert message == view.message


def test_the_columns_are_of_the_structure_shown(shelf, view):
    file, _ = offered(shelf, "csv", view)
    head, *rows = base64.b64decode(file["data"]).decode().splitlines()
    assert head == "two_theta,observed,calculated,background,difference"
    assert len(rows) == len(view.loaded.pattern)


def test_what_is_shown_is_what_is_drawn(shelf, view):
    actions = Actions(shelf)

    def names(shown):
        return [phase.name for phase in shown_profile(shelf.engine, shown).phases]

    assert names(actions.select(view, 2)) == ["halite/b"]
    assert names(actions.select_candidate(view, 1)) == ["candidate 1 (generated)"]
    assert names(pattern_view(view.loaded)) == []


def test_without_a_pattern_it_says_so(shelf):
    file, message = PaperEvents(shelf).offer("svg", View())
    assert file == ""
    assert "nothing to draw yet" in message
