from collections import Counter

import numpy as np
import pytest
from generate_helpers import small_mofs
from hypothesis import given
from hypothesis import strategies as st

from generate.known.templates import BOND, adapted, difference
from xtal.crystals import Crystal

MOFS = small_mofs()
elements = st.sampled_from([1, 6, 7, 8, 9, 17, 29, 30, 35])
compositions = st.lists(elements, min_size=1, max_size=30)


def crystal_of(numbers: list[int], seed: int = 0) -> Crystal:
    frac = np.random.default_rng(seed).random((len(numbers), 3))
    return Crystal(np.array([[9.0, 0, 0], [1, 10, 0], [0, 2, 11]]), frac, numbers)


def place(crystal: Crystal, frac: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nearest atom of the crystal to each place, and how far it is in Å."""
    apart = frac[:, None] - crystal.frac_coords
    apart -= np.round(apart)
    distance = np.linalg.norm(apart @ crystal.lattice, axis=2)
    return distance.argmin(axis=1), distance.min(axis=1)


@given(compositions, compositions, st.integers(0, 99))
def test_every_composition_finds_its_places(have, want, seed):
    crystal, numbers = crystal_of(have), np.array(want)
    frac = adapted(crystal, numbers, np.random.default_rng(seed))
    assert frac.shape == (len(want), 3)
    assert ((frac >= 0) & (frac < 1)).all()
    row, distance = place(crystal, frac)
    kept = distance < 1e-9
    assert kept.sum() >= min(len(have), len(want))
    assert len(set(row[kept])) == kept.sum()  # no place is used twice
    # elements in common stay where they were
    stayed = Counter(n for n, r, k in zip(want, row, kept, strict=True) if k and crystal.numbers[r] == n)
    common = Counter(want) & Counter(have)
    assert all(stayed[element] >= count for element, count in common.items())
    new = distance[~kept]
    assert (new <= BOND + 1e-6).all()


@pytest.mark.parametrize("crystal", MOFS, ids=lambda c: c.name)
def test_an_equal_composition_moves_nothing(crystal):
    numbers = np.sort(crystal.numbers).astype(np.int64)
    frac = adapted(crystal, numbers, np.random.default_rng(0))
    row, distance = place(crystal, frac)
    assert distance == pytest.approx(0, abs=1e-9)
    assert sorted(row) == list(range(len(crystal)))
    assert np.array_equal(crystal.numbers[row], numbers)
    assert difference(crystal, numbers) == 0


def test_the_order_asked_for_is_kept():
    crystal = crystal_of([30, 8, 8, 6])
    numbers = np.array([8, 30, 6, 8])
    row, _ = place(crystal, adapted(crystal, numbers, np.random.default_rng(1)))
    assert crystal.numbers[row].tolist() == numbers.tolist()


def test_like_elements_are_exchanged_first():
    crystal = crystal_of([29, 35, 6])
    frac = adapted(crystal, np.array([30, 17, 6]), np.random.default_rng(0))
    row, distance = place(crystal, frac)
    assert distance == pytest.approx(0, abs=1e-9)
    assert row.tolist() == [0, 1, 2]  # zinc for copper and chlorine for bromine, though bromine is the size of zinc


def test_missing_atoms_are_a_bond_away():
    crystal = Crystal(30 * np.eye(3), [[0.5, 0.5, 0.5]], [6])
    frac = adapted(crystal, np.array([1, 1, 6]), np.random.default_rng(0))
    assert place(crystal, frac)[1] == pytest.approx([BOND, BOND, 0], abs=1e-9)


def test_seeds_choose_which_atoms_go():
    crystal, numbers = crystal_of([6] * 12), np.full(6, 6)
    first, again, other = (adapted(crystal, numbers, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize(
    ("want", "share"),
    [([6, 6, 8, 30], 0), ([6, 6, 8, 29], 1 / 4), ([6, 8, 30], 1 / 3), ([6, 6, 8, 30, 1], 1 / 5), ([9, 9], 2)],
)
def test_difference_counts_the_atoms_to_change(want, share):
    assert difference(crystal_of([30, 8, 6, 6]), np.array(want)) == pytest.approx(share)
