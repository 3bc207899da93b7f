import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ccsg import schedule
from models.ccsg.cell import LEAST_SPREAD, WIDEST, CellScale, exponential, log_metric
from models.ccsg.schedule import STEPS, alpha_bars, score_sizes, sigmas, wrapped, wrapped_score

steps = st.integers(1, STEPS)
differences = st.floats(-3, 3)
seeds = st.integers(0, 10_000)


def log_density(d: np.ndarray, sigma: float) -> np.ndarray:
    """Logarithm of the wrapped normal by its Fourier series or images, whichever converges; not the code's way."""
    if sigma > 0.2:
        k = np.arange(1, 30)
        return np.log(1 + 2 * (np.exp(-2 * (np.pi * k * sigma) ** 2) * np.cos(2 * np.pi * k * d[..., None])).sum(-1))
    images = d[..., None] - np.arange(-30, 31)
    return np.logaddexp.reduce(-(images**2) / (2 * sigma**2), axis=-1)


def lattice_of(seed: int) -> np.ndarray:
    """A right-handed or left-handed cell of 4 to 30 Å with any angles that are not tiny."""
    rng = np.random.default_rng(seed)
    while True:
        rows = rng.normal(size=(3, 3))
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        if abs(np.linalg.det(rows)) > 0.2:
            return rows * rng.uniform(4, 30, (3, 1))


def rotation_of(seed: int) -> np.ndarray:
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))[0]


def test_lattice_noise_grows_from_none_to_everything():
    kept = alpha_bars()
    assert (kept.shape, kept[0]) == ((STEPS + 1,), 1.0)
    assert (np.diff(kept) < 0).all()
    assert 0 < kept[-1] < 1e-6
    half = STEPS // 2  # the cosine schedule keeps about half of the variance half way
    assert kept[half] == pytest.approx(
        np.cos((0.5 + 0.008) / 1.008 * np.pi / 2) ** 2 / np.cos(0.008 / 1.008 * 1.5708) ** 2
    )


def test_coordinate_noise_rises_exponentially():
    sigma = sigmas()
    assert (sigma[0], sigma[1], sigma[-1]) == (0, pytest.approx(0.005), pytest.approx(0.5))
    ratio = sigma[2:] / sigma[1:-1]
    assert ratio == pytest.approx(100 ** (1 / (STEPS - 1)))


@given(differences)
def test_wrapped_is_the_nearest_image(d):
    assert abs(wrapped(np.array(d))) <= 0.5 + 1e-12
    assert (d - wrapped(np.array(d))) % 1 == pytest.approx(0, abs=1e-9) or (d - wrapped(np.array(d))) % 1 > 1 - 1e-9


@given(differences, st.floats(0.005, 0.5))
def test_score_is_the_gradient_of_the_log_density(d, sigma):
    step = 1e-4 * sigma
    above, below = log_density(np.array([d + step, d - step]), sigma)
    scale = 1 / sigma if sigma < 0.2 else 1.0
    assert wrapped_score(np.array(d), sigma) == pytest.approx((above - below) / (2 * step), abs=1e-3 * scale, rel=1e-3)


@given(differences, steps, st.integers(-3, 3))
def test_score_is_odd_and_periodic(d, t, cells):
    sigma = sigmas()[t]
    here = wrapped_score(np.array(d), sigma)
    assert wrapped_score(np.array(-d), sigma) == pytest.approx(-here, rel=1e-6, abs=1e-9)
    if abs(abs(wrapped(np.array(d))) - 0.5) > 1e-6:  # where both images are equally near rounding decides
        assert wrapped_score(np.array(d + cells), sigma) == pytest.approx(here, rel=1e-6, abs=1e-6 / sigma**2)


@given(st.floats(-0.3, 0.3))
def test_narrow_scores_are_those_of_a_normal(d):
    assert wrapped_score(np.array(d), 0.02) == pytest.approx(-d / 0.02**2, rel=1e-9)


def test_scores_broadcast_over_crystals():
    d = np.random.default_rng(0).normal(size=(2, 5, 3))
    sigma = np.array([0.01, 0.4])[:, None, None]
    together = wrapped_score(d, sigma)
    assert together.shape == d.shape
    assert together[1] == pytest.approx(wrapped_score(d[1], 0.4))


def test_score_sizes_are_root_mean_squares():
    sizes, sigma = score_sizes(), sigmas()
    assert (sizes.shape, sizes[0]) == ((STEPS + 1,), 1.0)
    assert (sizes > 0).all()
    assert (np.diff(sizes[1:]) < 0).all()
    assert sizes[1:500] * sigma[1:500] == pytest.approx(1, rel=1e-3)
    noise = np.random.default_rng(1).standard_normal(200_000)
    for t in (300, 900, STEPS):
        drawn = wrapped_score(sigma[t] * noise, sigma[t])
        assert sizes[t] == pytest.approx(np.sqrt((drawn**2).mean()), rel=0.02)


def test_score_sizes_are_cheap():
    nodes = len(schedule.QUADRATURE) * STEPS * (2 * schedule.IMAGES + 1)
    assert nodes < 3_000_000  # serving computes them in every process; each takes 8 bytes, several times over


@given(seeds)
def test_cells_come_back_with_their_metric(seed):
    lattice = lattice_of(seed)[None]
    scale = CellScale(np.array([2.4, 2.4, 2.4, 0, 0, 0]), np.array([0.5, 0.5, 0.5, 1, 1, 1]))
    again = scale.lattices(scale.normalised(lattice))
    if np.abs(log_metric(lattice) - scale.mean).max() < WIDEST:
        assert again @ again.swapaxes(1, 2) == pytest.approx(lattice @ lattice.swapaxes(1, 2), rel=1e-6, abs=1e-6)
        assert again == pytest.approx(again.swapaxes(1, 2))


@given(seeds, seeds)
def test_cells_do_not_see_the_frame(seed, turn):
    lattice = lattice_of(seed)
    assert log_metric(lattice @ rotation_of(turn)) == pytest.approx(log_metric(lattice), abs=1e-8)


@given(seeds)
def test_logarithm_undoes_the_exponential(seed):
    logs = np.random.default_rng(seed).normal(0, 0.7, (4, 6)) + np.array([2, 2, 2, 0, 0, 0])
    assert log_metric(exponential(logs)) == pytest.approx(logs, abs=1e-6)


def test_volume_is_the_trace():
    lattice = lattice_of(3)
    assert np.exp(log_metric(lattice)[:3].sum()) == pytest.approx(abs(np.linalg.det(lattice)))


def test_a_data_set_is_normal_in_its_own_scale():
    lattices = np.array([lattice_of(seed) for seed in range(60)])
    cells = CellScale.of(lattices).normalised(lattices)
    assert cells.mean(axis=0) == pytest.approx(0, abs=1e-9)
    assert cells.std(axis=0) == pytest.approx(1)


def test_equal_cells_still_have_a_spread():
    scale = CellScale.of(np.repeat(10 * np.eye(3)[None], 5, axis=0))
    assert scale.spread == pytest.approx(LEAST_SPREAD)
    assert scale.normalised(10 * np.eye(3)[None]) == pytest.approx(0, abs=1e-9)


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3))
def test_wild_cells_are_limited(wild):
    scale = CellScale(np.array([2.3, 2.3, 2.3, 0, 0, 0]), np.full(6, 0.2))
    edges = np.linalg.norm(scale.lattices(np.array([[*wild, 0, 0, 0]]))[0], axis=1)
    assert (edges >= 9.97 / 5).all()
    assert (edges <= 9.98 * 5).all()
    skew = scale.lattices(np.array([[*wild, *wild]]))[0]
    assert np.isfinite(skew).all()
    assert np.linalg.det(skew) > 0
