"""The panel that refines the structure shown."""

import base64
import json
from dataclasses import replace

import numpy as np
import pytest
from ui_fakes import SALT, FakeEngine, candidate, library, solution

from ui.actions import Actions
from ui.inputs import FROM_FILE, Loaded, Source
from ui.layout import Outputs
from ui.refining import RefinePanel
from ui.refining.events import RefineEvents, Refinement, shown
from ui.show.report import report_html
from ui.view import View
from xtal.crystals import read_cif
from xtal.physics.artefacts import Scan
from xtal.physics.simulate import simulate


@pytest.fixture(scope="module")
def measured():
    pattern = simulate(SALT, 0.0, np.random.default_rng(4), Scan(20.0, 80.0, 0.04, second=1 / 3))
    return replace(pattern, source="salt.xy")


@pytest.fixture
def shelf():
    return library(FakeEngine())


@pytest.fixture
def answered(shelf, measured, tmp_path):
    """The page after a search, its first hit shown."""
    made = solution()
    made = replace(made, answer=replace(made.answer, pattern=measured))
    loaded = Loaded(measured, Source(tmp_path / "salt.xy", "salt.xy"), FROM_FILE)
    return Actions(shelf).answered(loaded, made)


@pytest.fixture
def refined(shelf, answered):
    return RefineEvents(shelf).refined(answered)


def test_the_button_waits_for_a_structure(answered):
    def buttons(view):
        return [part.interactive for part in RefinePanel.values(view)[1:]]

    assert buttons(View()) == [False, False, False, False]
    assert buttons(answered) == [True, False, False, True]
    assert "Rietveld" in RefinePanel.values(View())[0]


def test_what_was_chosen_meanwhile_stays(answered, refined):
    def view_after(view):
        return shown(view, Refinement(answered, refined), False)[0]

    assert view_after(answered) is refined
    other = replace(answered, hit=0, selected="another")
    assert view_after(other).selected == "another"
    assert view_after(other).refined is None
    assert "was left out" in view_after(other).message


def test_a_refinement_shows_numbers_profile_and_files(shelf, refined, measured):
    html = refined.refinement
    for word in ("Rwp", "GoF", "Space group", "a (Å)", "Rwp of the search", "rietx"):
        assert word in html
    assert [part.interactive for part in RefinePanel.values(refined)[1:]] == [False, True, True, True]
    assert len(refined.overlay.two_theta) == len(measured)
    assert refined.overlay.calculated == pytest.approx(refined.refined.found.profile.calculated)
    assert len(Outputs.values(refined, False)) > len(RefinePanel.values(refined))
    events = RefineEvents(shelf)
    cif, csv = json.loads(events.cif(refined)), json.loads(events.csv(refined))
    assert (cif["name"], csv["name"]) == ("salt-halite-refined.cif", "salt-halite-refined.csv")
    scene = json.loads(refined.scene)
    assert scene["title"] == "halite, refined"
    assert read_cif(scene["cif"]).reduced_formula == "ClNa"


def test_without_a_refinement_there_is_nothing_to_download(shelf, answered):
    events = RefineEvents(shelf)
    assert (events.cif(answered), events.csv(answered)) == ("", "")
    assert events.refined(View()).refined is None


def test_the_hit_is_handed_out_as_the_database_has_it(shelf, answered):
    content = json.loads(RefineEvents(shelf).database(answered))
    assert content["name"] == "halite-database.cif"
    text = base64.b64decode(content["data"]).decode()
    assert "cell as in the database" in text
    assert "_cell_length_a 5.6400" in text
    assert RefineEvents(shelf).database(View()) == ""


def test_another_structure_takes_the_refinement_away(shelf, refined):
    assert Actions(shelf).select(refined, 2).refined is None


def test_what_cannot_be_refined_is_said(shelf, answered):
    shelf.engine.crystal = lambda _id: replace(SALT, lattice=9.1 * np.eye(3))
    view = RefineEvents(shelf).refined(answered)
    assert view.refined is None
    assert "there is nothing to refine" in view.message


def test_a_generated_crystal_is_refined_as_what_it_is(shelf, answered):
    view = replace(answered, solution=replace(answered.solution, candidates=(candidate(1),)))
    chosen = Actions(shelf).select_candidate(view, 1)
    assert "generated candidate, not verified" in RefineEvents(shelf).refined(chosen).refined.cif()


def test_the_report_holds_the_table(refined):
    page = report_html(refined, "salts", "data_x")
    assert "<h2>Refinement</h2>" in page
    assert "Rwp of the search" in page
    assert "<h2>Refinement</h2>" not in report_html(replace(refined, refined=None), "salts", "data_x")
