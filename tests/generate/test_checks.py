from itertools import product

import gemmi
import numpy as np
import pytest
from generate_helpers import disturbed, small_mofs
from hypothesis import given, settings
from hypothesis import strategies as st

from generate.checks import SHORTEST_BOND, closest_contact, density, nearest_contact, plausibility
from xtal.crystals import Crystal

MOFS = small_mofs()
FCC = np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]])
DIAMOND = Crystal(np.eye(3) * 3.567, np.concatenate([FCC, FCC + 0.25]), [6] * 8, name="diamond")
IMAGES = np.array(list(product(range(-3, 4), repeat=3)))


@pytest.mark.parametrize("crystal", MOFS, ids=lambda c: c.name)
def test_real_chemistry_is_plausible(crystal):
    verdict = plausibility(crystal)
    assert verdict.plausible
    assert 1.1 < verdict.closest < 1.6
    assert "overlap" not in verdict.words


@pytest.mark.parametrize("crystal", MOFS, ids=lambda c: c.name)
def test_atoms_thrown_about_by_an_angstrom_overlap(crystal):
    verdict = plausibility(disturbed(crystal, 1.0, 0.0, 4))
    assert not verdict.plausible
    assert verdict.closest < 0.9
    assert "overlap" in verdict.words


def test_the_contact_names_atoms_and_distances():
    contact = nearest_contact(DIAMOND)
    bond, radius = 3.567 * np.sqrt(3) / 4, gemmi.Element("C").covalent_r
    assert contact.elements == ("C", "C")
    assert contact.distance == pytest.approx(bond)
    assert contact.allowed == pytest.approx(SHORTEST_BOND * 2 * radius)
    assert closest_contact(DIAMOND) == pytest.approx(bond / (SHORTEST_BOND * 2 * radius))


def test_the_density_of_diamond():
    assert density(DIAMOND) == pytest.approx(3.515, abs=0.005)
    half = Crystal(DIAMOND.lattice, DIAMOND.frac_coords, DIAMOND.numbers, np.full(8, 0.5))
    assert density(half) == pytest.approx(density(DIAMOND) / 2)


def test_the_smallest_ratio_counts_not_the_smallest_distance():
    """H-H at 0.75 Å is a molecule; Zn-O at 1.1 Å is an overlap."""
    crystal = Crystal(
        np.eye(3) * 10, np.array([[0, 0, 0], [0.075, 0, 0], [0.5, 0.5, 0.5], [0.61, 0.5, 0.5]]), [1, 1, 30, 8]
    )
    contact = nearest_contact(crystal)
    assert set(contact.elements) == {"Zn", "O"}
    assert contact.ratio < 1


@pytest.mark.parametrize(("edge", "word"), [(30.0, "solids have"), (0.9, "overlap")])
def test_a_lone_atom_meets_its_own_images(edge, word):
    verdict = plausibility(Crystal(np.eye(3) * edge, np.zeros((1, 3)), [6]))
    assert not verdict.plausible
    assert word in verdict.words
    assert verdict.closest * SHORTEST_BOND * 2 * gemmi.Element("C").covalent_r == pytest.approx(edge)


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_no_image_is_missed(seed):
    """Also in oblique cells, against all images three cells around."""
    rng = np.random.default_rng(seed)
    lattice = np.eye(3) * rng.uniform(2.5, 8, 3) + rng.uniform(-0.8, 0.8, (3, 3))  # three cells around are then enough
    count = int(rng.integers(1, 7))
    crystal = Crystal(lattice, rng.uniform(size=(count, 3)), rng.choice([1, 6, 30, 92], count))
    apart = (crystal.frac_coords[:, None] - crystal.frac_coords)[:, :, None] + IMAGES
    distance = np.linalg.norm(apart @ lattice, axis=-1)
    distance[np.arange(count), np.arange(count), len(IMAGES) // 2] = np.inf
    radii = np.array([gemmi.Element(int(z)).covalent_r for z in crystal.numbers])
    allowed = SHORTEST_BOND * (radii[:, None] + radii)
    assert closest_contact(crystal) == pytest.approx((distance / allowed[..., None]).min(), rel=1e-9)
