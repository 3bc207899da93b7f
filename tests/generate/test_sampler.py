from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from generate.sampler import SAMPLERS, Noisy, ladder, noised, pure_noise
from models.ccsg.schedule import STEPS, alpha_bars, sigmas, wrapped, wrapped_score

METHODS = sorted(SAMPLERS)
ATOMS = 12
NUMBERS = np.tile(np.arange(1, ATOMS + 1), (3, 1))


class Oracle:
    """The exact score and noise of one known crystal."""

    def __init__(self, atoms: int = ATOMS) -> None:
        rng = np.random.default_rng(7)
        self.frac, self.cell = rng.random((atoms, 3)), rng.normal(size=6)
        self.asked: list[int] = []

    def __call__(self, frac: np.ndarray, cell: np.ndarray, t: int) -> tuple[np.ndarray, np.ndarray]:
        self.asked.append(t)
        score = wrapped_score(frac - self.frac, sigmas()[t])
        return score, (cell - np.sqrt(alpha_bars()[t]) * self.cell) / np.sqrt(1 - alpha_bars()[t])


def ignore(_: Noisy) -> None:
    """Watch nothing."""


def sampled(method: str, seed: int = 0, steps: int = 40) -> Noisy:
    rng = np.random.default_rng(seed)
    return SAMPLERS[method](Oracle(), pure_noise(NUMBERS, rng), steps, rng, ignore)


@given(st.integers(1, STEPS), st.integers(1, 2 * STEPS))
def test_ladders_lead_down_to_nothing(t, steps):
    rungs = ladder(t, steps)
    assert len(rungs) == min(steps, t)
    assert (rungs[0][0], rungs[-1][1]) == (t, 0)
    assert all(a > b for a, b in rungs)
    assert all(first[1] == second[0] for first, second in pairwise(rungs))
    gaps = [a - b for a, b in rungs]
    assert max(gaps) - min(gaps) <= 2


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("steps", [30, 150])
def test_a_perfect_denoiser_finds_its_crystal(method, steps):
    oracle, rng = Oracle(), np.random.default_rng(0)
    result = SAMPLERS[method](oracle, pure_noise(NUMBERS, rng), steps, rng, ignore)
    assert (result.t, result.taken) == (0, steps)
    assert np.abs(wrapped(result.frac - oracle.frac)).max() < 1e-4
    assert result.cell == pytest.approx(np.tile(oracle.cell, (3, 1)), abs=1e-6)
    assert ((result.frac >= 0) & (result.frac < 1)).all()
    assert np.array_equal(result.numbers, NUMBERS)
    calls = 2 if method == "predictor-corrector" else 1
    assert oracle.asked == [t for t, _ in ladder(STEPS, steps) for _ in range(calls)]


# a Langevin step of 0.4 σ² leaves (1 - 0.4)² + 2 · 0.4 = 1.16 of the variance, of which the step down mixes a part in
@pytest.mark.parametrize(
    ("method", "widest"), [("deterministic", 1.03), ("ancestral", 1.03), ("predictor-corrector", 1.1)]
)
def test_noise_on_the_way_has_the_size_of_its_step(method, widest):
    """Not only the end is right: half way the crystals are as noisy as in training."""
    oracle, rng = Oracle(), np.random.default_rng(1)
    many = np.tile(np.arange(1, ATOMS + 1), (1500, 1))
    clean = Noisy(many, np.tile(oracle.frac, (1500, 1, 1)), np.tile(oracle.cell, (1500, 1)), 0)

    def check(state: Noisy) -> None:
        if state.t:
            away = wrapped(state.frac - oracle.frac) / sigmas()[state.t]
            kept = alpha_bars()[state.t]
            cell = (state.cell - np.sqrt(kept) * oracle.cell) / np.sqrt(1 - kept)
            assert 0.97 < away.std() < widest
            assert cell.std() == pytest.approx(1, abs=0.05)
            assert cell.mean(axis=0) == pytest.approx(0, abs=0.15)
            if method != "deterministic":  # nor does every crystal stay where its noise put it
                assert abs(np.corrcoef(away[:, 0, 0], first[:, 0, 0])[0, 1]) < 0.2 or state.t > 60

    start = noised(clean, 600, rng)
    first = wrapped(start.frac - oracle.frac)
    SAMPLERS[method](oracle, start, 12, rng, check)


def test_the_flow_keeps_the_direction_of_the_noise():
    oracle, rng = Oracle(), np.random.default_rng(2)
    clean = Noisy(NUMBERS, np.tile(oracle.frac, (3, 1, 1)), np.tile(oracle.cell, (3, 1)), 0)
    start, states = noised(clean, 500, rng), []
    SAMPLERS["deterministic"](oracle, start, 5, rng, states.append)
    away = wrapped(start.frac - oracle.frac) / sigmas()[500]
    for state in states[:-1]:
        assert wrapped(state.frac - oracle.frac) / sigmas()[state.t] == pytest.approx(away, abs=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_seeds_repeat_bit_for_bit(method):
    first, again = sampled(method, 3, 10), sampled(method, 3, 10)
    assert np.array_equal(first.frac, again.frac)
    assert np.array_equal(first.cell, again.cell)


def test_seeds_differ_where_noise_is_left():
    def blind(frac, cell, _):
        return np.zeros_like(frac), np.zeros_like(cell)

    for method in METHODS:
        ends = []
        for seed in (0, 1):
            rng = np.random.default_rng(seed)
            start = pure_noise(NUMBERS, np.random.default_rng(9))
            ends.append(SAMPLERS[method](blind, start, 10, rng, ignore))
        assert np.array_equal(ends[0].frac, ends[1].frac) == (method == "deterministic")


@pytest.mark.parametrize("method", METHODS)
def test_every_step_is_watched(method):
    states, rng = [], np.random.default_rng(0)
    result = SAMPLERS[method](Oracle(), pure_noise(NUMBERS, rng), 17, rng, states.append)
    assert [state.taken for state in states] == list(range(1, 18))
    assert [state.t for state in states] == [u for _, u in ladder(STEPS, 17)]
    assert states[-1] is result


class CancelledError(Exception):
    """What a caller may raise."""


@pytest.mark.parametrize("method", METHODS)
def test_whoever_watches_may_cancel(method):
    def stop(state: Noisy) -> None:
        if state.taken == 4:
            raise CancelledError

    oracle, rng = Oracle(), np.random.default_rng(0)
    with pytest.raises(CancelledError):
        SAMPLERS[method](oracle, pure_noise(NUMBERS, rng), 20, rng, stop)
    assert len(set(oracle.asked)) == 4


def test_a_wrong_denoiser_does_not_blow_cells_up():
    rng = np.random.default_rng(0)

    def wrong(frac, cell, _):
        return 0 * frac, cell + 1e3 * rng.normal(size=cell.shape)

    for sampler in SAMPLERS.values():
        result = sampler(wrong, pure_noise(NUMBERS, rng), 10, rng, ignore)
        assert np.isfinite(result.cell).all()
        assert np.abs(result.cell).max() < 5


def test_starts():
    rng = np.random.default_rng(0)
    start = pure_noise(np.tile(NUMBERS, (300, 1)), rng)
    assert start.t == STEPS
    assert start.frac.mean() == pytest.approx(0.5, abs=0.02)
    assert start.cell.std() == pytest.approx(1, abs=0.05)
    clean = Noisy(start.numbers, start.frac, start.cell, 0)
    slightly = noised(clean, 1, rng)
    assert slightly.t == 1
    assert wrapped(slightly.frac - clean.frac).std() == pytest.approx(0.005, rel=0.05)
    assert np.corrcoef(slightly.cell.ravel(), clean.cell.ravel())[0, 1] > 0.999
    entirely = noised(clean, STEPS, rng)
    assert abs(np.corrcoef(entirely.cell.ravel(), clean.cell.ravel())[0, 1]) < 0.1
    assert np.cos(2 * np.pi * (entirely.frac - clean.frac)).mean() == pytest.approx(0, abs=0.03)
