"""The powder kernel: what must not change its lines, and its formulas written out slowly."""

from dataclasses import replace
from itertools import product

import gemmi
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_crystals import crystals, profile, rotations, unimodular

from xtal.crystals import Crystal, cell_lattice
from xtal.errors import UserError
from xtal.patterns import q_from_two_theta
from xtal.patterns.lorentz import lorentz_polarisation, lorentz_polarisation_ratio
from xtal.physics import crystal_lines, powder, powder_lines, reflections
from xtal.physics.powder import CU_K_ALPHA1, MERGE, U_ISO, anomalous_terms, form_factors, merge_lines

Q_MAX = 4.2
ONE = np.eye(3)
few = settings(max_examples=25)


def same_lines(first: Crystal, second: Crystal) -> None:
    np.testing.assert_allclose(
        profile(powder_lines(first, Q_MAX, 0.1)), profile(powder_lines(second, Q_MAX, 0.1)), atol=2e-5
    )


@few
@given(crystals(), st.tuples(*[st.floats(-2, 2)] * 3))
def test_the_origin_does_not_matter(crystal, shift):
    same_lines(crystal, replace(crystal, frac_coords=crystal.frac_coords + shift))


@few
@given(crystals(), rotations())
def test_orientation_does_not_matter(crystal, rotation):
    same_lines(crystal, replace(crystal, lattice=crystal.lattice @ rotation))


@few
@given(crystals())
def test_hand_does_not_matter(crystal):
    same_lines(crystal, replace(crystal, frac_coords=-crystal.frac_coords))


@few
@given(crystals(), unimodular())
def test_choice_of_cell_does_not_matter(crystal, change):
    frac = crystal.frac_coords @ np.linalg.inv(change)
    same_lines(crystal, replace(crystal, lattice=change @ crystal.lattice, frac_coords=frac))


@few
@given(crystals(), st.sampled_from([0, 1, 2]))
def test_a_supercell_has_the_lines_of_its_cell(crystal, axis):
    double = np.eye(3)
    double[axis, axis] = 2
    half = crystal.frac_coords @ np.linalg.inv(double)
    same_lines(
        crystal,
        Crystal(
            double @ crystal.lattice,
            np.concatenate([half, half + 0.5 * np.eye(3)[axis]]),
            np.tile(crystal.numbers, 2),
            np.tile(crystal.occupancies, 2),
        ),
    )


@few
@given(crystals(), st.floats(0.1, 1))
def test_the_amplitude_is_linear_in_the_occupancy(crystal, share):
    whole = reflections(crystal, 3.0)
    part = reflections(replace(crystal, occupancies=crystal.occupancies * share), 3.0)
    np.testing.assert_allclose(part.intensity, share**2 * whole.intensity, atol=1e-5 * whole.intensity.max())
    split = Crystal(
        crystal.lattice,
        np.tile(crystal.frac_coords, (2, 1)),
        np.tile(crystal.numbers, 2),
        np.concatenate([crystal.occupancies * share, crystal.occupancies * max(1 - share, 1e-9)]),
    )
    same = reflections(split, 3.0).intensity
    np.testing.assert_allclose(same, whole.intensity, atol=1e-5 * whole.intensity.max())


def slow_intensities(crystal: Crystal, hkl: np.ndarray, wavelength: float) -> np.ndarray:
    """|F|² of single reflections (R, 3) by the textbook, with complex form factors and gemmi's own tables."""
    q = 2 * np.pi * np.linalg.norm(hkl @ np.linalg.inv(crystal.lattice).T, axis=1)
    factors = np.empty((len(hkl), len(crystal)), complex)
    for atom, number in enumerate(crystal.numbers):
        element = gemmi.Element(int(number))
        f0 = [element.it92.calculate_sf((x / (4 * np.pi)) ** 2) for x in q]
        f1, f2 = gemmi.cromer_liberman(int(number), gemmi.hc / wavelength) if number > 2 else (0, 0)
        factors[:, atom] = np.array(f0) + f1 + 1j * f2
    structure = (factors * np.exp(2j * np.pi * hkl @ crystal.frac_coords.T)) @ crystal.occupancies
    return abs(structure) ** 2 * np.exp(-U_ISO * q**2)


def all_reflections(crystal: Crystal, q_min: float, q_max: float, reach: int = 12) -> np.ndarray:
    """(R, 3) every h k l of both halves of reciprocal space in the shell."""
    hkl = np.array(list(product(range(-reach, reach + 1), repeat=3)))
    q = 2 * np.pi * np.linalg.norm(hkl @ np.linalg.inv(crystal.lattice).T, axis=1)
    return hkl[(q >= q_min) & (q <= q_max)]


@settings(max_examples=12)
@given(crystals(), st.sampled_from([CU_K_ALPHA1, 0.7093]))
def test_one_of_each_friedel_pair_carries_the_mean_of_both(crystal, wavelength):
    found = reflections(crystal, 3.0, wavelength=wavelength)
    hkl = np.rint(found.g @ crystal.lattice.T).astype(int)
    pairs = {tuple(row) for row in hkl} | {tuple(-row) for row in hkl}
    assert pairs == {tuple(row) for row in all_reflections(crystal, 0.2, 3.0)}
    assert len(pairs) == 2 * len(hkl)
    both = slow_intensities(crystal, hkl, wavelength), slow_intensities(crystal, -hkl, wavelength)
    np.testing.assert_allclose(found.intensity, np.mean(both, axis=0), atol=1e-5 * np.max(both))


def test_the_mates_of_an_acentric_crystal_differ():
    """Otherwise the mean over Friedel pairs would be tested by nothing."""
    crystal = Crystal(np.diag([5.0, 6, 7]), [[0, 0, 0], [0.3, 0.1, 0.2], [0.6, 0.3, 0.7]], [59, 8, 29])
    hkl = all_reflections(crystal, 0.2, 3.0)
    one, other = slow_intensities(crystal, hkl, CU_K_ALPHA1), slow_intensities(crystal, -hkl, CU_K_ALPHA1)
    assert abs(one - other).max() > 0.1 * one.max()


def test_halite_extinctions_and_positions():
    sites = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
    halite = Crystal(np.eye(3) * 5.6402, np.concatenate([sites, sites + 0.5]), [11] * 4 + [17] * 4)
    lines = powder_lines(halite, 5.0)
    squares = [3, 4, 8, 11, 12, 16, 19, 20]  # h² + k² + l² of all even or all odd
    np.testing.assert_allclose(lines.q, 2 * np.pi / 5.6402 * np.sqrt(squares), rtol=1e-9)
    assert lines.intensity.argmax() == 1
    assert lines.intensity[0] < 0.2  # 111: Cl minus Na


def test_large_work_is_done_in_parts_alike(monkeypatch):
    crystal = Crystal(np.diag([9.0, 8, 12]), np.random.default_rng(0).uniform(size=(20, 3)), [6] * 18 + [30] * 2)
    whole = reflections(crystal, 4.0)
    monkeypatch.setattr(powder, "CHUNK", 500)
    parts = reflections(crystal, 4.0)
    np.testing.assert_array_equal(parts.g, whole.g)
    np.testing.assert_allclose(parts.intensity, whole.intensity, rtol=1e-4)


def test_a_hostile_cell_is_refused():
    crystal = Crystal(np.eye(3) * 1000, [[0, 0, 0]], [6])
    with pytest.raises(UserError, match=r"a cell of 1e\+09 Å³ has too many reflections up to q = 2\.3 Å"):
        crystal_lines(crystal)


def test_database_lines_reach_far_in_small_cells_and_stay_few_in_large_ones():
    small, large = (Crystal(np.eye(3) * a, [[0, 0, 0], [0.3, 0.4, 0.1]], [30, 8]) for a in (3.0, 30.0))
    assert crystal_lines(small).q_range == (0.2, 6.0)
    assert crystal_lines(large).q_range == (0.2, 2.3)
    triclinic = cell_lattice([29, 31, 33, 85, 95, 100])
    assert len(crystal_lines(Crystal(triclinic, [[0, 0, 0], [0.3, 0.4, 0.1]], [30, 8]))) == 1024


@few
@given(crystals(), st.integers(0, 2**32 - 1))
def test_directions_tell_where_a_strain_moves_the_lines(crystal, seed):
    strain = np.random.default_rng(seed).normal(0, 1e-4, (3, 3))
    strain = (strain + strain.T) / 2
    hkl = all_reflections(crystal, 0.2, 3.0, 4)
    before, after = (hkl @ np.linalg.inv(lattice).T for lattice in (crystal.lattice, crystal.lattice @ (ONE + strain)))
    moved = 2 * np.pi * np.linalg.norm(after, axis=1)
    voigt = strain[[0, 1, 2, 1, 0, 0], [0, 1, 2, 2, 2, 1]]
    for g, q in zip(before, moved, strict=True):
        line = merge_lines(g[None], np.ones(1), (0, 3))
        assert line.q[0] * (1 - line.direction[0] @ voigt) == pytest.approx(q, abs=1e-6)


def test_a_merged_line_has_the_mean_direction_of_its_reflections():
    g = np.array([[0.2, 0, 0], [0, 0.2, 0], [0, 0, 0.2]])
    lines = merge_lines(g, np.array([1.0, 1.0, 2.0]), (0, 2))
    np.testing.assert_allclose(lines.direction, [[0.25, 0.25, 0.5, 0, 0, 0]])


separate = st.lists(st.tuples(st.floats(0.5, 3), st.floats(1e-3, 1)), min_size=1, max_size=60)


@given(separate, st.sampled_from([MERGE, 0.05, 0.5]))
def test_merging_keeps_intensity_and_position(values, merge):
    q, weight = np.array(sorted(values)).T
    q, weight = np.append(q, 9.0), np.append(weight, 100.0)  # far from all others, the strongest
    g = np.stack([q / (2 * np.pi), 0 * q, 0 * q], axis=1)
    lines = merge_lines(g, weight * q**2, (0.5, 9.0), merge)
    assert lines.intensity.sum() * 100 == pytest.approx(weight.sum())
    assert (lines.intensity * lines.q).sum() * 100 == pytest.approx((weight * q).sum())
    assert (abs(q[:, None] - lines.q).min(axis=1) <= merge).all()
    assert len(lines) <= len(np.unique(q))
    np.testing.assert_allclose(lines.direction, np.outer(np.ones(len(lines)), [1, 0, 0, 0, 0, 0]), atol=1e-12)


def test_a_crowd_of_reflections_stays_several_lines():
    """Each is close to the next, but the first and the last are far apart."""
    q = 2.0 + np.arange(0, 0.02, MERGE / 10)
    g = np.stack([q / (2 * np.pi), 0 * q, 0 * q], axis=1)
    lines = merge_lines(g, q**2, (0, 3))
    assert len(lines) == pytest.approx(0.02 / MERGE, abs=2)
    assert (abs(q[:, None] - lines.q).min(axis=1) <= MERGE).all()


def test_lines_that_carry_nothing_are_absent():
    g = np.array([[0.1, 0, 0], [0.2, 0, 0]])
    assert len(merge_lines(g, np.array([1.0, 1e-12]), (0, 2))) == 1
    assert len(merge_lines(g, np.zeros(2), (0, 2))) == 0
    assert len(merge_lines(np.empty((0, 3)), np.empty(0), (0, 2))) == 0
    assert merge_lines(g, np.zeros(2), (0, 2)).direction.shape == (0, 6)


@given(st.floats(1, 150), st.floats(0.3, 2.5))
def test_the_ratio_undoes_the_lorentz_polarisation_factor(two_theta, wavelength):
    q = q_from_two_theta(two_theta, wavelength)
    short_wavelength_limit = 2 / np.sin(np.radians(two_theta / 2)) ** 2
    ratio = lorentz_polarisation_ratio(q, wavelength)
    assert lorentz_polarisation(two_theta) * ratio == pytest.approx(short_wavelength_limit)


def test_the_ratio_tends_to_one_at_small_angles():
    np.testing.assert_allclose(lorentz_polarisation_ratio([0.01, 0.1, 1.0], 1e-3), 1, rtol=1e-6)
    assert abs(lorentz_polarisation_ratio(2.0, 1.54) - 1) > 0.01


def test_lorentz_polarisation_of_a_known_angle():
    assert lorentz_polarisation(60.0) == pytest.approx(1.25 / (0.25 * np.sqrt(0.75)))


def test_form_factors_are_those_of_the_tables():
    q = np.linspace(0, 6, 40)
    numbers = np.array([1, 8, 30, 98])
    exact = [[gemmi.Element(int(z)).it92.calculate_sf((x / 4 / np.pi) ** 2) for x in q] for z in numbers]
    np.testing.assert_allclose(form_factors(numbers, q), exact, atol=2e-3)
    np.testing.assert_allclose(form_factors(numbers, np.zeros(1))[:, 0], numbers, rtol=2e-3)


def test_anomalous_terms_of_iron_at_both_sides_of_its_edge():
    copper, molybdenum = anomalous_terms(CU_K_ALPHA1), anomalous_terms(0.7093)
    assert copper[26, 1] > 3 > 1 > molybdenum[26, 1] > 0.5
    assert not copper[1].any()
    with pytest.raises(ValueError, match="read-only"):
        copper[26] = 0


def test_displacement_dampens_high_angles():
    crystal = Crystal(np.eye(3) * 4, [[0, 0, 0]], [30])
    still, moving = (reflections(crystal, 4.0, u_iso=u) for u in (0.0, 0.05))
    q = 2 * np.pi * np.linalg.norm(still.g, axis=1)
    np.testing.assert_allclose(moving.intensity / still.intensity, np.exp(-0.05 * q**2))
