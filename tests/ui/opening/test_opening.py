import re
import shutil
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace

import pytest
from gradio.data_classes import FileData, ListFiles
from ui_fakes import SALT, FakeEngine, library

from search.options import Options
from ui.actions import Actions
from ui.batch import Files
from ui.inputs import FROM_FILE, Source, load
from ui.job import Job, Seat
from ui.opening.dropped import NAMELESS, called, drop_box
from ui.opening.events import COMPARE, Opening
from ui.opening.structures import is_structure
from ui.question import Question
from ui.view import View
from ui.wiring import Wiring
from xtal.crystals import write_cif
from xtal.errors import UserError

PATTERN = Path(__file__).parents[2] / "data" / "patterns" / "sigma.xye"
SOURCE, FILES, DROPPED, PAIR, TOGETHER = range(5)


@pytest.fixture
def opening():
    return Opening(Actions(library(FakeEngine())), lambda view, _root: [view])


@pytest.fixture
def files(tmp_path):
    made = [tmp_path / name for name in ("one.xye", "two.xye")]
    for path in made:
        shutil.copy(PATTERN, path)
    structure = tmp_path / "mine.cif"
    structure.write_text(write_cif(SALT, ["mine"]))
    return [source(path) for path in (*made, structure)]


def source(path: Path) -> Source:
    return Source(path, path.name)


def opened(opening, paths, before=None, view=None):
    shown = view or (View() if before is None else opening._actions.show(before, FROM_FILE))
    return opening.files(paths, before, FROM_FILE, False, None, Files(), shown)


def test_a_second_file_takes_the_place_of_the_first_and_both_are_offered(opening, files):
    one, two, _ = files
    first = opened(opening, [one])
    assert (first[SOURCE].name, first[PAIR], first[TOGETHER].visible) == ("one.xye", (), False)
    second = opened(opening, [one, two], first[SOURCE])
    assert (second[SOURCE].name, second[DROPPED], second[PAIR]) == ("two.xye", [two], (one, two))
    assert second[TOGETHER].visible
    assert "two.xye took the place of one.xye" in second[-1].message
    both = opening.together(second[PAIR], FROM_FILE, False, None, Files(), View())
    assert [source.name for source in both[FILES].sources] == ["one.xye", "two.xye"]
    assert not both[TOGETHER].visible


def test_several_files_at_once_are_a_batch(opening, files):
    one, two, _ = files
    made = opened(opening, [one, two, one])
    assert len(made[FILES].sources) == 2
    assert made[SOURCE] is None


def test_a_structure_beside_a_pattern_is_compared_with_it(opening, files):
    one, _, structure = files
    for paths, before in (([one, structure], None), ([one, structure], one)):
        made = opened(opening, paths, before)
        assert made[SOURCE].name == "one.xye"
        assert made[COMPARE : COMPARE + 2] == ["mine.cif", structure]
        assert made[PAIR] == ()


def test_a_file_that_holds_no_pattern_is_nothing_to_stand_beside(opening, files, tmp_path):
    empty = tmp_path / "empty.xy"
    empty.touch()
    first = opened(opening, [source(empty)])
    assert "empty.xy: the file is empty" in first[-1].message
    alone = opened(opening, [source(empty), files[2]], first[SOURCE], first[-1])
    assert alone[SOURCE].name == "mine.cif"
    assert "drop it beside a measured pattern" in alone[-1].message
    other = opened(opening, [source(empty), files[0]], first[SOURCE], first[-1])
    assert (other[SOURCE].name, other[PAIR]) == ("one.xye", ())


def test_a_search_is_not_shown_where_another_file_was_opened_meanwhile(files):
    wiring = Wiring(library(FakeEngine()), *[SimpleNamespace(components=list)] * 4)
    view = wiring.actions.show(files[0], FROM_FILE)
    opened, question = Files(), Question()
    filled = [getattr(question, field.name) for field in fields(question)]
    assert len(wiring.begin_loaded(view, None, False, opened, *filled)) > len(wiring.unchanged())
    opened.stopped = True
    assert wiring.begin_loaded(view, None, False, opened, *filled) == wiring.unchanged()


def test_what_ended_is_not_shown_where_another_file_was_opened(opening, files):
    wiring = Wiring(library(FakeEngine(), "miss"), *[SimpleNamespace(components=list)] * 4)
    view, job = wiring.actions.begin(wiring.actions.show(files[0], FROM_FILE).loaded, Question())
    assert job is None
    done = Job(wiring.library.solver, view.loaded.pattern, Options()).start()
    assert done.wait(30)
    seat = Seat(done)
    assert len(wiring.conclude(view, seat, False)) > len(wiring.unchanged())
    opening.files([files[1]], files[0], FROM_FILE, False, seat, Files(), view)
    assert wiring.conclude(view, seat, False) == wiring.unchanged()


def test_the_cif_of_a_structure_is_no_pattern(files, tmp_path):
    assert is_structure(files[2].path)
    assert not is_structure(files[0].path)
    powder = tmp_path / "powder.cif"
    powder.write_text(files[2].path.read_text() + "\n_pd_meas_2theta_range_min 3\n")
    assert not is_structure(powder)
    assert not is_structure(tmp_path / "gone.cif")


def test_files_are_called_as_they_were_where_they_were_dropped(tmp_path):
    stored = tmp_path / "a%22b.xye"
    shutil.copy(PATTERN, stored)
    told = FileData(path=str(stored), orig_name='<a>"b: 50 %.xye', size=stored.stat().st_size)
    box = drop_box("Patterns", "box")
    (found,) = box.preprocess(ListFiles([told]))
    assert found == Source(stored, '<a>"b: 50 %.xye')
    assert box.postprocess([found]).root[0].orig_name == told.orig_name
    assert (box.preprocess(None), box.postprocess(None)) == (None, None)
    assert load(found, FROM_FILE).pattern.source == told.orig_name
    stored.write_text("nothing")
    with pytest.raises(UserError, match=re.escape(told.orig_name)) as refused:
        load(found, FROM_FILE)
    assert "%22" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("../../x.xy", "x.xy"), ("a\nb\u202ec.xy", "a b c.xy"), ("", NAMELESS), ("\n", NAMELESS), ("Ü 😀.xy", "Ü 😀.xy")],
)
def test_what_a_program_calls_a_file_is_one_line_and_no_path(name, shown):
    assert called(name) == shown
    assert len(called("x" * 999)) == 255
