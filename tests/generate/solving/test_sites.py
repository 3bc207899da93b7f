import gemmi
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generate.solving.problem import rotation
from generate.solving.sites import cartesian, orientations, sites

PRIMITIVE = [
    "P 1",
    "P -1",
    "P 1 2 1",
    "P 1 21/c 1",
    "P m m m",
    "P 21 21 21",
    "P 4/m m m",
    "P 3",
    "P 6/m m m",
    "P m -3 m",
]
PLANAR = [np.diag(signs) for signs in ((1, 1, 1), (-1, -1, 1), (-1, 1, -1), (1, -1, -1))]
PLANAR = np.array(PLANAR + [-matrix for matrix in PLANAR], dtype=float)  # a flat molecule of symmetry mmm


def operations(symbol: str) -> tuple[np.ndarray, np.ndarray]:
    every = [*gemmi.SpaceGroup(symbol).operations()]
    rotations = np.array([op.rot for op in every]) // gemmi.Op.DEN
    return rotations, np.array([op.tran for op in every]) / gemmi.Op.DEN


@pytest.mark.parametrize("symbol", PRIMITIVE)
def test_sites_belong_to_their_groups(symbol):
    rotations, translations = operations(symbol)
    found = sites(rotations, translations)
    assert found[0].multiplicity == len(rotations)
    for site in found:
        assert site.multiplicity * len(site.group) == len(rotations)
        for point in site.points[:4] if len(site.group) > 1 else []:
            moved = rotations[list(site.group)] @ point + translations[list(site.group)] - point
            np.testing.assert_allclose(moved - np.round(moved), 0, atol=1e-3)
            images = (rotations[list(site.pieces)] @ point + translations[list(site.pieces)]) % 1
            apart = images[:, None] - images
            apart -= np.round(apart)
            assert (np.abs(apart).max(axis=2) + np.eye(len(images)) > 1e-3).all()  # pieces are at different places


def test_inversion_centres_are_found():
    general, centre = sites(*operations("P -1"))
    assert (general.multiplicity, centre.multiplicity) == (2, 1)
    assert len(centre.points) == 8
    np.testing.assert_allclose(centre.free, 0, atol=1e-12)


def test_screws_and_glides_leave_nothing_in_place():
    assert [site.multiplicity for site in sites(*operations("P 21 21 21"))] == [4]
    assert sorted(site.multiplicity for site in sites(*operations("P 1 21/c 1")))[-1] == 4


@given(st.integers(0, 2**32 - 1))
def test_turns_that_a_site_allows_keep_its_symmetry(seed):
    """A flat molecule on a twofold axis, a mirror, and where three mirrors meet."""
    rng = np.random.default_rng(seed)
    own = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    shape = own @ PLANAR @ own.T
    for symbol, most in (("P 1 2 1", 3), ("P 1 m 1", 3), ("P m m m", 6)):
        rotations, translations = operations(symbol)
        site = max(sites(rotations, translations), key=lambda s: len(s.group))
        group = cartesian(rotations[list(site.group)], np.diag([7.0, 8, 9]))
        ways = orientations(group, shape)
        assert 1 <= len(ways) <= most
        for start, spin in ways:
            quaternion = spin @ (start + 0.3 * rng.normal(size=4))
            turn = rotation(quaternion)
            for matrix in group:
                assert (np.abs(shape - turn.T @ matrix @ turn).max(axis=(1, 2)) < 1e-6).any()


def test_shapes_without_the_symmetry_of_a_site_do_not_stand_there():
    rotations, translations = operations("P -1")
    centre = sites(rotations, translations)[1]
    assert orientations(rotations[list(centre.group)].astype(float), np.eye(3)[None]) is None
    start, spin = orientations(rotations[list(centre.group)].astype(float), np.array([np.eye(3), -np.eye(3)]))[0]
    np.testing.assert_array_equal(spin, np.eye(4))
    assert np.linalg.norm(start) == 1
