"""Answers of a search, and a place for a cache."""

import pytest
from cache_helpers import made_candidates, solution

from search.cache import Cache


@pytest.fixture(scope="session")
def answers(engine, patterns):
    return engine.query(patterns, k=10)


@pytest.fixture(scope="session")
def solutions(engine, answers):
    """A match without, and a miss with, candidates: real crystals with numbers that are all different."""
    return [solution(answer, made_candidates(engine) if i % 2 else ()) for i, answer in enumerate(answers)]


@pytest.fixture
def path(tmp_path):
    """Where a cache may lie."""
    return tmp_path / "home" / "cache.duckdb"


@pytest.fixture
def cache(path):
    with Cache.open(path) as cache:
        yield cache
