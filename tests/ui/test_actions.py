import json
import threading
from dataclasses import replace
from pathlib import Path

import gemmi
import numpy as np
import pytest
from ui_fakes import SALT, FakeEngine, hit, library, loaded

from search.cache import Cache, Origin
from ui.actions import Actions
from ui.inputs import FROM_FILE, Source
from ui.question import HITS, Question
from ui.view import View
from xtal.crystals import read_cif
from xtal.physics import LineTable, crystal_lines

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
    assert [trace.name for trace in view.figure(False).data] == ["Measured", "Peaks found"]
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


def search(actions, given, **controls) -> View:
    view, job = actions.begin(given, Question(**controls))
    assert job is None
    return view


def test_a_search_shows_the_best_hit(actions, engine):
    view = search(actions, loaded(), elements="Na Cl", formula="NaCl")
    assert engine.asked == [(HITS, {"Na", "Cl"}, "ClNa", set())]
    assert "1,234 structures searched in 42 ms" in view.facts
    assert view.table.count('aria-selected="true"') == 1
    assert 'data-rank="1" tabindex="0" aria-selected="true"' in view.table
    assert [t.name for t in view.figure(False).data][3] == "Reflections of halite"


def test_the_offered_cif_is_the_structure_and_says_where_it_comes_from(actions):
    content = json.loads(search(actions, loaded()).scene)
    assert content["file"] == "halite.cif"
    assert "# halite of index salts, found by Xtalscout for salt.xy" in content["cif"]
    crystal = read_cif(content["cif"])
    assert (crystal.formula, crystal.volume) == ("Cl4Na4", pytest.approx(5.64**3))
    assert gemmi.cif.read_string(content["cif"]).sole_block().find_value("_cell_length_a")


def test_another_row_can_be_selected(actions):
    view = actions.select(search(actions, loaded()), 2)
    assert 'data-rank="2" tabindex="0" aria-selected="true"' in view.table
    assert json.loads(view.scene)["file"] == "halite_b.cif"
    assert view.selected == "halite/b"


def test_searching_without_a_pattern_asks_for_one(actions):
    assert "Drop a file or pick an example first" in search(actions, None).message


def test_searching_before_the_index_is_ready_keeps_the_pattern():
    view = search(Actions(library(None)), loaded())
    assert "not ready yet" in view.message
    assert view.loaded is not None


@pytest.mark.parametrize(
    ("elements", "formula", "words"),
    [("Qq", "", "no element symbol"), ("", "zn(4)", "no formula"), ("", "Xe", "no structure has xenon")],
)
def test_a_filter_that_cannot_be_used_is_explained_beside_the_pattern(actions, elements, formula, words):
    view = search(actions, loaded(), elements=elements, formula=formula)
    assert words in view.message
    assert [trace.name for trace in view.figure(False).data] == ["Measured", "Peaks found"]


def test_a_notice_of_the_reader_stays_after_the_search(actions):
    assert "states another" in search(actions, loaded("states another")).message


def test_selecting_on_an_empty_page_changes_nothing(actions):
    view = View()
    assert actions.select(view, 1) is view


def test_a_match_is_told_with_its_probability(actions):
    view = search(actions, loaded(), generate=True)
    assert "Match: 97 % likely" in view.verdict
    assert "This very structure</dt><dd>42 %" in view.table
    assert f"?answer={view.solution.key[:8]}" in view.verdict
    assert view.candidates == ""


def test_lines_without_an_explanation_are_pointed_at(actions, engine):
    engine.index.lines = LineTable.stack([crystal_lines(replace(SALT, lattice=np.eye(3) * 4.1))] * 2)
    view = search(actions, loaded())
    assert [round(angle) for angle in view.unexplained[:2]] == [32, 45]
    assert view.figure(False).data[-1].name == "Not explained"


def missing(kind: str = "miss", **changes) -> Actions:
    made = Actions(library(FakeEngine(), kind))
    for name, value in changes.items():
        setattr(made.library.solver, name, value)
    return made


def ended(actions, view, job) -> View:
    assert job.wait(30)
    return actions.finish(view, job)


def held() -> threading.Event:
    """A generation of this `go` stays at its first step until it is set."""
    return threading.Event()


def test_a_miss_goes_on_generating_while_its_hits_show():
    go = held()
    actions = missing(go=go)
    actions.library.engine.hits = (hit(1, fit=0.3), hit(2, "halite/b", fit=0.2))
    view, job = actions.begin(loaded(), Question(generate=True, contents="NaCl", count=2))
    assert view.selected == "halite"
    assert "No match: 12 % likely" in view.verdict
    assert (job.done, job.step.step, job.step.crystal is SALT) == (False, 1, True)
    go.set()
    view = ended(actions, view, job)
    assert "Generated, not verified" in view.candidates
    assert (view.candidate, view.hit, view.selected) == (1, 0, "candidate 1")
    assert [trace.name for trace in view.figure(False).data][3] == "Reflections of candidate 1"
    assert "fits better" not in view.candidates


def test_the_cif_of_a_candidate_says_what_it_is():
    actions = missing()
    view, job = actions.begin(loaded(), Question(generate=True, contents="NaCl", count=2))
    view = view if job is None else ended(actions, view, job)
    content = json.loads(actions.select_candidate(view, 2).scene)
    assert content["file"] == "salt-generated-2.cif"
    assert "a proposal, not verified" in content["cif"]
    assert any("closest atoms" in fact for fact in content["views"][0]["facts"])
    assert read_cif(content["cif"]).formula == "Cl4Na4"


def test_a_reader_who_looked_elsewhere_is_not_taken_back():
    go = held()
    actions = missing(go=go)
    view, job = actions.begin(loaded(), Question(generate=True, contents="NaCl"))
    job.previewing = False
    view = actions.select(view, 2)
    go.set()
    view = ended(actions, view, job)
    assert (view.hit, view.candidate) == (2, 0)
    assert "Generated, not verified" in view.candidates


def test_a_cancelled_generation_leaves_the_hits_which_are_kept(tmp_path):
    go = held()
    with Cache.open(tmp_path / "cache.duckdb") as cache:
        actions = missing(go=go, cache=cache)
        view, job = actions.begin(loaded(), Question(generate=True, contents="NaCl"))
        job.cancel()
        assert job.wait(0)
        view = actions.finish(view, job)
        assert "The generation was cancelled." in view.candidates
        assert view.selected == "halite"
        go.set()
        job._thread.join(30)
        assert not job._thread.is_alive()
        assert [entry.key for entry in cache.history()] == [view.solution.key]


def test_a_page_that_is_opened_again_finds_the_generation_under_way(tmp_path):
    go = held()
    with Cache.open(tmp_path / "cache.duckdb") as cache:
        actions = missing(go=go, cache=cache)
        view, job = actions.begin(loaded(), Question(generate=True, contents="NaCl"))
        key = view.solution.key[:8]
        assert f"?answer={key}" in view.verdict
        again, same = actions.rejoin(key)
        assert same is job
        assert again.verdict == view.verdict
        assert again.loaded is view.loaded
        go.set()
        assert job.wait(30)
        after, none = actions.rejoin(key)
        assert none is None
        assert "Generated, not verified" in after.candidates
        assert actions.rejoin("")[1] is None


def test_a_finished_job_of_another_pattern_changes_nothing():
    actions = missing()
    view, job = actions.begin(loaded(), Question(generate=True, contents="NaCl"))
    other = search(Actions(library(FakeEngine())), loaded())
    if job is not None:
        assert ended(actions, other, job) is other
    assert view is not other


def test_generation_can_be_left_out():
    view = search(missing(), loaded(), generate=False)
    assert "No match" in view.verdict
    assert view.candidates == ""


@pytest.fixture
def keeping(tmp_path):
    with Cache.open(tmp_path / "cache.duckdb") as cache:
        yield Actions(library(FakeEngine(), cache=cache))


def test_an_answer_opens_again_by_the_first_digits_of_its_key(keeping):
    first = search(keeping, loaded())
    again = keeping.reopen(first.solution.key[:8])
    assert "Match: 97 % likely" in again.verdict
    assert "as asked before" in again.facts
    assert "when first asked" in again.facts
    assert (again.selected, again.given) == ("halite", "Pattern")


@pytest.mark.parametrize("prefix", ["", "../..", "<script>", "0123"])
def test_what_names_no_answer_is_refused(keeping, prefix):
    assert "first 8 digits of its key" in keeping.reopen(prefix).message


def test_an_unknown_answer_is_explained(keeping):
    assert 'role="alert"' in keeping.reopen("00000000").message


def test_an_answer_of_another_build_is_shown_without_its_structures(keeping):
    first = search(keeping, loaded())
    keeping.library.solver.origin = Origin("embedder", "denoiser", "salts", "build-2")
    again = keeping.reopen(first.solution.key[:8])
    assert "another build of the index" in again.message
    assert (again.overlay, again.scene) == (None, "")
    assert "halite" in again.table


def test_a_hit_that_fits_better_than_what_was_generated_stays():
    go = held()
    actions = missing(go=go)
    view, job = actions.begin(loaded(), Question(generate=True, contents="NaCl", count=2))
    go.set()
    view = ended(actions, view, job)
    assert (view.hit, view.candidate, view.selected) == (1, 0, "halite")
    assert "Generated, not verified" in view.candidates
    assert "The best hit fits better than candidate 1 (0.800 against 0.600)" in view.candidates


def test_a_mixture_is_shown_with_all_its_phases_until_a_hit_is_chosen(engine):
    actions = Actions(library(engine, "match_and_more"))
    view = search(actions, loaded())
    assert view.solution.verdict.kind == "match_and_more"
    assert [part.name for part in view.overlay.parts] == ["halite", "<ice>"]
    assert (view.hit, view.selected, view.unexplained) == (0, "halite + <ice>", (45.4,))
    assert json.loads(view.scene)["cif"]
    chosen = actions.select(view, 2)
    assert (chosen.hit, chosen.selected, chosen.overlay.parts) == (2, "halite/b", ())


def test_a_mixture_starts_no_generation(engine):
    actions = Actions(library(engine, "match_and_more"))
    assert search(actions, loaded(), generate=True).solution.candidates == ()
