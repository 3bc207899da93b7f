"""A small real index, built once, and patterns simulated from its entries."""

import numpy as np
import pytest
from cache_helpers import made_candidates, solution
from search_helpers import ENTRIES, INDEX, QUERIES

import models
from indexer.build import build
from indexer.plan import open_plan
from search.cache import Cache
from search.engine import Engine
from xtal.simulate import simulate_all


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """A folder with an index of the first entries of CoRE MOF 2019."""
    folder = tmp_path_factory.mktemp("search-home")
    build(open_plan([INDEX], models.load("profile"), limit=ENTRIES, home=folder), workers=1)
    return folder


@pytest.fixture(scope="session")
def engine(home):
    return Engine.open(INDEX, home)


@pytest.fixture(scope="session")
def wanted(engine):
    """Rows of the entries that the patterns are of."""
    return np.random.default_rng(5).permutation(len(engine))[:QUERIES]


@pytest.fixture(scope="session")
def patterns(engine, wanted):
    """Patterns of ordinary severity, one per wanted entry."""
    return simulate_all([engine.index.crystal(int(row)) for row in wanted], 1.0, 11)


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
