"""One server with the endpoints on a small real index, for all tests that talk to it."""

import pytest
from api_server import build_home, serving


@pytest.fixture(scope="session")
def api_home(tmp_path_factory):
    return build_home(tmp_path_factory.mktemp("api-home"))


@pytest.fixture(scope="session")
def api(api_home):
    """Address and library of the server."""
    from ui.api import offers_tools

    with serving(api_home, mcp_server=offers_tools(None)) as served:
        yield served


@pytest.fixture(scope="session")
def sample(api, tmp_path_factory):
    """A pattern of an entry of the index, as a file that states its wavelength."""
    import numpy as np

    from xtal.patterns import write_xye
    from xtal.physics.simulate import simulate

    path = tmp_path_factory.mktemp("patterns") / "sample.xye"
    crystal = api[1].solver.engine.index.crystal(7)
    write_xye(simulate(crystal, 0.0, np.random.default_rng([1, 0])), path, "test")
    return path
