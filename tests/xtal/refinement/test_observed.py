"""The points that are refined against."""

import numpy as np
import pytest

from xtal.errors import UserError
from xtal.patterns import Pattern
from xtal.refinement import Choices, Observed, Start
from xtal.refinement.asked import COUNTS, ESTIMATED, STATED, Beam, are_counts


def bell(points: int = 2000, scale: float = 1000.0) -> tuple[np.ndarray, np.ndarray]:
    two_theta = np.linspace(5, 60, points)
    lines = sum(np.exp(-(((two_theta - centre) / 0.12) ** 2)) for centre in (12.0, 20.0, 33.0))
    return two_theta, scale * (0.05 + lines)


def test_whole_numbers_that_scatter_like_counts_are_counts():
    _, curve = bell()
    counts = np.random.default_rng(0).poisson(curve).astype(float)
    assert are_counts(counts)
    assert not are_counts(np.rint(10 * counts))  # scaled: they scatter ten times as much
    assert not are_counts(counts / 3)


@pytest.mark.parametrize("scale", [1.0, 0.01])
def test_uncertainties_are_those_of_the_scatter(scale):
    two_theta, curve = bell()
    noisy = np.random.default_rng(0).poisson(curve) * scale
    observed = Observed.of(Pattern(two_theta, noisy, 1.5406))
    assert observed.weights == (COUNTS if scale == 1 else ESTIMATED)
    ratio = observed.sigma / (scale * np.sqrt(curve))
    assert np.median(ratio) == pytest.approx(1, abs=0.12)


def test_stated_uncertainties_are_taken_but_for_zeros():
    two_theta, curve = bell()
    noisy = np.random.default_rng(0).poisson(curve).astype(float)
    sigma = np.sqrt(noisy)
    sigma[::50] = 0
    observed = Observed.of(Pattern(two_theta, noisy, 1.5406, sigma))
    assert observed.weights == STATED
    assert (observed.sigma > 0).all()
    assert observed.sigma[1::50] == pytest.approx(np.maximum(sigma[1::50], 2e-4 * noisy.max()))


def test_many_points_are_averaged_and_the_others_kept():
    two_theta, curve = bell(60_000)
    noisy = np.random.default_rng(0).poisson(curve).astype(float)
    observed = Observed.of(Pattern(two_theta, noisy, 1.5406))
    assert observed.merged == 3
    assert len(observed.two_theta) == 20_000
    quick = observed.quick()
    assert len(quick.two_theta) < 10_000
    assert quick.per_line >= 5
    assert np.median(quick.sigma / np.sqrt(np.maximum(quick.intensity, 1))) < np.median(
        observed.sigma / np.sqrt(np.maximum(observed.intensity, 1))
    )
    assert Observed.of(Pattern(*bell(1500), 1.5406)).merged == 1


def test_rwp_of_the_data_themselves_is_zero_and_of_nothing_one():
    two_theta, curve = bell(60_000)
    pattern = Pattern(two_theta, np.random.default_rng(0).poisson(curve).astype(float), 1.5406)
    observed = Observed.of(pattern)
    assert observed.r_wp(pattern.intensity) == pytest.approx(0, abs=1e-12)
    assert observed.r_wp(np.zeros(len(pattern))) == pytest.approx(1)


def test_a_doublet_has_two_lines_and_a_synchrotron_one():
    assert len(Beam.of(1.5418, 1 / 3).lines) == 2
    assert Beam.of(1.5418, 1 / 3).laboratory
    assert Beam.of(1.5406, 0.0).lines == ((1.5406, 1.0),)
    assert Beam.of(0.45, 0.0) == Beam(((0.45, 1.0),), laboratory=False)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda: Start(()), "1 to 4 structures"),
        (lambda: Choices("rietfeld"), r"rietveld, lebail, pawley, got 'rietfeld'"),
        (lambda: Choices(seconds=0), "up to 3600 seconds, got 0"),
    ],
)
def test_what_makes_no_sense_is_refused(made, said):
    with pytest.raises(UserError, match=said):
        made()
