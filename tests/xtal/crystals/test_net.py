import numpy as np
import pytest
from bonded_crystals import diamond, random_crystal, rock_salt
from generate_helpers import small_mofs
from hypothesis import given, settings
from hypothesis import strategies as st

from xtal.crystals import Crystal, net_rank


def along(lengths: tuple[float, float, float]) -> Crystal:
    """One carbon whose images are bonded where an edge is 1.5 Å."""
    return Crystal(np.diag(lengths), [[0.2, 0.3, 0.4]], [6])


@pytest.mark.parametrize(
    ("lengths", "rank"), [((9, 9, 9), 0), ((9, 1.5, 9), 1), ((1.5, 1.5, 9), 2), ((1.5, 1.5, 1.5), 3)]
)
def test_each_direction_that_bonds_lead_on_in_counts(lengths, rank):
    assert net_rank(along(lengths)) == rank


def test_crystals_of_one_net():
    assert net_rank(diamond()) == net_rank(rock_salt()) == 3


@pytest.mark.parametrize("crystal", small_mofs(), ids=lambda c: c.name)
def test_frameworks_lead_on_everywhere_and_cut_ones_do_not(crystal):
    assert net_rank(crystal) == 3
    away = crystal.frac_coords[:, 2] < 0.5  # half of the cell, in a cell twice as long: a slab
    slab = Crystal(crystal.lattice * [[1], [1], [3]], crystal.frac_coords[away] / [1, 1, 3], crystal.numbers[away])
    assert net_rank(slab) <= 2


def test_of_several_nets_the_one_that_spans_most_counts():
    chain, atoms = along((9, 1.5, 9)), 20
    frac = np.vstack([chain.frac_coords, [[0.7, 0.3, 0.9]]])
    assert net_rank(Crystal(chain.lattice, frac, [6, 18])) == 1
    assert net_rank(Crystal(np.diag([40.0] * 3), np.random.default_rng(0).random((atoms, 3)), [18] * atoms)) == 0


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 999), st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_supercells_and_other_origins_have_the_same_rank(seed, origin):
    crystal = random_crystal(seed, 12)
    moved = Crystal(crystal.lattice, crystal.frac_coords + np.array(origin), crystal.numbers)
    assert net_rank(moved) == net_rank(crystal)
    frac = np.concatenate([crystal.frac_coords, crystal.frac_coords + np.array([0, 1, 0])]) / [1, 2, 1]
    double = Crystal(crystal.lattice * [[1], [2], [1]], frac, np.tile(crystal.numbers, 2))
    assert net_rank(double) == net_rank(crystal)
