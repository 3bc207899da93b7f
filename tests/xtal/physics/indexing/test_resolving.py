"""Patterns as laboratories measure them, taken apart into lines."""

import numpy as np
import pytest

from xtal.patterns import Pattern
from xtal.patterns.sample import Sample
from xtal.patterns.wavelengths import ANODES
from xtal.physics.indexing.resolving import Resolved, resolve
from xtal.physics.profile import render

CU = ANODES["Cu"]
TRUE = np.array([12.0, 17.0, 21.5, 25.0, 31.0, 36.0, 41.0, 47.0, 52.5, 58.0])
HEIGHT = np.array([1, 0.6, 0.8, 0.3, 1, 0.5, 0.7, 0.4, 0.6, 0.8])
AXIS = np.arange(5, 62, 0.01)


def seen_in(wavelength: float, stated: float = CU.ka1, true: np.ndarray = TRUE) -> np.ndarray:
    """Angles at which lines that light of one wavelength puts at `true` stand in that of another."""
    return np.degrees(2 * np.arcsin(np.sin(np.radians(true / 2)) * wavelength / stated))


def resolved(curve: np.ndarray, wavelength: float = CU.ka1, under: float = 40.0) -> Resolved:
    """What a pattern of at most 8000 counts is taken apart into."""
    counts = np.random.default_rng(4).poisson(8000 * curve / curve.max() + under).astype(float)
    return resolve(Sample.of(Pattern(AXIS, counts, wavelength)))


def lines(angles: np.ndarray, height: np.ndarray = HEIGHT, width: float = 0.08) -> np.ndarray:
    return render(AXIS, angles, height, width)


def assert_found(found: Resolved, true: np.ndarray = TRUE, within: float = 0.01) -> None:
    assert len(found.angle) == len(true)
    np.testing.assert_allclose(found.angle, true, atol=within)


DOUBLET = lines(TRUE) + 0.5 * lines(seen_in(CU.ka2))


@pytest.mark.parametrize("stated", [CU.ka1, CU.ka])
def test_a_doublet_is_one_line_whatever_wavelength_is_stated(stated):
    found = resolved(DOUBLET, stated)
    assert found.profile.light.share == pytest.approx(1 / 3, abs=0.02)
    assert_found(found, TRUE if stated == CU.ka1 else seen_in(CU.ka, CU.ka1))


@pytest.mark.parametrize("stated", [CU.ka1, CU.ka])
def test_light_of_one_wavelength_has_no_doublet(stated):
    found = resolved(lines(TRUE), stated)
    assert found.profile.light.share == 0
    assert_found(found)


def test_what_kb_adds_is_no_line_and_not_in_the_profile():
    found = resolved(DOUBLET + 0.01 * lines(seen_in(CU.kb)))
    assert_found(found)
    at = np.abs(found.profile.x - seen_in(CU.kb)[4]) < 0.03
    assert found.profile.net[at].mean() < 3 * found.profile.noise[at].mean()


def test_asymmetric_lines_are_single_ones():
    """Axial divergence: a tail towards low angles, the longer the lower the angle."""
    curve = np.zeros(len(AXIS))
    for angle, height in zip(TRUE, HEIGHT, strict=True):
        tail = np.linspace(0, 0.12 / np.tan(np.radians(angle)), 40)
        curve += lines(angle - 0.2 * tail, height * np.exp(-3 * tail / tail[-1]) / 12, 0.05)
    found = resolved(curve)
    assert len(found.angle) == len(TRUE)
    assert found.profile.light.lean > 0.01
    off = found.angle - TRUE
    assert abs(off - off.mean()).max() < 0.03


def test_widths_that_grow_are_followed():
    width = 0.06 * (1 + 2 * np.tan(np.radians(TRUE / 2)))
    curve = sum(lines(np.array([a]), np.array([h]), w) for a, h, w in zip(TRUE, HEIGHT, width, strict=True))
    found = resolved(curve)
    assert_found(found)
    assert found.profile.halves(TRUE).mean(axis=0) == pytest.approx(width, rel=0.1)


def test_noise_upon_a_hump_is_no_line():
    hump = 0.15 * np.exp(-0.5 * ((AXIS - 9) / 2.5) ** 2)
    assert_found(resolved(DOUBLET + hump * DOUBLET.max()))
