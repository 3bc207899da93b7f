import numpy as np
import pytest
from generate_helpers import small_mofs
from hypothesis import given, settings
from hypothesis import strategies as st

from generate.known.lines import FIRST, agreements, first_lines, likelihoods, nearness
from xtal.physics import crystal_lines
from xtal.physics.indexing import IndexedCell
from xtal.physics.indexing.bravais import reduced

MOFS = small_mofs()
LATTICE = reduced(np.array([[9.1, 0, 0], [1.2, 11.3, 0], [0.7, -2.0, 14.9]]))


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


def test_a_lattice_near_an_indexed_cell_is_likelier():
    cell = IndexedCell(
        lattice=LATTICE, conventional=LATTICE, centring="P", system="triclinic", volume=float(np.linalg.det(LATTICE)),
        zero_shift=0.0, merit=50.0, lines=20, fit=0.05, evidence=0.0, probability=0.9,
    )  # fmt: skip
    skewed = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]]) @ LATTICE
    lattices = np.array([LATTICE, skewed, 1.01 * LATTICE, 1.06 * LATTICE, 2 * LATTICE])
    found = nearness(lattices, [cell])[:, 0]
    assert found[0] == pytest.approx(found[1]) == pytest.approx(0.9)
    assert found[0] > found[2] > found[3] >= 0
    assert found[4] == 0
    q = np.sort(2 * np.pi * np.linalg.norm(np.linalg.inv(LATTICE), axis=0))
    alone, told = likelihoods(lattices, q, []), likelihoods(lattices, q, [cell])
    assert alone == pytest.approx(agreements(lattices, q))
    assert told[0] > alone[0] + 5
    assert told[2] > told[3] >= alone[3]
    assert told[4] == alone[4]
