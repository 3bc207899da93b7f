"""The benchmark of what programs do to patterns."""

import numpy as np
import pytest

from indexer.crew import Crew
from search.benchmark.gallery import held_out
from search.benchmark.robustness import DEPTHS, WAVELENGTHS, measured, robustness
from xtal.errors import UserError
from xtal.patterns import q_from_two_theta
from xtal.patterns.treatments import TREATMENTS


def test_every_treatment_and_wavelength_is_reported(engine):
    moved = []
    results = robustness(Crew(engine), None, 3, 0.0, 1, lambda _, count, total: moved.append((count, total)))
    assert [r.treatment for r in results] == [*TREATMENTS, *(f"{w:g} Å" for w in WAVELENGTHS)]
    assert sum(count for count, _ in moved) == moved[0][1]
    for result in results:
        assert len(result.found) == len(DEPTHS)
        assert result.match is None
        assert list(result.found) == sorted(result.found)
    assert results[0].found[-1] == 100


def test_the_sample_is_the_same_at_every_wavelength(engine):
    rows = held_out(engine.index)[:2]
    usual, short = (list(measured(engine, rows, 1.0, 0, w)) for w in (1.5418, 0.4127))
    for one, other in zip(usual, short, strict=True):
        assert len(other) == pytest.approx(len(one), rel=0.02)
        np.testing.assert_allclose(one.q_range, other.q_range, rtol=1e-6)
        strongest = [q_from_two_theta(p.two_theta[p.intensity.argmax()], p.wavelength) for p in (one, other)]
        assert strongest[0] == pytest.approx(strongest[1], abs=0.03)


def test_too_many_queries_are_refused(engine):
    with pytest.raises(UserError, match=r"allows 1 to \d+ held-out queries, got 5000"):
        robustness(Crew(engine), None, 5000, 1.0, 0)
