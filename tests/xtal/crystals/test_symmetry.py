"""Primitive cells, symmetry expansion and close atoms."""

import time
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xtal.crystals import Crystal, niggli, primitive, read_cif
from xtal.crystals.symmetry import close_pairs, expand
from xtal.errors import UserError

CIFS = Path(__file__).parents[2] / "data" / "cifs"
NAMES = ("quartz", "olivine", "halite", "GORQAF_clean", "ic7025158-file001_clean", "DONNAW01_SL")


def fixture(name: str) -> Crystal:
    return read_cif((CIFS / f"{name}.cif").read_bytes(), name)


def supercell(crystal: Crystal, change: np.ndarray) -> Crystal:
    """The same crystal in the cell ``change @ lattice``, its atoms shuffled."""
    size = round(abs(np.linalg.det(change)))
    reach = int(abs(change).sum())
    cells = np.array(list(product(range(-reach, reach + 1), repeat=3)))
    inside = cells @ np.linalg.inv(change)
    cells = cells[((inside > -1e-9) & (inside < 1 - 1e-9)).all(1)]
    assert len(cells) == size
    frac = (crystal.frac_coords[:, None] + cells).reshape(-1, 3) @ np.linalg.inv(change)
    order = np.random.default_rng(0).permutation(len(frac))
    numbers, occupancies = np.repeat(crystal.numbers, size), np.repeat(crystal.occupancies, size)
    return Crystal(change @ crystal.lattice, frac[order], numbers[order], occupancies[order], crystal.name)


def amplitudes(crystal: Crystal, q: np.ndarray) -> np.ndarray:
    """|Σ occupancy Z exp(2πi g·r)| / V at scattering vectors g (G, 3) in Å⁻¹: what a diffraction pattern is made of."""
    phases = np.exp(2j * np.pi * q @ (crystal.frac_coords @ crystal.lattice).T)
    return np.abs(phases @ (crystal.occupancies * crystal.numbers)) / crystal.volume


def assert_same_diffraction(large: Crystal, small: Crystal, tolerance: float = 1e-6) -> None:
    """Every reflection of the small cell is as strong in the large one, whose other reflections are absent."""
    hkl = np.array(list(product(range(-3, 4), repeat=3)))
    present = hkl @ np.linalg.inv(small.lattice).T
    assert amplitudes(large, present) == pytest.approx(amplitudes(small, present), abs=tolerance)
    other = hkl @ np.linalg.inv(large.lattice).T
    indices = other @ small.lattice.T
    absent = (np.abs(indices - np.round(indices)) > 1e-6).any(1)
    assert amplitudes(large, other[absent]) == pytest.approx(np.zeros(absent.sum()), abs=tolerance)


@given(st.sampled_from(NAMES), st.lists(st.integers(-2, 2), min_size=9, max_size=9))
@settings(max_examples=40)
def test_supercells_reduce_to_the_primitive_cell(name, entries):
    change = np.array(entries).reshape(3, 3)
    if not 1 <= abs(np.linalg.det(change)) <= 10:
        return
    crystal = primitive(fixture(name))
    large = supercell(crystal, change)
    back = primitive(large)
    assert len(back) == len(crystal)
    assert back.volume == pytest.approx(crystal.volume, rel=1e-9)
    assert back.reduced_formula == crystal.reduced_formula
    assert np.sort(back.occupancies) == pytest.approx(np.sort(crystal.occupancies))
    lengths = [np.sort(np.linalg.norm(c.lattice, axis=1)) for c in (back, crystal)]
    assert lengths[0] == pytest.approx(lengths[1], rel=1e-6)
    assert_same_diffraction(large, back)


@pytest.mark.parametrize(("name", "atoms"), list(zip(NAMES, (9, 36, 2, 10, 12, 76), strict=True)))
def test_known_primitive_cells(name, atoms):
    crystal = fixture(name)
    reduced = primitive(crystal)
    assert len(reduced) == atoms
    assert reduced.name == name
    assert reduced.volume / len(reduced) == pytest.approx(crystal.volume / len(crystal))
    assert_same_diffraction(crystal, reduced, 1e-4)  # coordinates in the file agree to 4 or 5 digits only


@pytest.mark.filterwarnings("ignore:Set OLD_ERROR_HANDLING")
def test_agrees_with_spglib_on_a_whole_mof():
    import spglib

    crystal = fixture("BIWSEG_ion_b")
    found = spglib.find_primitive((crystal.lattice, crystal.frac_coords, crystal.numbers), symprec=0.01)
    assert len(primitive(crystal)) == len(found[1])


def test_noise_within_the_tolerance_is_averaged_and_beyond_it_kept():
    crystal = supercell(fixture("halite"), np.diag([2, 2, 1]))
    noise = np.random.default_rng(1).normal(0, 1, (len(crystal), 3))
    shaken = [
        Crystal(crystal.lattice, crystal.frac_coords + size * noise / 6, crystal.numbers) for size in (0.001, 0.1)
    ]
    assert [len(primitive(c)) for c in shaken] == [2, 32]


def test_occupancies_and_one_odd_atom_prevent_folding():
    crystal = supercell(fixture("halite"), np.diag([2, 1, 1]))
    occupancies = crystal.occupancies.copy()
    occupancies[0] = 0.9
    numbers = crystal.numbers.copy()
    numbers[[0, 1]] = numbers[[1, 0]]  # composition is the same, two atoms have changed places
    assert numbers[0] != numbers[1]
    assert len(primitive(Crystal(crystal.lattice, crystal.frac_coords, crystal.numbers, occupancies))) == 16
    assert len(primitive(Crystal(crystal.lattice, crystal.frac_coords, numbers))) == 16


def test_handedness_is_kept():
    rng = np.random.default_rng(2)
    for sign in (1, -1):
        lattice = np.diag([9.0, 8.0, sign * 7.0])
        small = Crystal(lattice, rng.random((5, 3)), [6, 7, 8, 9, 15])
        reduced = primitive(supercell(small, np.array([[1, 1, 0], [0, 2, 0], [0, 0, 1]])))
        assert len(reduced) == 5
        assert np.sign(np.linalg.det(reduced.lattice)) == sign


def test_large_cells_stay_fast():
    rng = np.random.default_rng(3)
    random = Crystal(np.eye(3) * 60, rng.random((10_000, 3)), rng.choice([6, 1, 8, 30], 10_000))
    silicon = supercell(
        Crystal(np.eye(3) * 5.43, [[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5]], [14] * 4),
        np.diag([7, 7, 7]),
    )
    start = time.perf_counter()
    assert len(primitive(random)) == 10_000
    assert len(primitive(silicon)) == 1
    assert time.perf_counter() - start < 5


def test_niggli_cell_has_the_shortest_vectors():
    skew = Crystal(np.array([[5.0, 0, 0], [20, 6, 0], [-30, 12, 7]]), [[0.1, 0.2, 0.3]], [6])
    assert np.sort(np.linalg.norm(niggli(skew).lattice, axis=1)) == pytest.approx([5, 6, 7])


def test_expand_merges_images_on_a_special_position():
    inversion = np.array([np.eye(3, 4), -np.eye(3, 4)])
    sites = np.array([[0.5, 0.5, 0.4999], [0.1, 0.2, 0.3]])
    frac, source = expand(sites, inversion, np.eye(3) * 10, np.array([0.1, 0.1]))
    assert source.tolist() == [0, 1, 1]
    assert frac == pytest.approx(np.array([[0.5, 0.5, 0.5], [0.1, 0.2, 0.3], [0.9, 0.8, 0.7]]))


@given(st.integers(0, 10_000), st.floats(0.005, 0.8))
@settings(max_examples=40)
def test_close_pairs_misses_none(seed, distance):
    rng = np.random.default_rng(seed)
    lattice = np.diag(rng.uniform(4, 12, 3)) + np.tril(rng.uniform(-3, 3, (3, 3)), -1)
    frac = rng.random((40, 3))
    frac[20:] = (frac[:20] + rng.normal(0, 0.3, (20, 3)) * distance @ np.linalg.inv(lattice)) % 1
    first, second = np.triu_indices(40, 1)
    shifts = np.array(list(product((-1, 0, 1), repeat=3)))
    gaps = frac[first, None] - frac[second, None] + shifts
    near = np.linalg.norm(gaps @ lattice, axis=-1).min(1) < distance
    found = {tuple(sorted(pair)) for pair in close_pairs(frac, lattice, distance).tolist()}
    assert found == set(zip(first[near].tolist(), second[near].tolist(), strict=True))


def test_a_heap_of_atoms_is_refused():
    with pytest.raises(UserError, match=r"more than 1000 atoms within 0\.01 Å of each other"):
        close_pairs(np.zeros((5000, 3)), np.eye(3) * 10, 0.01)
