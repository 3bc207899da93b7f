import copy
import csv
import io
import re
import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
from ui_fakes import FakeEngine, FakeSolver, hit, library, loaded, solution

from ui.batch import BatchEvents, Files, batch_html
from ui.batch.batch import COLUMNS, Batch, Item, answer_all, batch_csv, batch_zip
from ui.batch.series import series_html
from ui.inputs import FROM_FILE, Source
from ui.question import Question
from ui.view import View
from ui.wiring import Wiring
from xtal.crystals import read_cif
from xtal.errors import UserError

PATTERNS = Path(__file__).parents[2] / "data" / "patterns"


@pytest.fixture
def sources(tmp_path) -> list[Source]:
    """A good file, one that is no pattern, and the good one under a name that looks like markup."""
    (tmp_path / "notes.xy").write_text("shopping list")
    shutil.copy(PATTERNS / "sigma.xye", tmp_path / "good.xye")
    names = ["good.xye", "notes.xy"]
    made = [Source(tmp_path / name, name) for name in names]
    return [*made, Source(tmp_path / "good.xye", "<img src=x>.xye")]


@pytest.fixture
def states(sources):
    return list(answer_all(FakeSolver(FakeEngine(), "miss"), sources, FROM_FILE, Question(generate=True)))


def test_a_bad_file_does_not_stop_the_others(states):
    assert [item.error != "" for item in states[-1]] == [False, True, False]
    assert "notes.xy" in states[-1][1].error
    assert [item.solution is not None for item in states[0]] == [True, False, False]


def test_nothing_is_generated_for_many_files(states):
    assert all(not item.solution.candidates for item in states[-1] if item.solution)


def test_the_table_tells_how_far_it_is_and_escapes_names(states):
    first, last = batch_html(states[0], 0), batch_html(states[-1], 3)
    assert "1 of 3 files: 1 no match" in first
    assert first.count("waiting") == 4  # text and title of two rows
    assert "3 of 3 files: 2 no match, 1 error" in last
    assert "<img" not in last
    assert 'data-rank="3" tabindex="0" aria-selected="true"' in last


def test_no_batch_shows_nothing():
    assert batch_html((), 0) == ""


def test_the_csv_holds_a_line_for_every_file(states):
    rows = list(csv.DictReader(io.StringIO(batch_csv(states[-1]).decode("utf-8-sig"))))
    assert [row["file"] for row in rows] == ["good.xye", "notes.xy", "<img src=x>.xye"]
    assert [row["verdict"] for row in rows] == ["no match", "error", "no match"]
    assert rows[0] | {"note": ""} == {
        "file": "good.xye", "verdict": "no match", "probability": "0.1200", "structure": "halite",
        "first hit": "halite", "formula": "ClNa",
        "similarity": "0.9000", "fit": "0.8000", "generated formula": "", "generated fit": "", "note": "",
    }  # fmt: skip
    assert "Generated" not in batch_html(states[-1], 0)


def test_a_name_cannot_become_a_formula_of_a_spreadsheet():
    table = batch_csv((Item(Source(Path("x"), "=HYPERLINK(1).xy"), error="+bad"),)).decode("utf-8-sig")
    assert table.splitlines()[1].startswith("'=HYPERLINK(1).xy,error")
    assert table.rstrip().endswith("'+bad")


def test_the_archive_holds_a_cif_of_every_first_hit_under_safe_names(states):
    given = loaded()
    odd = solution()
    odd = Item(Source(Path("x"), "../../etc/passwd.xy"), given, odd)
    with zipfile.ZipFile(io.BytesIO(batch_zip((*states[-1], odd), FakeEngine(), "salts"))) as archive:
        names = archive.namelist()
        assert names == ["01-good-halite.cif", "03-_img_src_x_-halite.cif", "04-passwd-halite.cif"]
        assert read_cif(archive.read(names[0]).decode()).formula == "Cl4Na4"


def test_a_hit_without_a_fit_has_an_empty_cell():
    made = solution()
    bare = Item(Source(Path("x"), "x.xy"), loaded(), made)
    object.__setattr__(made.answer, "hits", (hit(1, fit=None),))
    assert ",0.9000,," in batch_csv((bare,)).decode()


def test_files_begin_unstopped():
    assert not Files().stopped
    assert Files().sources == ()


def test_the_first_who_asks_answers_files_and_a_copy_of_the_first_value_can_be_asked():
    first, page = Files(), copy.deepcopy(Files())
    assert [first.claim(), first.claim(), page.claim()] == [True, False, True]


def answered(files: Files, engine: FakeEngine | None) -> list[Batch]:
    """Return the batches that the page would show."""
    filled = ("", "", "", False, "", 1, 2)
    shown = BatchEvents(library(engine)).answer(files, FROM_FILE, *filled)
    return [batch for batch, *_ in shown if isinstance(batch, tuple)]


def test_files_are_answered_once_whatever_arrives_first_the_index_or_they(sources):
    files = Files(tuple(sources))
    assert answered(files, None) == []  # the index is not there yet, and finds them waiting
    assert [item.waiting for item in answered(files, FakeEngine())[-1]] == [False] * 3
    assert answered(files, FakeEngine()) == []


def test_nothing_is_opened_or_generated_before_the_last_answer(states, sources):
    wiring = Wiring(library(FakeEngine()), *[SimpleNamespace(components=list)] * 4)
    files, kept = Files(tuple(sources)), gr.skip()
    assert wiring.open_first(View(), states[0], files, False) == [kept]
    events = BatchEvents(library(FakeEngine(), "miss"))
    assert list(events.generate(files, states[0], True, "", "", "", True, "", 1, 2)) == [[kept] * 3]
    table, first = wiring.open_first(View(), states[-1], files, False)[:2]
    assert "3 of 3 files" in table
    assert first.solution is states[-1][0].solution


@pytest.mark.parametrize(
    ("engine", "wanted", "starts"), [(None, "", False), (FakeEngine(), "", False), (FakeEngine(), "1a", True)]
)
def test_a_page_that_finds_the_index_ready_starts_only_what_its_address_names(engine, wanted, starts):
    """Files dropped while it does anything else would be answered twice, and the later answers overwritten."""
    wiring = Wiring(library(engine), *[SimpleNamespace(components=list)] * 4)
    _, _, ready, named, _ = wiring.arrive("", SimpleNamespace(query_params={"answer": wanted}))
    assert (ready, named) == (starts, wanted)
    assert wiring.poll()[2] is (engine is not None)  # when the index arrives while the page is open, what waits starts


def test_what_must_be_mended_stands_at_the_top_and_columns_can_be_sorted(states):
    html = batch_html(states[-1], 0)
    assert re.findall(r'data-rank="(\d)"', html) == ["2", "1", "3"]
    assert html.count('<button type="button" class="xs-sort">') == len(COLUMNS)
    assert 'data-value="0.1200"' in html


def test_a_batch_is_drawn_as_a_series(states):
    engine = FakeEngine()
    html = series_html(states[-1], engine)
    assert html.count("data:image/svg+xml;base64,") == 2
    assert 'download="series.csv"' in html
    with pytest.raises(UserError, match="two answered files or more, there are 1"):
        series_html(states[0], engine)
    events = BatchEvents(library(engine))
    assert "two answered files" in events.series(states[0])


def test_names_of_several_phases_stand_apart_and_are_escaped(states):
    mixed = Item(states[-1][0].source, loaded(), solution(), found="HKUST-1 + <b>ZIF-8</b>")
    table = batch_html((mixed,), 0)
    assert '<span class="xs-one">HKUST-1</span> + <span class="xs-one">&lt;b&gt;ZIF-8&lt;/b&gt;</span>' in table
