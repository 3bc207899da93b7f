"""What rietx is spared changes nothing of what it returns, and nothing outside of our own steps."""

import numpy as np
import pytest

from xtal.refinement.rietx_savings import saving


@pytest.fixture(scope="module")
def symmetry():
    import rietx  # noqa: F401

    with saving():
        pass
    from rietx.crystallography import structure_factor, symmetry

    return symmetry, structure_factor


@pytest.mark.parametrize("place", [(0.0, 0.0, 0.0), (0.25, 0.25, 0.25), (0.1, 0.1, 0.3), (0.12, 0.34, 0.41)])
@pytest.mark.parametrize("name", ["F m -3 m", "P 21/c", "R -3 c:H"])
def test_remembered_images_are_the_same(symmetry, place, name):
    theirs, users = symmetry
    group = theirs.get_spacegroup(name)
    plain = theirs.site_orbit(group, np.array(place))
    for _ in range(2):  # worked out, then remembered
        with saving():
            found = users.site_orbit(group, np.array(place))
        assert found.multiplicity == plain.multiplicity
        assert np.array_equal(found.rot, plain.rot)
        assert np.array_equal(found.tran, plain.tran)


@pytest.mark.usefixtures("symmetry")
def test_outside_of_a_step_rietx_is_as_it_was():
    from rietx.optimize import identifiability

    with saving():
        assert identifiability.exchangeability_scan(None, None) == []
    with pytest.raises(AttributeError):
        identifiability.exchangeability_scan(None, None)
