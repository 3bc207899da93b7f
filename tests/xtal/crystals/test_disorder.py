"""Atoms that cannot be there together."""

from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xtal.crystals import Crystal, impossible_pairs
from xtal.crystals.bonds import SHORTEST_BOND
from xtal.crystals.disorder import NEAREST, RADII, refuse_crowds
from xtal.errors import UserError
from xtal.sources import open_source

CUBE = np.eye(3) * 10


def carbons(*places: list[float], occupancies: list[float] | None = None, number: int = 6) -> Crystal:
    """Atoms at places in Å in a cube of 10 Å, and one far from them."""
    frac = np.array([*places, [5.0, 5.0, 5.0]]) / 10
    filled = np.array([*occupancies, 1.0]) if occupancies else np.empty(0)
    return Crystal(CUBE, frac, np.full(len(frac), number), filled)


@pytest.mark.parametrize(
    ("crystal", "pairs"),
    [
        (carbons([0, 0, 0], [0.5, 0, 0]), 1),
        (carbons([0, 0, 0], [0.5, 0, 0], [0.25, 0.4, 0]), 3),
        (carbons([0, 0, 0], [9.6, 0, 0]), 1),  # across the cell's face
        (carbons([0, 0, 0], [0.5, 0, 0], occupancies=[0.5, 0.5]), 0),  # told by the file
        (carbons([0, 0, 0], [0.5, 0, 0], occupancies=[0.7, 0.3]), 0),
        (carbons([0, 0, 0], [0.5, 0, 0], occupancies=[1.0, 0.5]), 1),
        (carbons([0, 0, 0], [1.2, 0, 0]), 0),  # the length of a triple bond
        (carbons([0, 0, 0], [0.74, 0, 0], number=1), 0),  # hydrogen gas
        (carbons([0, 0, 0], [0.5, 0, 0], number=1), 1),
        (carbons([0, 0, 0], [1.2, 0, 0], number=30), 1),  # zinc is larger
        (carbons([0, 0, 0], [2.3, 0, 0], number=29), 0),  # copper dimers are not
        (carbons([0, 0, 0]), 0),
    ],
)
def test_what_cannot_be_there_together_is_counted(crystal, pairs):
    assert impossible_pairs(crystal) == pairs
    assert refuse_crowds(crystal) is crystal


def test_of_unlike_atoms_it_is_not_known_which_is_wrong():
    crystal = Crystal(CUBE, [[0, 0, 0], [0.03, 0, 0], [0.5, 0.5, 0.5]], [6, 7, 6])
    assert impossible_pairs(crystal) == 0


@given(
    st.lists(st.tuples(*[st.floats(0, 0.999)] * 3), min_size=2, max_size=30),
    st.lists(st.sampled_from([1, 6, 8, 30, 57]), min_size=30, max_size=30),
    st.floats(35, 90),
)
@settings(max_examples=60)
def test_overlaps_are_those_of_all_pairs(frac, numbers, angle):
    """Against all pairs one by one."""
    steep = np.cos(np.radians(angle))
    lattice = 20.0 * np.array([[1, 0, 0], [steep, np.sqrt(1 - steep**2), 0], [0, 0, 1.5]])
    crystal = Crystal(lattice, frac, numbers[: len(frac)])
    shifts = np.array(list(product((-1, 0, 1), repeat=3)))
    near = 0
    for i, j in combinations(range(len(frac)), 2):
        between = np.linalg.norm((crystal.frac_coords[i] - crystal.frac_coords[j] + shifts) @ lattice, axis=1).min()
        limit = max(2 * SHORTEST_BOND * RADII[numbers[i]], NEAREST)
        near += numbers[i] == numbers[j] and between < limit
    assert impossible_pairs(crystal) == near


def test_a_crowd_is_refused():
    crowd = carbons(*(0.01 * np.random.default_rng(0).uniform(size=(60, 3))).tolist())
    with pytest.raises(UserError, match="more than 24 atoms in the place of one"):
        refuse_crowds(crowd)


def test_a_known_framework_with_both_halves_of_its_oxygens():
    """It is read as the database lists it, and told from one that can be."""
    source = open_source("coremof2019-asr")
    wanted = {"SURLEY_clean", "RUBTAK02_SL"}
    found = {record.id: source.read(record) for record in source.records() if record.id in wanted}
    assert impossible_pairs(found["SURLEY_clean"]) >= 32
    assert impossible_pairs(found["RUBTAK02_SL"]) == 0
