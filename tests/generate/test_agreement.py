"""Agreement of crystals: what it must not depend on, and that the odd one out has least of it."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generate.agreement import agreement
from xtal.crystals import Crystal

AXES = ([[0, 1, 0], [0, 0, 1], [1, 0, 0]], [[1, 0, 0], [0, -1, 0], [0, 0, -1]], [[-1, 0, 0], [0, -1, 0], [0, 0, -1]])


def scattered(seed: int, lattice: np.ndarray | None = None) -> Crystal:
    """Ten atoms of two elements anywhere in a cell."""
    rng = np.random.default_rng(seed)
    lattice = np.diag([9.0, 9.4, 9.8]) if lattice is None else lattice
    return Crystal(lattice, rng.random((10, 3)), np.array([6] * 6 + [8] * 4, np.uint8))


def moved(crystal: Crystal, size: float, seed: int = 0) -> Crystal:
    """Move each atom by about `size` Å."""
    step = np.random.default_rng(seed).normal(0, size / 3**0.5, crystal.frac_coords.shape)
    return replace(crystal, frac_coords=(crystal.frac_coords + step @ np.linalg.inv(crystal.lattice)) % 1)


@settings(max_examples=15)
@given(st.integers(0, 99), st.tuples(*[st.floats(0, 1)] * 3), st.sampled_from(AXES), st.randoms(use_true_random=False))
def test_the_same_crystal_in_another_setting_agrees_wholly(seed, shift, change, random):
    crystal, change = scattered(seed), np.array(change)
    order = random.sample(range(10), 10)
    frac = (crystal.frac_coords @ np.linalg.inv(change) + shift)[order] % 1
    other = Crystal(change @ crystal.lattice, frac, crystal.numbers[order])

    assert agreement([crystal, other]) == pytest.approx([1, 1], abs=0.03)  # between the points of a grid


def test_agreement_falls_with_the_displacement():
    crystal = scattered(1)
    found = [agreement([crystal, moved(crystal, size)])[0] for size in (0.2, 0.6, 1.2, 2.5)]

    assert found == sorted(found, reverse=True)
    assert found[0] > 0.9 > 0.7 > found[-1]


def test_the_crystal_in_the_middle_agrees_most_and_the_odd_one_least():
    truth = scattered(2)
    samples = [moved(truth, 1.0, seed) for seed in range(6)]

    found = agreement([*samples, truth, scattered(3)])

    assert found.argmax() == 6
    assert found.argmin() == 7


def test_elements_are_told_apart():
    crystal = scattered(4)
    swapped = replace(crystal, frac_coords=crystal.frac_coords[::-1])

    assert agreement([crystal, swapped])[0] < 0.8


def test_another_cell_agrees_with_none():
    crystal = scattered(5)
    found = agreement([crystal, moved(crystal, 0.3), scattered(5, np.diag([6.0, 9.4, 14.0]))])

    assert found[2] == 0
    assert found[0] == pytest.approx(found[1], abs=1e-5)
    assert found[0] < 0.51  # half of the others are in another cell


def test_more_crystals_than_peers_are_compared_with_some():
    truth = scattered(6)
    found = agreement([moved(truth, 0.8, seed) for seed in range(45)] + [truth])

    assert len(found) == 46
    assert found.argmax() == 45


def test_nothing_agrees_with_a_single_crystal():
    assert agreement([scattered(0)]).tolist() == [0]
    assert agreement([]).tolist() == []


def test_oblique_cells_are_compared_in_the_reduced_setting():
    lattice = np.array([[8.0, 0, 0], [-3.1, 8.4, 0], [1.0, 2.0, 9.0]])
    crystal = scattered(7, lattice)
    change = np.array([[1, 1, 0], [0, 1, 0], [0, 0, 1]])
    other = Crystal(change @ lattice, crystal.frac_coords @ np.linalg.inv(change) % 1, crystal.numbers)

    assert agreement([crystal, other])[0] == pytest.approx(1, abs=0.01)
