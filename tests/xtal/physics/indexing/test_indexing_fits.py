"""What becomes of trial lattices when they are fitted to the profile."""

from dataclasses import replace

import numpy as np
import pytest

from xtal.crystals import Crystal, cell_lattice
from xtal.crystals.lattices import strain_onto
from xtal.patterns.sample import Sample
from xtal.physics.artefacts import Scan
from xtal.physics.indexing.bravais import free_parameters
from xtal.physics.indexing.fits import KEPT, MULTIPLES, SECOND, fitted, judged, near
from xtal.physics.indexing.groups import ln_admitted
from xtal.physics.indexing.metric import MONOCLINIC, TRICLINIC, P
from xtal.physics.indexing.pawley import fit
from xtal.physics.indexing.resolving import Resolved, resolve
from xtal.physics.indexing.strays import ln_strays
from xtal.physics.indexing.trial import Trial
from xtal.physics.simulate import simulate

RANGE = (300.0, 3000.0)
CELL = cell_lattice((9.4, 10.8, 11.9, 90, 104.0, 90))


def crystal() -> Crystal:
    sites = np.random.default_rng(8).uniform(0.05, 0.95, (9, 3))
    frac = np.concatenate([sites, sites * [-1, 1, -1] + 0.5, -sites, sites * [1, -1, 1] + 0.5]) % 1
    return Crystal(CELL, frac, np.tile(np.array([30] * 2 + [8] * 3 + [6] * 4, np.uint8), 4))


@pytest.fixture(scope="module")
def resolved():
    return pattern_with(None)


def trial(lattice: np.ndarray, system: int = MONOCLINIC) -> Trial:
    return Trial(system, P, free_parameters(system, lattice), 0.0, 0.0)


def test_what_was_found_is_kept_whatever_comes_after(resolved):
    right = judged(resolved, [], fitted(resolved, [trial(CELL)]), RANGE)
    assert strain_onto(right[0].lattice, CELL, 0.005) is not None
    double = [trial(np.diag([2, 1, 1]) @ CELL, TRICLINIC)] * (SECOND + 1)
    after = fitted(resolved, double)
    assert min(one.fit.evidence for one in after) > right[0].fit.evidence  # of few lines: they cannot be compared
    kept = judged(resolved, right, after, RANGE)
    assert kept[0] is right[0]
    assert len(kept) <= KEPT
    evidence = [one.fit.evidence for one in kept]
    assert evidence == sorted(evidence, reverse=True)


def test_a_strained_crystal_is_found_from_its_symmetric_cell():
    """Angles are off by up to 0.7 degrees in the pattern of the strained crystal, which no symmetric cell explains."""
    shear = np.eye(3) + np.array([[0, 0.005, 0], [0.005, 0, 0.004], [0, 0.004, 0]])
    sites = np.random.default_rng(8).uniform(0.05, 0.95, (12, 3))
    crystal = Crystal(CELL @ shear, sites, np.array([30] * 3 + [8] * 4 + [6] * 5, np.uint8))
    sample = resolve(Sample.of(simulate(crystal, 0.0, np.random.default_rng([3, 1]))))
    best = judged(sample, [], fitted(sample, [trial(CELL)]), RANGE)[0]
    assert best.system < MONOCLINIC
    assert strain_onto(best.lattice, crystal.lattice, 0.001) is not None


def test_multiples_of_the_best_cell_do_not_fill_the_list(resolved):
    right = judged(resolved, [], fitted(resolved, [trial(CELL)]), RANGE)
    every = judged(resolved, right, near(resolved, right[:1]), RANGE)
    volumes = np.array([np.linalg.det(one.lattice) for one in every]) / np.linalg.det(CELL)
    assert volumes[0] == pytest.approx(1, abs=0.01)
    assert (abs(volumes - 2) < 0.02).sum() == MULTIPLES


def pattern_with(line: float | None) -> Resolved:
    """The monoclinic crystal's pattern, with a line of something else at this angle, a fifth as high as the highest."""
    pattern = simulate(crystal(), 0.0, np.random.default_rng([3, 0]), Scan(last=45.0))
    if line is None:
        return resolve(Sample.of(pattern))
    more = 0.2 * np.ptp(pattern.intensity) * np.exp(-4 * np.log(2) * ((pattern.two_theta - line) / 0.15) ** 2)
    return resolve(Sample.of(replace(pattern, intensity=pattern.intensity + more)))


def test_a_line_of_something_else_costs_a_lattice_no_more_than_its_price():
    clean, dirty = pattern_with(None), pattern_with(8.9)
    alone = judged(clean, [], fitted(clean, [trial(CELL)]), RANGE)[0]
    assert ln_strays(clean, alone.fit) == 0
    beside = judged(dirty, [], fitted(dirty, [trial(CELL)]), RANGE)[0]
    assert strain_onto(beside.lattice, CELL, 0.005) is not None
    assert ln_strays(dirty, beside.fit) > 100


def test_a_lattice_is_likelier_for_what_its_groups_forbid(resolved):
    """P 21/n forbids h0l with h + l odd, and 0k0 with k odd: nothing of it is in the pattern."""
    best = judged(resolved, [], fitted(resolved, [trial(CELL)]), RANGE)[0]
    assert ln_admitted(resolved.profile, best.fit, best.system, best.centring) > 5
    plain = fit(resolved.profile, TRICLINIC, P, free_parameters(TRICLINIC, CELL), 0.0, 10)
    assert ln_admitted(resolved.profile, plain, TRICLINIC, P) < 0  # nothing is forbidden, and P1 and P-1 are not all


def test_half_and_double_lattices_are_offered(resolved):
    volumes = [
        np.linalg.det(one.lattice)
        for one in near(resolved, judged(resolved, [], fitted(resolved, [trial(CELL)]), RANGE)[:1])
    ]
    assert min(volumes) == pytest.approx(np.linalg.det(CELL) / 2, rel=0.05)
    assert max(volumes) == pytest.approx(np.linalg.det(CELL) * 2, rel=0.05)
