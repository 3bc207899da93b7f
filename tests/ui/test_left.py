"""What the named phases leave, searched from the page and by programs."""

import gradio as gr
import pytest
from ui_fakes import FakeEngine, library, loaded, solution

from ui.actions import Actions
from ui.api.searching import searched_left
from ui.layout import Outputs, make_outputs
from ui.question import Question
from ui.view import View
from xtal.errors import UserError


@pytest.fixture
def engine():
    return FakeEngine()


def search(actions) -> View:
    return actions.begin(loaded(), Question())[0]


def outputs() -> Outputs:
    with gr.Blocks():
        return make_outputs()[0]


def offered(view: View) -> bool:
    """Whether the page shows the button."""
    place = [part.elem_id for part in outputs().components()].index("xs-left")
    return Outputs.values(view, False)[place].visible


def test_what_the_phases_leave_is_searched_without_generating(engine):
    actions = Actions(library(engine, "match_and_more"))
    before = search(actions)
    assert before.leaves
    assert offered(before)
    rest = actions.left(before)
    assert (rest.solution, rest.leaves) == (None, False)
    assert rest.loaded.rest
    assert "without halite and <ice>" in rest.loaded.pattern.source
    assert "difference" in rest.message
    assert rest.loaded.pattern.intensity.sum() < before.loaded.pattern.intensity.sum()
    actions.library.solver.judge.kind = "miss"
    view, job = actions.begin(rest.loaded, Question(generate=True, metals="Na", linkers="BDC"))
    assert job is None
    assert view.solution.candidates == ()


def test_a_miss_leaves_nothing_to_search(engine):
    actions = Actions(library(engine, "miss"))
    view = search(actions)
    assert not view.leaves
    assert not offered(view)
    assert "accepts no phase" in actions.left(view).message
    assert "no answer yet" in actions.left(View()).message


def test_programs_search_it_by_the_id_of_the_answer(engine):
    found = searched_left(library(engine, "match_and_more"), solution("match_and_more"), 5)
    assert found["pattern"]["source"] == "salt.xy, without halite and <ice>"
    assert found["candidates"] == []
    assert engine.asked[-1][0] == 5
    with pytest.raises(UserError, match="accepts no phase"):
        searched_left(library(engine, "miss"), solution("miss"), 5)
    with pytest.raises(UserError, match="hits"):
        searched_left(library(engine, "match_and_more"), solution("match_and_more"), 0)
