"""Neighbouring metals in one framework are named together: powder data cannot tell them apart."""

from dataclasses import replace

import pytest

from search.answer import Answer, Hit, Timings
from search.verdict.reasons import indistinct_metals
from xtal.patterns import Lines, Pattern


def hit(formula: str, chi_square: float | None) -> Hit:
    return Hit(1, formula, formula, formula, 0.9, 0.8, 0, 1, 40, 1.0, 0.0, 0.1, 0, (0.0,) * 9, chi_square)


def answer(*hits: Hit) -> Answer:
    pattern = Pattern([*range(5, 20)], [*range(15)], 1.54)
    return Answer(pattern, Lines([1.0], [1.0]), hits, Timings(0, 0, 0))


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ([("C9H3O6Tb", 110.0), ("C9DyH3O6", 120.0)], ("Gd", "Tb", "Dy")),
        ([("C9H3O6Tb", 90.0)], ("Gd", "Tb")),  # a better fit, demoted by what it takes
        ([("C9H3O6Tb", 200.0)], ("Gd",)),  # clearly worse
        ([("C9H3O6Tb", None)], ("Gd",)),  # never compared
        ([("C9H5O7Tb", 101.0)], ("Gd",)),  # another framework
        ([("C9GdH3O6", 101.0)], ("Gd",)),  # a copy
        ([("C9H3O6TbZn", 101.0)], ("Gd",)),  # two metals
    ],
)
def test_metals_of_one_framework_that_fit_alike(others, said):
    found = answer(hit("C9GdH3O6", 100.0), *(hit(*other) for other in others))
    assert indistinct_metals(found) == said


def test_a_hit_without_a_metal_or_with_two_names_none():
    for formula in ("C9H3O6", "C9CuH3O6Zn"):
        assert indistinct_metals(answer(hit(formula, 100.0), replace(hit(formula, 101.0), rank=2))) == ()
