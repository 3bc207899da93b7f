"""The intensities of grains that lie in preferred directions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from xtal.physics.texture import SPREAD, TENSOR_SPREAD, march_dollase, nearest_axis

RATIOS = st.floats(0.4, 2.5)


def direction(unit: np.ndarray) -> np.ndarray:
    """(N, 6) xx, yy, zz, 2yz, 2xz, 2xy."""
    x, y, z = unit.T
    return np.stack([x * x, y * y, z * z, 2 * y * z, 2 * x * z, 2 * x * y], axis=1)


def sphere(count: int, seed: int = 0) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=(count, 3))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


@settings(max_examples=25)
@given(RATIOS)
def test_texture_moves_intensity_but_makes_none(ratio):
    """The mean of W over all directions is 1, which is how March's function is normalised."""
    mean = quad(lambda c: np.exp(march_dollase(np.array(c * c), ratio)[0]), 0, 1)[0]
    assert mean == pytest.approx(1, rel=1e-6)


def test_a_random_powder_has_no_texture():
    np.testing.assert_allclose(march_dollase(np.linspace(0, 1, 5), 1.0)[0], 0, atol=1e-12)


def test_plates_strengthen_what_lies_along_their_axis():
    along, across = march_dollase(np.array([1.0, 0.0]), 0.5)[0]
    assert along == pytest.approx(np.log(8))  # r⁻³
    assert across == pytest.approx(1.5 * np.log(0.5))


@settings(max_examples=25)
@given(RATIOS, st.floats(0, 1))
def test_the_derivative_is_that_of_the_weight(ratio, cosine):
    square, step = np.array([cosine]), 1e-5
    high, low = (march_dollase(square, ratio * np.exp(sign * step))[0] for sign in (1, -1))
    np.testing.assert_allclose(march_dollase(square, ratio)[1], (high - low) / (2 * step), rtol=1e-4, atol=1e-6)


def test_the_prior_on_the_tensor_is_that_of_march_and_dollase_about_any_axis():
    """Both spread ln W of a reflection alike, whatever its direction, apart from what the scale takes up."""
    rng = np.random.default_rng(1)
    ratios, axes = np.exp(rng.normal(0, SPREAD / 10, 20_000)), sphere(20_000)  # weak ones, of which the tensor is exact
    for unit in sphere(3, seed=2):
        drawn = np.array(march_dollase((axes @ unit) ** 2, ratios)[0])
        expected = np.sqrt((direction(unit[None]) ** 2) @ TENSOR_SPREAD**2) / 10
        assert drawn.std() == pytest.approx(expected[0], rel=0.05)


@pytest.mark.parametrize("ln_ratio", [-0.2, 0.05, 0.15])
@pytest.mark.parametrize("axis", [0, 4])
def test_the_axis_and_the_ratio_behind_a_tensor_are_found(axis, ln_ratio):
    unit = sphere(400)
    axes = direction(sphere(6, seed=3))
    cosine = direction(unit) @ (axes[axis] * np.array([1, 1, 1, 0.5, 0.5, 0.5]))
    rows = direction(unit) * TENSOR_SPREAD
    error = 0.02
    precision = rows.T @ rows / error**2 + np.eye(6)
    shift = march_dollase(cosine, float(np.exp(ln_ratio)))[0]
    tensor = np.linalg.solve(precision, rows.T @ (shift - shift.mean()) / error**2)
    found, ratio = nearest_axis(axes, tensor, precision)
    assert found == axis
    assert ratio * SPREAD == pytest.approx(ln_ratio, abs=0.03)


def test_without_evidence_there_is_no_texture():
    assert nearest_axis(direction(sphere(3)), np.zeros(6), np.eye(6))[1] == 0
