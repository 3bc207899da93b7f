"""Known lattices are stretched onto lines that another cell put where they are, whatever the intensities."""

import numpy as np
import pytest

from xtal.patterns import Lines
from xtal.physics.indexing.bravais import conventional, primitive
from xtal.physics.indexing.metric import CUBIC, HEXAGONAL, MONOCLINIC, ORTHORHOMBIC, TETRAGONAL, TRICLINIC, places
from xtal.physics.indexing.nearby import Known, Places, nearest_lattice

WAVELENGTH, MOST_SEEN = 1.5406, 24
CELLS = {  # free parameters of the metric, Å⁻²; a lattice of some 12 to 20 Å
    CUBIC: (0.0031,),
    HEXAGONAL: (0.0084, 0.0030),
    TETRAGONAL: (0.0051, 0.0023),
    ORTHORHOMBIC: (0.0061, 0.0038, 0.0022),
    MONOCLINIC: (0.0064, 0.0049, 0.0029, 0.0011),
    TRICLINIC: (0.0075, 0.0061, 0.0043, 0.0012, 0.0019, 0.0008),
}


def held(q):
    """Return lines found at Q (K,), with small errors of their places."""
    sigma = np.full(len(q), 2e-5)
    weight = np.ones(len(q))
    return Places(q, sigma, weight, np.ones(len(q)), (*places(q, sigma, WAVELENGTH), weight))


def known(system, rng, last=0.12):
    """Return a lattice of a system with lines of random intensities, a third of them absent."""
    parameters = np.zeros(6)
    parameters[: len(CELLS[system])] = CELLS[system]
    lattice = primitive(conventional(system, parameters), "P")
    hkl = np.stack(np.meshgrid(*[np.arange(-9, 10)] * 3), axis=-1).reshape(-1, 3)
    q = ((hkl @ np.linalg.inv(lattice).T) ** 2).sum(axis=1)
    q = np.unique(np.round(q[(q > 0) & (q < 1.2 * last)], 9))
    q = q[np.diff(q, prepend=0) > 1e-7]
    intensity = rng.uniform(0.05, 1, len(q)) * (rng.random(len(q)) > 1 / 3)
    lines = Lines(2 * np.pi * np.sqrt(q[intensity > 0]), intensity[intensity > 0], None, (0.0, 2.4))
    return Known.of(lattice, lines, last)


@pytest.mark.parametrize("system", list(CELLS))
def test_a_stretched_cell_is_found_from_its_lines(system):
    found = 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        one = known(system, rng)
        assert one is not None
        assert one.system == system
        true = one.parameters.copy()
        true[: one.free] *= 1 + rng.uniform(-0.05, 0.05, one.free)
        q = one.design @ true
        order = np.argsort(q)
        order = order[(q[order] < 0.06) & (np.diff(q[order], prepend=0) > 2e-4)]
        strongest = order[np.argsort(-one.intensity[order] / q[order])[:MOST_SEEN]]
        q = np.sort(q[strongest] + rng.normal(0, 1e-5, len(strongest)))
        near = nearest_lattice(one, held(q))
        found += np.allclose(near.parameters[: one.free], true[: one.free], rtol=4e-3, atol=2e-5)
        assert near.lattice.shape == (3, 3)
    assert found >= 3


def test_lines_at_random_suit_no_cell_as_well_as_its_own():
    rng = np.random.default_rng(3)
    one = known(HEXAGONAL, rng)
    q = np.sort(one.design @ one.parameters)
    q = q[(q < 0.1) & (np.diff(q, prepend=0) > 1e-4)][:20]
    own = nearest_lattice(one, held(q * 1.04)).score
    others = [nearest_lattice(one, held(np.sort(rng.uniform(q[0], q[-1], len(q))))).score for _ in range(10)]
    assert own > max(others) + 10


def test_intensities_agree_with_themselves_and_not_with_others():
    rng = np.random.default_rng(4)
    one = known(TETRAGONAL, rng)
    q = one.design @ one.parameters
    order = np.argsort(q)
    kept = order[(q[order] < 0.1) & (np.diff(q[order], prepend=0) > 1e-4)]
    lines = held(q[kept])
    own = Places(lines.q, lines.sigma, lines.weight, one.intensity[kept], lines.grid)
    mixed = Places(lines.q, lines.sigma, lines.weight, rng.permutation(one.intensity[kept]) ** 3, lines.grid)
    near = nearest_lattice(one, own)
    assert near.agreement(own, 0.0) > 0.9
    assert near.agreement(mixed, 0.0) < near.agreement(own, 0.0) - 0.05
    assert near.agreement(own, 1.0) == 0  # no line lies there
