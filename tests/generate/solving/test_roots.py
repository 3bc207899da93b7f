from typing import Any

import numpy as np
import pytest
from solving_helpers import FAMILIES, alone, clean_sample, symmetric

from generate.solving.cost import by_intensity, misfit
from generate.solving.roots import FLOOR, Roots, independent
from xtal.crystals import Crystal
from xtal.errors import UserError
from xtal.patterns import two_theta_from_q

CRYSTAL = FAMILIES[8]


def test_equivalent_reflections_are_counted_once():
    setting = symmetric(CRYSTAL)
    every, q_all, once = independent(CRYSTAL.lattice, alone(CRYSTAL.lattice).rotations, 2.0)
    few, q, count = independent(CRYSTAL.lattice, setting.rotations, 2.0)
    assert set(once.tolist()) == {2.0}  # Friedel's pairs
    assert count.sum() == 2 * len(every)
    assert len(few) < len(every) / 2
    assert np.repeat(q, count.astype(int)).mean() == pytest.approx(q_all.mean())
    assert (few[:, 0] >= 0).all()
    assert few.tolist() == sorted(few.tolist())


def test_lines_stand_where_they_belong():
    sample = clean_sample(CRYSTAL)
    roots = Roots.of(sample, CRYSTAL.lattice, alone(CRYSTAL.lattice).rotations)
    assert roots.root.max() == pytest.approx(1, abs=0.02)
    assert len(roots.root) == len(roots.trust)
    tallest = int(roots.root.argmax())
    at = roots.start + roots.shape.argmax(axis=1)
    strongest = sample.lines.q[sample.lines.intensity.argmax()]
    near = np.abs(two_theta_from_q(roots.q, roots.wavelength) - two_theta_from_q(strongest, roots.wavelength))
    assert np.abs(at[near < 0.1] - tallest).min() <= 2


def test_a_zero_shift_moves_them_all():
    sample, setting = clean_sample(CRYSTAL), alone(CRYSTAL.lattice)
    here = Roots.of(sample, CRYSTAL.lattice, setting.rotations)
    there = Roots.of(sample, CRYSTAL.lattice, setting.rotations, zero=0.5, line=here.line)
    both = min(len(here.q), len(there.q))
    assert ((there.start - here.start)[: both - 10] > 0).all()
    assert there.line == here.line


def test_a_cell_without_lines_in_the_range_is_refused():
    tiny = np.eye(3) * 2.0  # its first line lies beyond 30°
    with pytest.raises(UserError, match="no line in the range"):
        Roots.of(clean_sample(CRYSTAL), tiny, alone(tiny).rotations)


def test_feet_of_dense_lines_that_the_background_took_are_no_misfit():
    """A pattern of many weak lines: the crystal itself agrees far better than when only the net intensity counts."""
    crystal = max(FAMILIES, key=lambda one: one.volume)
    shown = of_itself(crystal, Roots.of(clean_sample(crystal), crystal.lattice, alone(crystal.lattice).rotations))
    assert (shown[4] >= shown[3]).all()
    net_alone = [*shown[:4], shown[3], *shown[5:]]
    assert misfit(*shown) < 0.01
    assert misfit(*shown) <= misfit(*net_alone)


def test_lines_have_the_feet_that_the_background_took():
    """Crystals agree with their own patterns: lines without feet, as what is left alone looks, would lose by four."""
    crystals = [FAMILIES[row] for row in range(16)]
    every = [Roots.of(clean_sample(one), one.lattice, alone(one.lattice).rotations) for one in crystals]
    assert np.median([misfit(*of_itself(*pair)) for pair in zip(crystals, every, strict=True)]) < 5e-4
    without = [
        Roots.of(clean_sample(one), one.lattice, alone(one.lattice).rotations, line=(0.95, 0.0)) for one in crystals
    ]
    assert np.median([misfit(*of_itself(*pair)) for pair in zip(crystals, without, strict=True)]) > 1e-3


def of_itself(crystal: Crystal, roots: Roots) -> list[Any]:
    """What the misfit of a crystal takes."""
    waves = np.exp(2j * np.pi * crystal.frac_coords @ roots.hkl.T)
    factors = roots.factors(np.arange(1, 99))[crystal.numbers.astype(np.int64) - 1]
    strength = roots.strength * np.abs((factors * waves).sum(axis=0)) ** 2
    return [strength, roots.start, roots.shape, roots.root, roots.high, roots.trust, FLOOR, np.empty(len(roots.root))]


def test_the_slope_is_that_of_the_misfit():
    crystal = max(FAMILIES, key=lambda one: one.volume)
    roots = Roots.of(clean_sample(crystal), crystal.lattice, alone(crystal.lattice).rotations)
    rng = np.random.default_rng(0)
    strength = rng.uniform(0, 1, len(roots.q))
    high = roots.root + rng.uniform(0, 0.1, len(roots.root))

    def at(intensity: np.ndarray, slope: np.ndarray) -> float:
        return misfit(intensity, roots.start, roots.shape, roots.root, high, roots.trust, FLOOR, slope)

    slope, none = np.empty_like(high), np.empty_like(high)
    at(strength, slope)
    told = np.array([by_intensity(slope, roots.start, roots.shape, r) for r in range(len(strength))])
    step = rng.normal(size=len(strength)) * 1e-5
    step -= strength * (step @ told_scale(roots, high)) / (strength @ told_scale(roots, high))  # the scale stays
    change = at(strength + step, none) - at(strength - step, none)
    assert change == pytest.approx(2 * step @ told, rel=2e-3)


def told_scale(roots: Roots, high: np.ndarray) -> np.ndarray:
    """(R,) what each line adds to the sum that tells the scale."""
    known = roots.trust * (roots.root / high) ** 2
    return np.array([(known[s : s + len(w)] * w).sum() for s, w in zip(roots.start, roots.shape, strict=True)])
