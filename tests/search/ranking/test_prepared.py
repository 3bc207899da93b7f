"""A target that was made for the search is not made again for its verdict."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from search.ranking import prepared
from search.verdict.scrutiny import Scrutiny
from xtal.patterns.sample import Sample


@pytest.fixture
def made(monkeypatch):
    """Of which patterns a background was estimated."""
    found = []
    estimate = prepared.background
    monkeypatch.setattr(prepared, "background", lambda pattern: found.append(pattern) or estimate(pattern))
    return found


def test_the_verdict_takes_over_the_target_of_its_search(engine, patterns, made):
    (answer,) = engine.query(patterns[:1], k=3)
    handed = Scrutiny.of(answer, answer.hits[0], engine.index)
    assert made == []
    with ThreadPoolExecutor(1) as pool:  # another thread knows nothing of that search
        assert pool.submit(Scrutiny.of, answer, answer.hits[0], engine.index).result() == handed
    assert made == [answer.pattern]


def test_another_pattern_or_other_lines_are_prepared_anew(patterns, made):
    sample, other = Sample.of(patterns[0]), Sample.of(patterns[1])
    target = prepared.prepared(sample.pattern, sample.lines, sample.under)
    assert prepared.prepared(sample.pattern, sample.lines) is target
    assert not np.array_equal(prepared.prepared(other.pattern, other.lines).net, target.net)
    again = prepared.prepared(sample.pattern, sample.lines)
    assert made == [other.pattern, sample.pattern]
    np.testing.assert_array_equal(again.net, target.net)
    assert prepared.prepared(sample.pattern, replace(sample.lines)) is not again
    assert prepared.prepared(replace(sample.pattern), sample.lines) is not again
