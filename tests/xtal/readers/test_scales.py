"""Logarithms and roots of counts are told by their noise, and nothing else is taken for them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xtal.patterns import Pattern
from xtal.patterns.treatments import TREATMENTS
from xtal.physics.profile import render_each
from xtal.readers import read_pattern
from xtal.readers.scales import scale_of_noise

ANGLES = np.linspace(3, 30, 1351)


def counts(seed: int, top: float = 5000.0) -> np.ndarray:
    """A measurement with 12 lines over a background of a fortieth."""
    rng = np.random.default_rng(seed)
    curve = render_each(ANGLES, rng.uniform(4, 29, 12), 10 ** rng.uniform(-1, 0, 12), 0.2, 0.5)
    return rng.poisson(top * (curve / curve.max() + 0.025)).astype(float)


@pytest.mark.parametrize(
    ("scaled", "name"),
    [
        (lambda y: np.log10(y + 1), "decimal logarithms"),
        (lambda y: np.log(y + 1), "natural logarithms"),
        (np.sqrt, "square roots"),
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_the_way_back_is_found(scaled, name, seed):
    scale = scale_of_noise(scaled(counts(seed)))
    assert scale.name.startswith(name)
    np.testing.assert_allclose(scale.back(scaled(counts(seed))), counts(seed), rtol=1e-6, atol=1.001)


@given(seed=st.integers(0, 100), top=st.floats(300, 1e5), unit=st.sampled_from([1.0, 0.01, 1 / 7.3, 100.0, 1e-4]))
def test_counts_in_any_unit_are_left_alone(seed, top, unit):
    assert scale_of_noise(unit * counts(seed, top)) is None


@pytest.mark.parametrize("treatment", TREATMENTS)
def test_what_programs_make_of_counts_is_left_alone(treatment):
    done = TREATMENTS[treatment](Pattern(ANGLES, counts(1), 1.5418))
    assert scale_of_noise(done.intensity) is None


def test_a_curve_without_noise_is_left_alone():
    curve = render_each(ANGLES, np.array([5.0, 9.0, 17.0]), np.array([1.0, 0.3, 0.1]), 0.2, 0.5)
    for values in (curve, 1 + np.log10(1e4 * curve + 1), np.sqrt(1e4 * curve), np.ones(20)):
        assert scale_of_noise(values) is None


def test_a_file_of_logarithms_is_read_as_counts_and_says_so(tmp_path):
    path = tmp_path / "log.xy"
    np.savetxt(path, np.column_stack([ANGLES, np.log10(counts(2) + 1)]), fmt="%.5f")
    pattern = read_pattern(path, 1.5418)
    np.testing.assert_allclose(pattern.intensity, counts(2) + 1, rtol=1e-3)
    assert pattern.source == "log.xy, intensities converted from decimal logarithms, as their noise says"
