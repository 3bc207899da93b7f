import json

import pytest

from ui.question import HITS, MOST_CANDIDATES, MOST_UNITS, Question
from xtal.errors import UserError


def test_controls_become_options():
    marks = json.dumps({"must": ["Zn"], "without": []})
    options = Question("Zn C H O", marks, "Zn4C24H12O13", True, " Zn4O13C24H12 ", 2, 7).options()
    assert (options.k, options.elements, options.required) == (HITS, {"Zn", "C", "H", "O"}, {"Zn"})
    assert (options.reduced_formula, options.formula, options.units) == ("C24H12O13Zn4", "Zn4O13C24H12", 2)
    assert (options.generate, options.request.count) == ("auto", 7)


def test_a_formula_written_as_a_multiple_is_generated_as_one():
    lactose = Question(formula="C12H24O12").options()
    assert (lactose.reduced_formula, lactose.held) == ("CH2O", ("(CH2O)12", None))
    assert Question(formula="C12H24O12", contents="C24H48O24").options().held == ("C24H48O24", 1)
    assert Question().options().held[0] == ""


def test_what_is_known_of_the_answer_reaches_the_generation():
    request = Question(metals=" Zn, Cu ", linkers="1,4-BDC; 4,4'-bipyridine;").options().request
    assert (request.metals, request.linkers) == (("Zn", "Cu"), ("1,4-BDC", "4,4'-bipyridine"))
    with pytest.raises(UserError, match="one or two metals with the linkers"):
        Question(linkers="BDC").options()


def test_nothing_is_generated_unless_wanted():
    assert Question().options().generate == "never"


@pytest.mark.parametrize(
    ("units", "count", "kept"), [(None, 1, (1, 1)), (0, 0, (1, 1)), (1e9, 1e9, (MOST_UNITS, MOST_CANDIDATES))]
)
def test_numbers_stay_within_what_can_be_done(units, count, kept):
    options = Question(units=units, count=count).options()
    assert (options.units, options.request.count) == kept


def test_a_control_that_cannot_be_read_is_explained():
    with pytest.raises(UserError, match="no element symbol"):
        Question("Qq").options()
