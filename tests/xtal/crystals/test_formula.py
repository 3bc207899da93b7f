import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtal.crystals import amounts_of, as_written, atoms_of_formula, parse_elements, parse_formula, units_of
from xtal.errors import UserError


@pytest.mark.parametrize("text", ["Zn C H O", "Zn,C,H,O", "ZnCHO", "zn c h o", " O; H / C -- Zn "])
def test_elements_in_any_spelling(text):
    assert parse_elements(text) == {"Zn", "C", "H", "O"}


def test_deuterium_is_hydrogen():
    assert parse_elements("D O") == {"H", "O"}
    assert parse_formula("D2O") == "H2O"


@pytest.mark.parametrize(
    ("text", "units"), [("C12H24O12", 12), ("Zn4O(C8H4O4)3", 1), ("(CH2O)6", 6), ("Zn0.5C2", 1), ("", 1)]
)
def test_how_many_reduced_formulas_were_written(text, units):
    assert units_of(text) == units


def test_blank_filters_are_no_filters():
    assert parse_elements("  ") is None
    assert parse_formula("  ") is None


@pytest.mark.parametrize("text", ["Zn Xx", "Zn Q", "hello", "123"])
def test_elements_that_do_not_exist_are_refused(text):
    with pytest.raises(UserError, match="no element symbol"):
        parse_elements(text)


@pytest.mark.parametrize(
    ("text", "reduced"),
    [("Zn4 C24 H12 O13", "C24H12O13Zn4"), ("SiO2", "O2Si"), ("Na4Cl4", "ClNa"), ("Si_2 O_4", "O2Si"), ("C2H4", "CH2")],
)
def test_formulas_are_reduced_and_put_in_hill_order(text, reduced):
    assert parse_formula(text) == reduced


@pytest.mark.parametrize(
    ("text", "reduced"),
    [
        ("Zr6O4(OH)4(C8H4O4)6", "C24H14O16Zr3"),
        ("[Cu3(C9H3O6)2]", "C6H2CuO4"),
        ("Zn4O (O2C-C6H4-CO2)3".replace("-", ""), "C24H12O13Zn4"),
        ("Ca((HO)2)", "CaH2O2"),
        ("Zn(C4H5N2)2", "C8H10N4Zn"),
    ],
)
def test_brackets_are_multiplied_out(text, reduced):
    assert parse_formula(text) == reduced


@given(st.lists(st.tuples(st.sampled_from(["Zn", "C", "O", "H"]), st.integers(1, 9)), min_size=1), st.integers(1, 9))
def test_a_bracket_is_what_it_holds_so_many_times(atoms, count):
    plain = "".join(f"{symbol}{number}" for symbol, number in atoms)
    inside = amounts_of(f"({plain}){count}")
    assert inside == {symbol: count * amount for symbol, amount in amounts_of(plain).items()}


@pytest.mark.parametrize(
    "text", ["Zn4O(BDC)3", "zn4", "4Zn", "Zn(OH", "Zn)2", "Zn()", "()", "(2Zn)", "UiO-66", "Zn(4)"]
)
def test_what_is_no_formula_is_refused(text):
    with pytest.raises(UserError, match="no formula; write symbols with counts"):
        parse_formula(text)


def test_a_formula_with_an_unknown_element_is_refused():
    with pytest.raises(UserError, match="'Xx' is no element symbol"):
        parse_formula("Xx2O3")


@pytest.mark.parametrize(
    ("text", "units", "numbers"),
    [
        ("ZnO", 2, [8, 8, 30, 30]),
        ("Zn O", 1, [8, 30]),
        ("C2H4", 1, [1, 1, 1, 1, 6, 6]),  # as written, not reduced
        ("HOH", 1, [1, 1, 8]),
        ("D2O", 1, [1, 1, 8]),
        ("Fe0.5O0.5", 2, [8, 26]),
        ("Si_2 O_4", 1, [8, 8, 8, 8, 14, 14]),
    ],
)
def test_formulas_are_counted_out(text, units, numbers):
    atoms = atoms_of_formula(text, units)
    assert atoms.tolist() == numbers
    assert atoms.dtype == np.int64


@pytest.mark.parametrize(("text", "units"), [("Fe0.5O", 1), ("Na1.33Cl", 2), ("", 1), ("  ", 3)])
def test_what_is_no_whole_number_of_atoms_is_refused(text, units):
    with pytest.raises(UserError, match=r"no whole number of atoms; write the contents of one cell: Zn4C24H12O13"):
        atoms_of_formula(text, units)


@pytest.mark.parametrize(("text", "words"), [("Zn4O(BDC)3", "no formula"), ("zno", "no formula"), ("Xx2", "no elem")])
def test_what_is_no_formula_has_no_atoms(text, words):
    with pytest.raises(UserError, match=words):
        atoms_of_formula(text)


@pytest.mark.parametrize(
    ("hill", "written"),
    [
        ("CCaO3", "CaCO3"),
        ("ClCu", "CuCl"),
        ("SZn", "ZnS"),
        ("H3LaO3", "LaH3O3"),
        ("ClH4N", "NH4Cl"),
        ("Al2O5Si", "Al2SiO5"),
        ("CSi", "SiC"),
        ("AlTi", "TiAl"),
        ("F6K2Si", "K2SiF6"),
        ("O2Xe", "O2Xe"),
        ("C24H12O13Zn4", "C24H12O13Zn4"),
    ],
)
def test_formulas_are_written_as_chemists_do(hill, written):
    assert as_written(hill) == written
    assert parse_formula(written) == parse_formula(hill)
