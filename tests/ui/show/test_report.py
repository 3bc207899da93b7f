import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from ui_fakes import FakeEngine, candidate, library, loaded

from ui.actions import Actions
from ui.inputs import Source
from ui.question import Question
from ui.show.report import report_html
from ui.view import View


@pytest.fixture(scope="module")
def view() -> View:
    made, _ = Actions(library(FakeEngine())).begin(loaded(), Question())
    solution = replace(made.solution, candidates=(candidate(),))
    given = replace(made.loaded, source=Source(made.loaded.source.path, "<b>salt.xy"))
    return replace(made, solution=solution, loaded=given, unexplained=(31.7,))


@pytest.fixture(scope="module")
def page(view) -> str:
    cif = json.loads(view.scene)["cif"]
    return report_html(view, "salts", cif, FakeEngine(), datetime(2026, 11, 23, 12, 0, tzinfo=UTC))


def test_a_report_tells_all_of_an_answer(page):
    for words in ("Match: 97 % likely", "λ = 1.54060 Å", "halite/b", "Generated, not verified", "Structure as CIF"):
        assert words in page
    assert "2026-11-23 12:00 UTC" in page
    assert "no probability" in page


def test_a_report_needs_nothing_else(page):
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    assert "<script" not in page
    assert "<button" not in page
    assert page.count("data:image/svg+xml;base64,") == 1
    assert "_cell_length_a" not in page  # a link saves it


def test_the_first_figure_is_of_what_the_verdict_speaks_of(view):
    other = Actions(library(FakeEngine())).select(view, 2)
    page = report_html(other, "salts", "", FakeEngine())
    assert re.findall("<h2>Pattern and ([^<]+)</h2>", page) == ["halite", "halite/b"]


def test_a_report_is_well_formed_and_escaped(page):
    class Balance(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open: list[str] = []

        def handle_starttag(self, tag, _attrs):
            if tag not in ("meta", "img"):
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    assert "<b>salt" not in page


def test_a_report_says_that_lines_were_edited(view, page):
    assert "edited peak" not in page
    actions = Actions(library(FakeEngine()))
    more = actions.add_line(view, "38.5", "20")
    assert "edited peak" not in report_html(more, "salts", "")  # the answer is that of the lines found
    edited, _ = actions.begin(more.loaded, Question(), more.edited_lines)
    assert f"Searched with {len(more.lines)} edited peaks." in report_html(edited, "salts", "")


def test_a_report_needs_an_answer():
    with pytest.raises(ValueError, match="needs an answer"):
        report_html(View(), "salts", "")
