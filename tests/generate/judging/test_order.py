"""The order of candidates, within a formula and between formulas."""

import numpy as np
from generate_helpers import small_mofs
from hypothesis import given
from hypothesis import strategies as st

from generate.candidate import Candidate
from generate.judging import chances, ordered

SHARE = st.floats(0, 1)


def candidate(agreement: float, fit: float, number: int = 0) -> Candidate:
    """One that differs from others by what it is judged by."""
    return Candidate(0, small_mofs()[0], 0.8, fit, 9.0, agreement, 1.0, "noise", 0, number, "a" * 64, 0.0, 0.1)


@given(st.lists(st.tuples(SHARE, SHARE), max_size=6))
def test_the_chances_that_are_shown_never_rise(several):
    found = ordered([candidate(*each, number) for number, each in enumerate(several)])
    shown = [chance.framework for chance in chances(found)]
    assert (np.diff(shown) <= 1e-12).all()
    assert [c.rank for c in found] == list(range(1, len(several) + 1))
    assert [c.crystal.name for c in found] == [f"generated-{rank}" for rank in range(1, len(several) + 1)]
    assert sorted(c.number for c in found) == list(range(len(several)))


def test_the_better_fit_comes_first_where_all_else_is_alike():
    found = ordered([candidate(0.7, 0.5, 0), candidate(0.7, 0.9, 1), candidate(0.7, 0.2, 2)])
    assert [c.number for c in found] == [1, 0, 2]


def test_formulas_are_compared_by_fit_not_by_how_much_their_own_samples_agree():
    small = [candidate(0.9, 0.2, 0), candidate(0.9, 0.2, 1)]  # few atoms: everything overlaps
    large = [candidate(0.5, 0.7, 2), candidate(0.5, 0.6, 3)]
    assert [c.number for c in ordered([*small, *large])] == [2, 3, 0, 1]
