import json
from collections import Counter

import pytest

from ui.show.elements import Choice, periodic_html, place, symbols
from xtal.errors import UserError


def choice(must=(), without=()) -> Choice:
    return Choice.parse(json.dumps({"must": list(must), "without": list(without)}))


@pytest.mark.parametrize(
    ("number", "where"),
    [(1, (1, 1)), (2, (1, 18)), (6, (2, 14)), (13, (3, 13)), (21, (4, 3)), (30, (4, 12)), (35, (4, 17)), (48, (5, 12)),
     (57, (9, 4)), (71, (9, 18)), (72, (6, 4)), (80, (6, 12)), (86, (6, 18)), (92, (10, 7))],
)  # fmt: skip
def test_elements_stand_where_chemists_look_for_them(number, where):
    assert place(number) == where


def test_no_two_elements_share_a_place():
    places = Counter(place(number) for number in range(1, len(symbols()) + 1))
    assert max(places.values()) == 1
    assert all(1 <= column <= 18 for _, column in places)


def test_every_element_is_a_button_and_one_is_a_tab_stop():
    table = periodic_html()
    assert table.count("<button") == len(symbols())
    assert table.count('tabindex="0"') == 1


def test_nothing_marked_asks_for_nothing():
    assert Choice.parse("") == Choice.parse(None) == Choice()
    assert Choice().allowed(None) is None
    assert Choice().allowed(frozenset({"Zn"})) == {"Zn"}


def test_what_must_not_be_there_is_taken_from_what_may():
    marked = choice(must=["Zn"], without=["Cl", "Br"])
    assert marked.must == {"Zn"}
    assert marked.allowed(None) == set(symbols()) - {"Cl", "Br"}
    assert marked.allowed(frozenset({"Zn", "Cl"})) == {"Zn"}


def test_a_contradiction_is_explained():
    with pytest.raises(UserError, match="Zn must be there by the periodic table, but is not among"):
        choice(must=["Zn"]).allowed(frozenset({"Cu"}))


@pytest.mark.parametrize("text", ["{", "[]", '{"must": []}', '{"must": 3, "without": []}', "7"])
def test_marks_that_the_page_never_sends_are_refused(text):
    with pytest.raises(UserError, match="cannot be read"):
        Choice.parse(text)


def test_an_unknown_symbol_is_refused():
    with pytest.raises(UserError, match="Xx: no such element"):
        choice(must=["Xx"])
