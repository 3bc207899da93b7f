"""From noise to crystals: the samplers, each a short function of one signature.

A sampler walks down the steps of `models.ccsg.schedule`, asks a denoiser at each, and moves all candidates together.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.ccsg.schedule import STEPS, alpha_bars, sigmas

CORRECTOR_STEP = 1e-5  # of the Langevin step at the first σ, DiffCSP's choice for cells of this size
WIDEST_CELL = 4.0  # spreads of the training set
Predict = Callable[[NDArray, NDArray, int], tuple[NDArray, NDArray]]


@dataclass(frozen=True, eq=False)
class Noisy:
    """B crystals on their way, after step `t` of the diffusion.

    Attributes:
        numbers: (B, N) atomic numbers, 0 for padding.
        frac: (B, N, 3) fractional coordinates in [0, 1).
        cell: (B, 6) see `models.ccsg.cell`.
        t: how noisy they are: `STEPS` is noise alone, 0 is done.
        taken: steps of the sampler so far.
    """

    numbers: NDArray[np.int64]
    frac: NDArray[np.float64]
    cell: NDArray[np.float64]
    t: int
    taken: int = 0


Watch = Callable[[Noisy], None]
"""Called after every step; to cancel, it raises."""


class Sampler(Protocol):
    """What every sampler offers."""

    def __call__(self, predict: Predict, start: Noisy, steps: int, rng: Generator, watch: Watch) -> Noisy:
        """Bring `start` down to t = 0 in at most `steps` steps; `predict` maps frac, cell and t to score and noise."""
        ...


def pure_noise(numbers: NDArray[np.int64], rng: Generator) -> Noisy:
    """Begin with atoms anywhere and ordinary cells, for (B, N) atomic numbers."""
    return Noisy(numbers, rng.random((*numbers.shape, 3)), rng.standard_normal((len(numbers), 6)), STEPS)


def noised(clean: Noisy, t: int, rng: Generator) -> Noisy:
    """Add the noise of step `t` to crystals at t = 0 (sections 2.4 and 5.2 of the XtalNet paper)."""
    frac = clean.frac + sigmas()[t] * rng.standard_normal(clean.frac.shape)
    kept = alpha_bars()[t]
    cell = np.sqrt(kept) * clean.cell + np.sqrt(1 - kept) * rng.standard_normal(clean.cell.shape)
    return Noisy(clean.numbers, frac % 1, cell, t)


def ladder(t: int, steps: int) -> list[tuple[int, int]]:
    """Return (from, to) of each step from `t` to 0, evenly spaced, at most `steps` of them."""
    rungs = np.unique(np.round(np.linspace(0, t, min(steps, t) + 1)).astype(int))[::-1]
    return list(zip(rungs[:-1].tolist(), rungs[1:].tolist(), strict=True))


def deterministic(predict: Predict, start: Noisy, steps: int, rng: Generator, watch: Watch) -> Noisy:
    """Follow the probability flow (Song et al. 2021): the same start always gives the same crystal.

    With the score s and the noise ε, ``F_u = F_t + σ_t (σ_t - σ_u) s``; ``L_0 = (L_t - √(1 - ᾱ_t) ε) / √ᾱ_t`` and
    ``L_u = √ᾱ_u L_0 + √(1 - ᾱ_u) ε``.
    """
    del rng  # nothing is drawn
    state = start
    for t, u in ladder(start.t, steps):
        score, noise = predict(state.frac, state.cell, t)
        sigma, after = sigmas()[[t, u]]
        frac = (state.frac + sigma * (sigma - after) * score) % 1
        state = replace(state, frac=frac, cell=_cell_towards(state.cell, noise, t, u), t=u, taken=state.taken + 1)
        watch(state)
    return state


def ancestral(predict: Predict, start: Noisy, steps: int, rng: Generator, watch: Watch) -> Noisy:
    """Take off noise and put a little less back on, step by step: mistakes of one step are forgotten in the next."""
    state = start
    for t, u in ladder(start.t, steps):
        score, noise = predict(state.frac, state.cell, t)
        state = _reverse(state, score, noise, u, rng)
        watch(state)
    return state


def predictor_corrector(predict: Predict, start: Noisy, steps: int, rng: Generator, watch: Watch) -> Noisy:
    """The paper's sampler: a Langevin step at each level, then an ancestral one; two calls of the network per step."""
    state = start
    for t, u in ladder(start.t, steps):
        score, _ = predict(state.frac, state.cell, t)
        size = CORRECTOR_STEP * (sigmas()[t] / sigmas()[1]) ** 2
        frac = state.frac + size * score + np.sqrt(2 * size) * rng.standard_normal(score.shape)
        state = replace(state, frac=frac % 1)
        score, noise = predict(state.frac, state.cell, t)
        state = _reverse(state, score, noise, u, rng)
        watch(state)
    return state


def _reverse(state: Noisy, score: NDArray, noise: NDArray, u: int, rng: Generator) -> Noisy:
    """One reverse step from the state's t to `u` of both diffusions; the last one adds no noise.

    ``F_u = F_t + (σ_t² - σ_u²) s + σ_u √(σ_t² - σ_u²) / σ_t z`` and the posterior of the DDPM for the lattice.
    """
    t = state.t
    sigma, after = sigmas()[[t, u]]
    gap = sigma**2 - after**2
    frac = state.frac + gap * score + after * np.sqrt(gap) / sigma * rng.standard_normal(score.shape)
    now, then = alpha_bars()[[t, u]]
    alpha = now / then
    mean = np.sqrt(then) * (1 - alpha) * _clean_cell(state.cell, noise, t) + np.sqrt(alpha) * (1 - then) * state.cell
    spread = np.sqrt((1 - alpha) * (1 - then) / (1 - now))
    cell = mean / (1 - now) + spread * rng.standard_normal(noise.shape)
    return replace(state, frac=frac % 1, cell=cell, t=u, taken=state.taken + 1)


def _cell_towards(cell: NDArray, noise: NDArray, t: int, u: int) -> NDArray:
    """Cells at step `u` on the flow through `cell` at step `t`."""
    then = alpha_bars()[u]
    return np.sqrt(then) * _clean_cell(cell, noise, t) + np.sqrt(1 - then) * noise


def _clean_cell(cell: NDArray, noise: NDArray, t: int) -> NDArray:
    """Return ``L_0 = (L_t - √(1 - ᾱ_t) ε) / √ᾱ_t``, within `WIDEST_CELL`: near T small errors of ε grow large."""
    now = alpha_bars()[t]
    return np.clip((cell - np.sqrt(1 - now) * noise) / np.sqrt(now), -WIDEST_CELL, WIDEST_CELL)


Method = Literal["deterministic", "ancestral", "predictor-corrector"]
SAMPLERS: dict[Method, Sampler] = {
    "deterministic": deterministic,
    "ancestral": ancestral,
    "predictor-corrector": predictor_corrector,
}
