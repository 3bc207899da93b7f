"""The order of candidates, within a formula and between formulas."""

from generate_helpers import small_mofs

from generate.candidate import Candidate, merged, ranked


def candidate(agreement: float, fit: float, number: int = 0) -> Candidate:
    """One that differs from others by what it is judged by."""
    return Candidate(0, small_mofs()[0], 0.8, fit, 9.0, agreement, 1.0, "noise", 0, number, "a" * 64, 0.0, 0.1)


def test_agreement_counts_before_a_slightly_better_fit():
    found = ranked([candidate(0.60, 0.55, 0), candidate(0.70, 0.5, 1), candidate(0.70, 0.9, 2)])

    assert [c.number for c in found] == [2, 1, 0]
    assert [c.rank for c in found] == [1, 2, 3]
    assert [c.crystal.name for c in found] == ["generated-1", "generated-2", "generated-3"]


def test_formulas_are_compared_by_fit_not_by_how_much_their_own_samples_agree():
    small = [candidate(0.9, 0.2, 0), candidate(0.9, 0.2, 1)]  # few atoms: everything overlaps
    large = [candidate(0.5, 0.7, 2), candidate(0.5, 0.6, 3)]

    found = merged([small, large])

    assert [c.number for c in found] == [2, 3, 0, 1]
    assert [c.rank for c in found] == [1, 2, 3, 4]


def test_within_a_formula_the_order_stays():
    batch = [candidate(0.6, 0.5, 0), candidate(0.7, 0.5, 1)]

    assert [c.number for c in merged([batch])] == [c.number for c in ranked(batch)]
