"""Answers of a search, a place for a cache, and a small real index with the shipped models."""

import numpy as np
import pytest
from cache_helpers import made_candidates, solution

import models
from indexer.build import build
from indexer.plan import open_plan
from search.cache import Cache
from search.solve import Solver
from xtal.patterns import Pattern
from xtal.physics.simulate import simulate_all

INDEX, ENTRIES = "coremof2019-asr", 60


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


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """A folder with an index that the shipped fingerprints made, which the shipped calibration judges."""
    folder = tmp_path_factory.mktemp("solve-home")
    build(open_plan([INDEX], models.load(), limit=ENTRIES, home=folder), workers=1)
    return folder


@pytest.fixture
def solver(place):
    made = Solver.open(INDEX, place)
    yield made
    made.cache.forget_all()
    made.close()


@pytest.fixture(scope="session")
def held(place) -> Pattern:
    """An ordinary pattern of an entry."""
    engine = Solver.open(INDEX, place, cache=False).engine
    return simulate_all([engine.index.crystal(7)], 0.0, 1)[0]


@pytest.fixture(scope="session")
def foreign() -> Pattern:
    """Lines that no framework shows: those of a small cubic salt."""
    angles = np.arange(5, 60, 0.02)
    lines = [(27.4, 100), (31.8, 300), (45.5, 200), (53.9, 30), (56.5, 80)]
    counts = 20 + sum(height * 10 * np.exp(-(((angles - at) / 0.08) ** 2)) for at, height in lines)
    return Pattern(angles, np.round(counts), 1.5418, source="salt.xy")
