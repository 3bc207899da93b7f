import numpy as np
import pytest
from solving_helpers import FAMILIES, alone, clean_sample, symmetric

from generate.solving.roots import Roots, independent
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
