import numpy as np
import pytest
from bonded_crystals import diamond, rock_salt
from generate_helpers import small_mofs
from hypothesis import given, settings
from hypothesis import strategies as st

from xtal.crystals import Crystal, find_bonds, take_apart
from xtal.crystals.linkers import METALS
from xtal.crystals.valence import within_valence

MOFS = small_mofs()
LATTICE = np.eye(3) * 20.0


def left(numbers: list[int], places: list[list[float]]) -> set[frozenset[int]]:
    """Pairs of atoms in a large cell that stay bonded."""
    crystal = Crystal(LATTICE, np.array(places) / 20 + 0.5, numbers)
    bonds = within_valence(crystal, find_bonds(crystal), METALS[crystal.numbers])
    return {frozenset(pair) for pair in zip(bonds.first.tolist(), bonds.second.tolist(), strict=True)}


def test_hydrogen_keeps_the_bond_of_usual_length():
    assert left([6, 1, 8], [[0, 0, 0], [1.05, 0, 0], [2.2, 0, 0]]) == {frozenset({0, 1})}


def test_a_halogen_on_carbon_binds_nothing_else():
    """Chlorine 1.74 Å from its carbon, 1.3 Å from an oxygen and 2.3 Å from a metal."""
    found = left([6, 17, 8, 30], [[0, 0, 0], [1.74, 0, 0], [2.9, 0.6, 0], [1.74, -2.3, 0]])
    assert frozenset({0, 1}) in found
    assert not found & {frozenset({1, 2}), frozenset({1, 3})}


def test_a_carboxylate_is_not_tied_to_a_methyl_group():
    """Oxygen at 1.26 Å from its carbon, a stranger's carbon 1.35 Å from it."""
    found = left([6, 8, 8, 6], [[0, 0, 0], [1.26, 0, 0], [-0.7, 1.05, 0], [1.9, 1.2, 0]])
    assert found == {frozenset({0, 1}), frozenset({0, 2})}


def test_a_flat_carbon_takes_no_fourth_bond():
    ring = [[1.4 * np.cos(a), 1.4 * np.sin(a), 0] for a in np.radians([0, 120, 240])]
    found = left([6, 6, 6, 6, 6], [[0, 0, 0], *ring, [0, 0, 1.6]])
    assert found == {frozenset({0, k}) for k in (1, 2, 3)}


def test_water_on_a_metal_stays():
    water = [[0, 0, 0], [0.6, 0.75, 0], [0.6, -0.75, 0]]
    assert frozenset({0, 3}) in left([8, 1, 1, 30], [*water, [-2.0, 0, 0]])


@pytest.mark.parametrize("crystal", [rock_salt(), diamond(), *MOFS], ids=lambda c: c.formula)
def test_sound_crystals_keep_all_bonds(crystal):
    bonds = find_bonds(crystal)
    assert len(within_valence(crystal, bonds, METALS[crystal.numbers])) == len(bonds)


@settings(deadline=None, max_examples=15)
@given(st.sampled_from(MOFS), st.integers(0, 10**6))
def test_a_group_that_overlaps_another_linker_does_not_join_them(crystal, seed):
    """A carbon 1.6 Å above an aromatic carbon of another linker: as many linkers as before."""
    before = take_apart(crystal)
    rng = np.random.default_rng(seed)
    linker = before.linkers[rng.integers(len(before.linkers))]
    flat = [n for n in np.flatnonzero(linker.numbers == 6) if (linker.bonds[:, 0] == n).sum() == 3]
    if not flat:
        return
    at = flat[rng.integers(len(flat))]
    around = linker.position[linker.bonds[linker.bonds[:, 0] == at, 1]] - linker.position[at]
    normal = np.cross(around[0], around[1])
    place = linker.position[at] + 1.6 * normal / np.linalg.norm(normal)
    frac = np.vstack([crystal.frac_coords, place @ np.linalg.inv(crystal.lattice)])
    after = take_apart(Crystal(crystal.lattice, frac, np.append(crystal.numbers, 6)))
    assert len(after.linkers) >= len(before.linkers) - 1
    assert sum(k.kind == linker.kind for k in after.linkers) == sum(k.kind == linker.kind for k in before.linkers)
