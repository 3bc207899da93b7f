"""A pattern that is not answered yet is found again by what stands in the address."""

from dataclasses import fields
from types import SimpleNamespace

import pytest
from ui_fakes import FakeEngine, library, loaded

from ui.batch import Files
from ui.opening.asked import MOST, Asked
from ui.question import Question
from ui.view import View
from ui.wiring import Wiring


def filled(question: Question) -> list:
    return [getattr(question, field.name) for field in fields(question)]


@pytest.fixture
def wiring(monkeypatch):
    monkeypatch.setattr(Wiring, "shown", lambda _self, view, _root, _job=None: [view])
    return Wiring(library(FakeEngine()), *[SimpleNamespace(components=list)] * 4)


def test_what_was_asked_is_asked_again_where_a_page_is_opened_anew(wiring):
    name = wiring.actions.asked.open(loaded())
    (fresh,) = wiring.start(View(), None, False, Files(), name, *filled(Question()))
    assert (fresh.loaded.source.name, fresh.answer is None, fresh.asked) == ("salt.xy", False, "")
    wiring.actions.asked.ask(name, Question(formula="NaCl"), None)
    wiring.start(View(), None, False, Files(), name, *filled(Question()))
    assert [formula for _, _, formula, _ in wiring.library.engine.asked] == [None, "ClNa"]


def test_a_pattern_has_a_name_until_it_is_answered(wiring):
    name = wiring.actions.asked.open(loaded())
    view = View(loaded=loaded(), lines=None, asked=name)
    assert f'data-asked="{name}"' in view.verdict
    (refused,) = wiring._asked(view, None, False, Files(), Question(formula="Xe"))
    assert (refused.solution, refused.asked) == (None, name)
    (answered,) = wiring._asked(view, None, False, Files(), Question())
    assert "data-asked" not in answered.verdict


def test_the_oldest_patterns_are_forgotten():
    asked = Asked()
    names = [asked.open(loaded()) for _ in range(MOST + 2)]
    assert [asked.find(name) is None for name in (*names[:3], names[-1])] == [True, True, False, False]
    asked.ask(names[0], Question(), None)
    assert asked.find(names[0]) is None
