"""Crystals in the conventional setting of their space group."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xtal.crystals import Crystal, primitive, read_cif
from xtal.crystals.conventional import conventional, operations_of
from xtal.physics import powder_lines

CIFS = Path(__file__).parents[2] / "data" / "cifs"
GROUPS = {"quartz": 154, "olivine": 62, "halite": 225, "GORQAF_clean": 2, "DONNAW01_SL": 216}
EDGES = st.lists(st.integers(-1, 2), min_size=9, max_size=9)


def fixture(name: str) -> Crystal:
    return read_cif((CIFS / f"{name}.cif").read_bytes(), name)


def curve(crystal: Crystal) -> np.ndarray:
    """The powder pattern on a grid of q: what no choice of cell changes."""
    q = np.linspace(0.3, 3.5, 2000)
    lines = powder_lines(crystal, 3.6)
    drawn = (lines.intensity[:, None] * np.exp(-(((q - lines.q[:, None]) / 0.01) ** 2))).sum(axis=0)
    return drawn / np.linalg.norm(drawn)


@pytest.mark.parametrize("name", GROUPS)
def test_the_cell_holds_the_same_crystal(name):
    crystal = fixture(name)
    found = conventional(crystal)
    whole = found.whole()
    assert found.group.is_reference_setting()
    assert found.multiplicity.sum() == len(whole)
    assert whole.volume / len(whole) == pytest.approx(crystal.volume / len(crystal), rel=1e-4)
    assert whole.reduced_formula == crystal.reduced_formula
    assert curve(whole) @ curve(crystal) > 0.99999


@pytest.mark.parametrize("name", ["quartz", "olivine", "halite"])
def test_space_groups_of_minerals(name):
    assert conventional(fixture(name)).group.number in {GROUPS[name], 152}  # quartz of either hand


@given(st.sampled_from(["quartz", "halite", "olivine"]), EDGES)
@settings(max_examples=15, deadline=None)
def test_any_cell_of_a_crystal_has_one_conventional_setting(name, edges):
    crystal = primitive(fixture(name))
    change = np.array(edges).reshape(3, 3)
    if abs(abs(np.linalg.det(change)) - 1) > 1e-6:
        return
    other = Crystal(
        change @ crystal.lattice, crystal.frac_coords @ np.linalg.inv(change), crystal.numbers, crystal.occupancies
    )
    first, second = conventional(crystal), conventional(other)
    assert (first.group.number, len(first)) == (second.group.number, len(second))
    assert second.cell == pytest.approx(first.cell, rel=1e-5)


def test_a_strain_keeps_what_the_symmetry_allows():
    crystal = fixture("quartz")
    rng = np.random.default_rng(0)
    strain = rng.normal(0, 0.004, (3, 3))
    found = conventional(crystal, crystal.lattice @ (np.eye(3) + (strain + strain.T) / 2))
    metric = found.lattice @ found.lattice.T
    for rotation in operations_of(found.group)[:, :, :3]:
        assert rotation.T @ metric @ rotation == pytest.approx(metric, abs=1e-9)
    a, b, c, alpha, beta, gamma = found.cell
    assert (a, alpha, beta, gamma) == pytest.approx((b, 90, 90, 120))
    assert c != pytest.approx(conventional(crystal).cell[2], rel=1e-4)


def test_an_allowed_strain_is_kept_whole():
    crystal = fixture("halite")
    assert conventional(crystal, crystal.lattice * 1.01).cell[0] == pytest.approx(conventional(crystal).cell[0] * 1.01)


def test_elements_that_share_a_site_stay_together():
    salt = fixture("halite")
    mixed = Crystal(
        salt.lattice,
        np.concatenate([salt.frac_coords, salt.frac_coords[salt.numbers == 11]]),
        np.concatenate([salt.numbers, np.full(4, 19)]),
        np.concatenate([np.where(salt.numbers == 11, 0.75, 1.0), np.full(4, 0.25)]),
    )
    found = conventional(mixed)
    assert found.group.number == 225
    assert sorted(zip(found.numbers.tolist(), found.occupancies.tolist(), strict=True)) == [
        (11, 0.75),
        (17, 1.0),
        (19, 0.25),
    ]


def test_atoms_nearer_to_each_other_than_the_tolerance_are_neither_lost_nor_doubled():
    """Halves of a disordered hydrogen, 0.04 Å on either side of a mirror plane: at 0.05 Å they would be one."""
    salt = fixture("halite")
    edge = float(salt.lattice[0, 0])
    apart = 0.02 / edge
    beside = np.array([[0.25, 0.25, 0.25 + apart], [0.25, 0.25, 0.25 - apart]])
    crowded = Crystal(
        salt.lattice, np.concatenate([salt.frac_coords, beside]), np.concatenate([salt.numbers, [1, 1]]), name="crowded"
    )
    found = conventional(crowded)
    assert found.whole().reduced_formula == crowded.reduced_formula
    assert curve(found.whole()) @ curve(crowded) > 0.99999


def test_atoms_without_symmetry_stay_as_they_are():
    rng = np.random.default_rng(1)
    crystal = Crystal(np.diag([7.0, 8.0, 9.0]) + 0.3 * rng.normal(size=(3, 3)), rng.random((5, 3)), np.arange(6, 11))
    found = conventional(crystal)
    assert (found.group.number, len(found)) == (1, 5)
    assert curve(found.whole()) @ curve(crystal) > 0.99999
