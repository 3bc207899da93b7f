import numpy as np
from generate_helpers import small_mofs
from hypothesis import given, settings
from hypothesis import strategies as st

from generate.known.lines import FIRST, agreements, first_lines
from xtal.physics import crystal_lines

MOFS = small_mofs()


@settings(deadline=None, max_examples=25)
@given(st.sampled_from(MOFS), st.integers(0, 999))
def test_the_right_cell_agrees_best(crystal, seed):
    q = first_lines(crystal_lines(crystal))
    assert 0 < len(q) <= FIRST
    rng = np.random.default_rng(seed)
    wrong = crystal.lattice * rng.choice([0.85, 0.9, 1.1, 1.2], (3, 1))
    right, other = agreements(np.array([crystal.lattice, wrong]), q)
    assert right > 0
    assert right > other - 1.5


def test_a_large_cell_gains_nothing_by_reflections_everywhere():
    crystal = MOFS[0]
    q = first_lines(crystal_lines(crystal))
    right, large = agreements(np.array([crystal.lattice, crystal.lattice * [[3.0], [3.1], [2.9]]]), q)
    assert right > large + 3


def test_without_lines_nothing_is_said():
    assert agreements(np.array([np.eye(3) * 9]), np.empty(0)).tolist() == [0.0]
