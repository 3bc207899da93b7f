"""Lattices with one short axis, from the places of their first lines."""

import numpy as np
import pytest

from xtal.crystals import cell_lattice
from xtal.physics.indexing import flat, search
from xtal.physics.indexing.bravais import free_parameters
from xtal.physics.indexing.metric import MONOCLINIC, TRICLINIC, P, determinant, indices, places, row

ROOM = np.array([100.0, 5000.0])


def first_lines(system: int, parameters: np.ndarray, count: int = 22) -> np.ndarray:
    """Q of the first lines of a lattice."""
    hkl = np.empty((4000, 3), np.int64)
    hkl = hkl[: indices(system, P, parameters, 0.3, hkl)]
    design = np.zeros((len(hkl), 6))
    for one, out in zip(hkl.tolist(), design, strict=True):
        row(system, *one, out)
    q = np.sort(design @ parameters)
    return q[np.concatenate([[True], np.diff(q) > 2e-5])][:count]


@pytest.mark.parametrize(
    ("system", "cell", "offered"),
    [
        (MONOCLINIC, (3.13, 10.4, 12.6, 90, 97.0, 90), flat.monoclinic_flat),
        (TRICLINIC, (3.6, 9.8, 11.3, 84.0, 96.0, 101.0), flat.triclinic_flat),
    ],
)
def test_a_lattice_whose_first_lines_are_of_one_zone_is_offered(system, cell, offered):
    parameters = free_parameters(system, cell_lattice(cell))
    q = first_lines(system, parameters)
    work = np.zeros((search.MOST_LINES, 3), np.int64), np.zeros(64), np.zeros(65, np.int64)
    sigma = np.full(len(q), 3e-6)
    grids = places(q[:9], sigma[:9], 1.54), places(q, sigma, 1.54)
    pool = search.Pool.empty()
    offered(q, ROOM, grids, work, pool.rows, pool.count)
    best = pool.best(20)
    sizes = np.array([determinant(system, one[:6]) for one in best])
    assert np.isclose(sizes, determinant(system, parameters), rtol=1e-3, atol=0).any()


def test_too_few_lines_of_a_zone_offer_nothing():
    q = np.array([0.011, 0.0173, 0.0251, 0.0397, 0.0462, 0.0613])
    work = np.zeros((search.MOST_LINES, 3), np.int64), np.zeros(64), np.zeros(65, np.int64)
    grids = places(q, np.full(6, 3e-6), 1.54), places(q, np.full(6, 3e-6), 1.54)
    for offered in (flat.monoclinic_flat, flat.triclinic_flat):
        pool = search.Pool.empty()
        offered(q, ROOM, grids, work, pool.rows, pool.count)
        assert pool.count[0] == 0
