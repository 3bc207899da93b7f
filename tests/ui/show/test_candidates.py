import pytest
from ui_fakes import candidate, solution

from generate.preview import Turn
from ui.job import Step
from ui.show.candidates import candidates_html, progress_html


def made(**changes):
    return solution("miss", candidates=(candidate(1), candidate(2)), notes=("tried <two> formulas",), **changes)


def test_candidates_are_called_what_they_are():
    table = candidates_html(made(), 0)
    assert "Generated, not verified" in table
    assert table.count("<tr data-rank") == 2
    assert '<span class="xs-triple">5.64 5.64 5.64</span> <span class="xs-triple">90.0 90.0 90.0</span>' in table
    assert "Tried &lt;two&gt; formulas." in table
    assert "&lt;halite&gt;" in table


def test_overlapping_atoms_are_marked():
    table = candidates_html(made(), 0)
    assert '<span class="xs-bad">0.80</span>' in table
    assert "<span>1.10</span>" in table


def test_the_selected_row_is_marked_and_reached_with_the_tabulator():
    assert 'data-rank="2" tabindex="0" aria-selected="true"' in candidates_html(made(), 2)
    assert 'data-rank="1" tabindex="0" aria-selected="false"' in candidates_html(made(), 0)


def test_without_candidates_the_notes_remain():
    assert candidates_html(solution(notes=("nothing was generated: why",)), 0).count("<p") == 1
    assert candidates_html(solution(), 0) == ""


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Step(), "<span>Generating: opening the model<"),
        (Step(3, 10), "<span>Generating, step 3 of 10<"),
        (Step(3, 10, Turn(1, 1, "ClNa"), 0.3), "Generating, ClNa, step 3 of 10"),
        (Step(3, 10, Turn(2, 3, "ClNa"), 0.4), "Generating, formula 2 of 3: ClNa, step 3 of 10"),
        (Step(3, 10, Turn(2, 3, "ClNa"), 0.4), '<progress value="0.400">'),
        (Step(10, 10, Turn(2, 3, "ClNa"), 0.6), "Generated, formula 2 of 3: ClNa, refining the cells"),
        (Step(10, 10), "refining the cells"),
    ],
)
def test_progress_says_what_is_being_done(step, words):
    assert words in progress_html(step)


def test_no_progress_without_a_generation():
    assert progress_html(None) == ""


def test_a_search_from_parts_is_told_from_sampling():
    step = Step(30, 30, Turn(formula="ZnO"), 0.8, None, "searching for the places of its parts")
    words = progress_html(step)
    assert "Generating, ZnO, searching for the places of its parts" in words.replace(": ", ", ")
    assert "step 30" not in words
    assert 'value="0.800"' in words
