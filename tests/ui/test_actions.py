import json
from pathlib import Path

import gemmi
import pytest
from ui_fakes import FakeEngine, library, loaded

from ui.actions import HITS, Actions, View
from ui.inputs import FROM_FILE, Source
from xtal.cif import read_cif

PATTERNS = Path(__file__).parents[1] / "data" / "patterns"


@pytest.fixture
def engine():
    return FakeEngine()


@pytest.fixture
def actions(engine):
    return Actions(library(engine))


def test_a_pattern_is_drawn_before_any_search(actions):
    view = actions.show(Source(PATTERNS / "sigma.xye", "sigma.xye"), FROM_FILE)
    assert "λ = 1.54060 Å" in view.facts
    assert "from the file" in view.facts
    assert [trace.name for trace in view.figure(False).data] == ["Measured", "Lines found"]
    assert (view.answer, view.scene, view.message) == (None, "", "")


def test_a_bad_file_gives_its_message_and_no_pattern(actions, tmp_path):
    bad = tmp_path / "<b>.xy"
    bad.write_text("not a pattern")
    view = actions.show(Source(bad, bad.name), FROM_FILE)
    assert 'role="alert"' in view.message
    assert "&lt;b&gt;.xy" in view.message
    assert "Traceback" not in view.message
    assert view.loaded is None
    assert len(view.figure(False).data) == 0


def test_no_file_gives_the_empty_page(actions):
    assert actions.show(None, FROM_FILE).message == ""


def test_a_search_shows_the_best_hit(actions, engine):
    view = actions.search(loaded(), "Na Cl", "NaCl")
    assert engine.asked == [(HITS, {"Na", "Cl"}, "ClNa")]
    assert "1,234 structures searched in 42 ms" in view.facts
    assert view.table.count('aria-selected="true"') == 1
    assert 'data-rank="1" tabindex="0" aria-selected="true"' in view.table
    assert [t.name for t in view.figure(False).data][3] == "Lines of halite"


def test_the_offered_cif_is_the_structure_and_says_where_it_comes_from(actions):
    content = json.loads(actions.search(loaded(), "", "").scene)
    assert content["file"] == "halite.cif"
    assert "# halite of index salts, found by Xtalscout for salt.xy" in content["cif"]
    crystal = read_cif(content["cif"])
    assert (crystal.formula, crystal.volume) == ("Cl4Na4", pytest.approx(5.64**3))
    assert gemmi.cif.read_string(content["cif"]).sole_block().find_value("_cell_length_a")


def test_another_row_can_be_selected(actions):
    view = actions.select(actions.search(loaded(), "", ""), 2)
    assert 'data-rank="2" tabindex="0" aria-selected="true"' in view.table
    assert json.loads(view.scene)["file"] == "halite_b.cif"
    assert view.selected == "halite/b"


def test_searching_without_a_pattern_asks_for_one(actions):
    assert "Drop a file or pick an example first" in actions.search(None, "", "").message


def test_searching_before_the_index_is_ready_keeps_the_pattern():
    view = Actions(library(None)).search(loaded(), "", "")
    assert "not ready yet" in view.message
    assert view.loaded is not None


@pytest.mark.parametrize(
    ("elements", "formula", "words"),
    [("Qq", "", "no element symbol"), ("", "zn(4)", "no formula"), ("", "Xe", "no structure has xenon")],
)
def test_a_filter_that_cannot_be_used_is_explained_beside_the_pattern(actions, elements, formula, words):
    view = actions.search(loaded(), elements, formula)
    assert words in view.message
    assert [trace.name for trace in view.figure(False).data] == ["Measured", "Lines found"]


def test_a_notice_of_the_reader_stays_after_the_search(actions):
    assert "states another" in actions.search(loaded("states another"), "", "").message


def test_selecting_on_an_empty_page_changes_nothing(actions):
    view = View()
    assert actions.select(view, 1) is view
