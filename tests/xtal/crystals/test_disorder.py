"""Atoms that cannot be there together."""

from itertools import combinations, pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xtal.crystals import Crystal, overlapping, read_cif, write_cif
from xtal.crystals.bonds import SHORTEST_BOND
from xtal.crystals.disorder import NEAREST, RADII, with_alternatives
from xtal.sources import Record, open_source

CUBE = np.eye(3) * 10


def carbons(*places: list[float], occupancies: list[float] | None = None, number: int = 6) -> Crystal:
    """Atoms at places in Å in a cube of 10 Å, and one far from them."""
    frac = np.array([*places, [5.0, 5.0, 5.0]]) / 10
    filled = np.array([*occupancies, 1.0]) if occupancies else np.empty(0)
    return Crystal(CUBE, frac, np.full(len(frac), number), filled)


def shares(crystal: Crystal) -> list[float]:
    return with_alternatives(crystal).occupancies.round(4).tolist()


@pytest.mark.parametrize(
    ("crystal", "expected"),
    [
        (carbons([0, 0, 0], [0.5, 0, 0]), [0.5, 0.5, 1]),
        (carbons([0, 0, 0], [0.5, 0, 0], [0.25, 0.4, 0]), [0.3333, 0.3333, 0.3333, 1]),
        (carbons([0, 0, 0], [9.6, 0, 0]), [0.5, 0.5, 1]),  # across the cell's face
        (carbons([0, 0, 0], [0.5, 0, 0], occupancies=[0.5, 0.5]), [0.5, 0.5, 1]),  # told by the file
        (carbons([0, 0, 0], [0.5, 0, 0], occupancies=[0.7, 0.3]), [0.7, 0.3, 1]),
        (carbons([0, 0, 0], [0.5, 0, 0], occupancies=[1.0, 0.5]), [0.6667, 0.3333, 1]),
        (carbons([0, 0, 0], [0.8, 0, 0], [1.6, 0, 0]), [0.5, 0.5, 0.5, 1]),  # the outer two are neighbours
        (carbons([0, 0, 0], [1.2, 0, 0]), [1, 1, 1]),  # the length of a triple bond
        (carbons([0, 0, 0], [0.74, 0, 0], number=1), [1, 1, 1]),  # hydrogen gas
        (carbons([0, 0, 0], [0.5, 0, 0], number=1), [0.5, 0.5, 1]),
        (carbons([0, 0, 0], [1.2, 0, 0], number=30), [0.5, 0.5, 1]),  # zinc is larger
        (carbons([0, 0, 0], [2.3, 0, 0], number=29), [1, 1, 1]),  # copper dimers are not
        (carbons([0, 0, 0]), [1, 1]),
    ],
)
def test_shares(crystal, expected):
    assert shares(crystal) == pytest.approx(expected, abs=1e-3)


def test_a_ring_in_two_orientations_is_two_halves():
    angles = np.arange(12) * np.pi / 6
    ring = carbons(*(5 + 1.39 * np.stack([np.cos(angles), np.sin(angles), 0 * angles - 2], axis=1)))
    assert shares(ring) == [0.5] * 12 + [1]


def test_unlike_atoms_are_left_and_reported():
    crystal = Crystal(CUBE, [[0, 0, 0], [0.03, 0, 0], [0.5, 0.5, 0.5]], [6, 7, 6])
    assert with_alternatives(crystal) is crystal
    assert overlapping(crystal).tolist() == [[0, 1]]


def test_overlapping_tells_the_settled_from_the_impossible():
    listed = carbons([0, 0, 0], [0.5, 0, 0], [3, 0, 0])
    settled = with_alternatives(listed)
    for crystal, weight in ((listed, 2), (settled, 1)):
        assert overlapping(crystal).tolist() == [[0, 1]]
        assert crystal.occupancies[overlapping(crystal)].sum(1) == pytest.approx([weight])
    assert len(overlapping(carbons([0, 0, 0], [1.4, 0, 0]))) == 0


@given(
    st.lists(st.tuples(*[st.floats(0, 0.999)] * 3), min_size=2, max_size=40),
    st.lists(st.sampled_from([1, 6, 8, 30, 57]), min_size=40, max_size=40),
    st.lists(st.sampled_from([0.4, 0.5, 0.8, 1.0]), min_size=40, max_size=40),
    st.floats(35, 90),
    st.sampled_from([2.0, 6.0, 20.0]),
)
@settings(max_examples=100, deadline=None)
def test_nothing_that_overlaps_keeps_more_than_one_atoms_weight(frac, numbers, occupancies, angle, size):
    """Against all pairs one by one; what is settled stays as it is."""
    steep = np.cos(np.radians(angle))
    lattice = size * np.array([[1, 0, 0], [steep, np.sqrt(1 - steep**2), 0], [0, 0, 1.5]])
    count = len(frac)
    crystal = Crystal(lattice, frac, numbers[:count], np.array(occupancies[:count]))
    settled = with_alternatives(crystal)
    shifts = np.array(list(product((-1, 0, 1), repeat=3)))
    seen = set()
    for i, j in combinations(range(count), 2):
        between = (crystal.frac_coords[i] - crystal.frac_coords[j] + shifts) @ lattice
        limit = max(2 * SHORTEST_BOND * RADII[numbers[i]], NEAREST)
        # distances beyond half the cell's planes are not asked of the search
        if numbers[i] == numbers[j] and np.linalg.norm(between, axis=1).min() < min(limit, size * 0.28):
            assert settled.occupancies[[i, j]].sum() < 1.051
            seen |= {i, j}
    if size == 20.0:
        assert set(np.flatnonzero(settled.occupancies != crystal.occupancies).tolist()) <= seen
    assert with_alternatives(settled).occupancies == pytest.approx(settled.occupancies)


@pytest.fixture(scope="module")
def surley() -> Record:
    source = open_source("coremof2019-asr")
    return next(record for record in source.records() if record.id == "SURLEY_clean")


def test_a_known_framework_with_both_halves_of_its_oxygens(surley):
    crystal = open_source("coremof2019-asr").read(surley)
    assert crystal.composition["O"] / crystal.composition["Zr"] == pytest.approx(32 / 6)
    assert read_cif(write_cif(crystal)).composition == pytest.approx(crystal.composition)


def test_symmetry_settles_alike():
    """Images of a site near a mirror, 0.5 Å apart: each is half, as if the file had listed both."""
    head = "loop_\n_symmetry_equiv_pos_as_xyz\nx,y,z\n-x,y,z\n"
    cell = "".join(f"_cell_{k} {v}\n" for k, v in zip(("length_a", "length_b", "length_c"), (10, 10, 10), strict=True))
    cell += "".join(f"_cell_angle_{k} 90\n" for k in ("alpha", "beta", "gamma"))
    columns = "".join(f"_atom_site_{k}\n" for k in ("label", "fract_x", "fract_y", "fract_z"))
    one = read_cif(f"data_x\n{cell}{head}loop_\n{columns}O1 0.025 0 0\nC1 .3 .3 .3\n")
    two = read_cif(f"data_x\n{cell}loop_\n{columns}O1 .025 0 0\nO2 -.025 0 0\nC1 .3 .3 .3\nC2 -.3 .3 .3\n")
    assert one.composition == two.composition == {"C": 2, "O": 1}
    assert all(a <= b for a, b in pairwise(sorted(one.occupancies)))
