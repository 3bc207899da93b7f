"""What the page shows of lines that a person edits."""

import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from ui_fakes import FakeEngine, library, loaded

from search.cache import Cache
from search.edited_lines import measured_lines
from ui.actions import Actions
from ui.batch import Files
from ui.batch.batch import answer_all
from ui.inputs import FROM_FILE, Source
from ui.question import Question
from ui.view import View
from ui.wiring import Wiring


@pytest.fixture
def actions():
    return Actions(library(FakeEngine()))


@pytest.fixture
def keeping(tmp_path):
    with Cache.open(tmp_path / "cache.duckdb") as cache:
        yield Actions(library(FakeEngine(), cache=cache))


@pytest.fixture
def measured() -> Source:
    """A file that states Cu Kα1."""
    return Source(Path(__file__).parents[1] / "data" / "patterns" / "sigma.xye", "sigma.xye")


def read(actions, source) -> View:
    return actions.show(source, FROM_FILE)


def search(actions, view: View | None = None) -> View:
    view = View(loaded=loaded()) if view is None else view
    return actions.begin(view.loaded, Question(), view.edited_lines)[0]


def test_edited_lines_wait_for_the_search_and_stay_with_its_answer(keeping):
    found = search(keeping)
    place = re.search(r'data-remove="([^"]+)"', found.line_table).group(1)
    edited = keeping.remove_line(found, place)
    assert (len(edited.lines), edited.edited, edited.unsearched) == (len(found.lines) - 1, True, True)
    assert edited.solution is found.solution
    assert "not searched with yet" in edited.line_table
    assert "Edited peaks" in [trace.name for trace in edited.figure(False).data]
    view, _ = keeping.begin(edited.loaded, Question(), edited.edited_lines)
    assert (view.unsearched, view.answer.edited) == (False, True)
    assert view.solution.key != found.solution.key
    assert f"Searched with {len(found.lines) - 1} edited peak" in view.verdict
    assert "edited peak" in view.facts
    again = keeping.reopen(view.solution.key[:8])
    assert (again.edited, again.line_table) == (True, view.line_table)
    assert "Edited peaks" in [trace.name for trace in again.figure(False).data]
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


def test_a_control_pressed_again_does_not_repeat_what_was_said(actions, measured):
    edited = actions.add_line(read(actions, measured), "20.9", "20")
    kept = actions.show(measured, "MoKa", edited.edits)
    assert "were kept" in search(actions, kept).message
    assert "were kept" not in search(actions, kept.told()).message
    back = actions.found_lines(kept)
    assert ("were kept" in back.message, back.edited) == (False, False)


def places(view: View) -> list[float]:
    return [float(place) for place in re.findall(r'data-remove="([^"]+)"', view.line_table)]


def test_edited_lines_keep_their_angles_when_the_wavelength_changes(actions, measured):
    edited = actions.add_line(read(actions, measured), "20.9", "20")
    assert "stay with it when the wavelength changes" in edited.line_table
    moved = actions.show(measured, "MoKa", edited.edits)
    assert moved.loaded.pattern.wavelength == pytest.approx(0.7107, abs=1e-3)
    assert places(moved) == pytest.approx(places(edited), abs=1e-6)
    assert (moved.edited, 20.9 in places(moved)) == (True, True)
    assert "The edited peaks of this measurement were kept" in moved.message
    q = 4 * np.pi * np.sin(np.radians(np.array(places(moved)) / 2)) / moved.loaded.pattern.wavelength
    assert moved.lines.q == pytest.approx(q)
    back = actions.show(measured, FROM_FILE, moved.edits)
    areas = [measured_lines(view.lines, 1.5406)[:, 2:] for view in (edited, back)]
    assert areas[0] == pytest.approx(areas[1])
    answered = search(actions, moved)
    assert (answered.answer.edited, answered.unsearched) == (True, False)
    assert "were kept" in answered.message


def test_edited_lines_stay_at_their_q_where_the_file_has_an_axis_of_q(actions, tmp_path):
    q = np.arange(1.0, 4.0, 0.005)
    counts = 100 + 900 * np.exp(-(((q - 2.2) / 0.02) ** 2))
    path = tmp_path / "synchrotron.csv"
    path.write_text("q,I\n" + "".join(f"{x:.4f},{y:.1f}\n" for x, y in zip(q, counts, strict=True)))
    source = Source(path, path.name)
    edited = actions.add_line(actions.show(source, "1.0"), "30", "20")
    moved = actions.show(source, "0.5", edited.edits)
    assert moved.edited
    assert moved.lines.q == pytest.approx(edited.lines.q, rel=1e-5)
    assert moved.lines.width == pytest.approx(edited.lines.width, rel=0.02)


def test_edited_lines_come_back_with_their_file(actions, measured, tmp_path):
    edited = actions.add_line(read(actions, measured), "20.9", "20")
    empty = actions.show(None, FROM_FILE, edited.edits)
    wrong = actions.show(measured, "bananas", empty.edits)
    assert (empty.loaded, wrong.loaded, wrong.lines) == (None, None, None)
    copy = shutil.copy(measured.path, tmp_path / "again.xye")
    again = actions.show(Source(Path(copy), "again.xye"), FROM_FILE, wrong.edits)
    assert again.lines is edited.lines
    assert "were kept" in again.message


def test_another_measurement_says_that_the_edited_lines_were_left_out(actions, measured):
    edited = actions.add_line(search(actions), "38.5", "20")
    other = actions.show(measured, FROM_FILE, edited.edits)
    assert (other.edited, "38.5" in other.line_table) == (False, False)
    assert "The peaks edited for salt.xy were left out" in search(actions, other).message
    assert "left out" not in actions.show(measured, FROM_FILE, other.edits).message


def test_several_files_say_that_edited_lines_were_left_out(measured):
    wiring = Wiring(library(FakeEngine()), *[SimpleNamespace(components=list)] * 4)
    edited = wiring.actions.add_line(search(wiring.actions), "38.5", "20")
    files = Files((measured, measured))
    before = wiring.change_wavelength(None, FROM_FILE, False, None, files, edited)[1]
    (batch,) = list(answer_all(wiring.library.solver, (measured,), FROM_FILE, Question()))
    first = wiring.open_first(before, batch, files, False)[1]
    assert "The peaks edited for salt.xy were left out: several files" in before.message
    assert first.message == before.message
    assert first.solution is not None
