"""Settings of all tests, and a small real index with patterns simulated from its entries, built once."""

import os

os.environ["XTALSCOUT_SECONDS"] = "1"  # what is searched for from parts is found there or not; tests of that say more

import numpy as np
import pytest
from hypothesis import Phase, settings
from search_helpers import ENTRIES, INDEX, QUERIES

# the first example pays for imports and caches, and the machine may be busy: time limits
# on examples only cry wolf; to explain a failure, every line that runs is traced, which takes minutes
settings.register_profile("xtalscout", deadline=None, phases=[phase for phase in Phase if phase is not Phase.explain])
settings.load_profile("xtalscout")


def pytest_addoption(parser) -> None:
    """Add what asks for the long form of the reliability suite."""
    parser.addoption("--full", action="store_true", help="try everything in tests/reliability as often as documented")


@pytest.fixture(scope="session")
def home(tmp_path_factory):
    """A folder with indexes of the first entries of CoRE MOF 2019 and of the lab."""
    import models
    from indexer.build import build
    from indexer.plan import open_plan

    folder = tmp_path_factory.mktemp("search-home")
    for name in (INDEX, "lab"):
        build(open_plan([name], models.load("profile"), limit=ENTRIES, home=folder), workers=1)
    return folder


@pytest.fixture(scope="session")
def engine(home):
    from search.engine import Engine

    return Engine.open(INDEX, home)


@pytest.fixture(scope="session")
def wanted(engine):
    """Rows of the entries that the patterns are of."""
    return np.random.default_rng(5).permutation(len(engine))[:QUERIES]


@pytest.fixture(scope="session")
def patterns(engine, wanted):
    """Patterns of ordinary severity, one per wanted entry."""
    from xtal.physics.simulate import simulate_all

    return simulate_all([engine.index.crystal(int(row)) for row in wanted], 1.0, 11)
