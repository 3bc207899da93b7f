"""What the page shows of lines that a person edits."""

import re

import pytest
from ui_fakes import FakeEngine, library, loaded

from search.cache import Cache
from ui.actions import Actions
from ui.question import Question
from ui.view import View


@pytest.fixture
def actions():
    return Actions(library(FakeEngine()))


@pytest.fixture
def keeping(tmp_path):
    with Cache.open(tmp_path / "cache.duckdb") as cache:
        yield Actions(library(FakeEngine(), cache=cache))


def search(actions) -> View:
    return actions.begin(loaded(), Question())[0]


def test_edited_lines_wait_for_the_search_and_stay_with_its_answer(keeping):
    found = search(keeping)
    place = re.search(r'data-remove="([^"]+)"', found.line_table).group(1)
    edited = keeping.remove_line(found, place)
    assert (len(edited.lines), edited.edited, edited.unsearched) == (len(found.lines) - 1, True, True)
    assert edited.solution is found.solution
    assert "not searched with yet" in edited.line_table
    assert "Edited lines" in [trace.name for trace in edited.figure(False).data]
    view, _ = keeping.begin(edited.loaded, Question(), edited.edited_lines)
    assert (view.unsearched, view.answer.edited) == (False, True)
    assert view.solution.key != found.solution.key
    assert f"Searched with {len(found.lines) - 1} edited line" in view.verdict
    assert "edited line" in view.facts
    again = keeping.reopen(view.solution.key[:8])
    assert (again.edited, again.line_table) == (True, view.line_table)
    assert "Edited lines" in [trace.name for trace in again.figure(False).data]
    back = keeping.found_lines(again)
    assert (back.edited, back.unsearched, len(back.lines)) == (False, True, len(found.lines))
    view, _ = keeping.begin(back.loaded, Question(), back.edited_lines)
    assert (view.solution.cached, view.solution.key) == (True, found.solution.key)
    assert "dited" not in view.verdict + view.facts + view.line_table


def test_going_back_before_a_search_is_as_if_nothing_was_edited(actions):
    found = search(actions)
    added = actions.add_line(found, "38.5", "20")
    back = actions.found_lines(added)
    assert (len(added.lines), back.unsearched) == (len(found.lines) + 1, False)
    assert back.line_table == found.line_table


def test_a_line_that_cannot_be_leaves_all_as_it_was(actions):
    found = search(actions)
    wrong = actions.add_line(found, "<b>", "20")
    assert "&lt;b&gt;" in wrong.line_table
    assert 'role="alert"' in wrong.line_table
    assert (wrong.lines, wrong.edited, wrong.table) == (found.lines, False, found.table)
    assert 'role="alert"' not in actions.add_line(wrong, "38.5", "20").line_table


def test_edited_lines_survive_a_control_that_cannot_be_read(actions):
    edited = actions.add_line(search(actions), "38.5", "20")
    view, _ = actions.begin(edited.loaded, Question(elements="Qq"), edited.edited_lines)
    assert "no element symbol" in view.message
    assert view.edited_lines is edited.lines


def test_lines_cannot_be_edited_without_a_pattern(actions):
    assert "no pattern" in actions.add_line(View(), "38.5", "20").line_table
    assert actions.found_lines(View()).lines is None
