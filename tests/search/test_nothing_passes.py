"""A formula that no entry has: a miss, and what is generated; a match that it excludes is named."""

import pytest

from generate.request import Request
from search.options import Event, Options
from xtal.errors import UserError

QUICK = Request(count=2, steps=3, seconds=0)


def test_a_formula_that_no_entry_has_is_a_miss_and_what_is_generated(solver, foreign):
    events: list[Event] = []
    solution = solver.solve(foreign, Options(reduced_formula="ClNa", request=QUICK), events.append)
    assert (solution.verdict.kind, solution.verdict.headline, solution.answer.hits) == ("miss", "No match", ())
    assert "no entry of the index has the reduced formula ClNa" in solution.verdict.reasons[0]
    assert "no other entry is a match either" in solution.verdict.reasons[1]
    assert solution.verdict.unexplained[0] == pytest.approx(31.8, abs=0.05)  # the strongest line first
    assert {candidate.crystal.reduced_formula for candidate in solution.candidates} == {"ClNa"}
    assert "formula units" in solution.notes[0]
    assert solver.solve(foreign, Options(reduced_formula="ClNa", request=QUICK)).cached


def test_a_match_that_the_formula_excludes_is_named_before_anything_is_generated(solver, held):
    known = str(solver.engine.index.entries.ids[7])
    solution = solver.solve(held, Options(reduced_formula="ClNa", request=QUICK))
    assert (solution.answer.hits, solution.candidates, solution.answer.excluded.id) == ((), (), known)
    assert f"{known} " in solution.verdict.reasons[1]
    assert f"{known}, which the filter excludes, is a match: ask again without" in solution.notes[0]


@pytest.mark.parametrize(
    "options", [Options(reduced_formula="ClNa", generate="never"), Options(required=frozenset({"Xe"}))]
)
def test_a_filter_that_nothing_passes_is_an_error_where_nothing_can_be_generated(solver, held, options):
    with pytest.raises(UserError, match="no entry of the index has"):
        solver.solve(held, options)
