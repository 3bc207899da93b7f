"""The diffusion of crystals: how noise is added to lattices and coordinates, and what a denoiser has to predict.

The equations of section 5.2 of the XtalNet paper, in numpy, for training and sampling alike. Steps run from t = 1
(hardly disturbed) to `STEPS` (pure noise).

Lattice, ``q(L_t | L_0) = N(√ᾱ_t L_0, (1 - ᾱ_t) I)`` with the cosine schedule of Nichol and Dhariwal (2021); the
denoiser predicts the noise (equation 2). Coordinates, ``F_t = w(F_0 + σ_t ε)`` with ``w(F) = F - ⌊F⌋`` and σ_t rising
exponentially; the denoiser predicts the score of the wrapped normal times √λ_t, which turns equation 3 into a plain
squared error.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

STEPS = 1000
SIGMA_FIRST, SIGMA_LAST = 0.005, 0.5  # of the cell edge: 0.1 Å in a cell of 20 Å, and all but uniform
COSINE_OFFSET = 0.008
HIGHEST_BETA = 0.999
IMAGES = 5  # neighbouring cells summed over on each side: enough for the widest σ
QUADRATURE = np.linspace(-6, 6, 121)  # of ε in λ_t: the trapezoidal rule is exact to 1e-6 under a Gaussian


@lru_cache(maxsize=1)
def alpha_bars() -> NDArray[np.float64]:
    """(STEPS + 1,) ᾱ_t of the cosine schedule, ``f(t) = cos²(π/2 (t/T + s) / (1 + s))``, from ᾱ_0 = 1."""
    t = np.arange(STEPS + 1) / STEPS
    curve = np.cos((t + COSINE_OFFSET) / (1 + COSINE_OFFSET) * np.pi / 2) ** 2
    betas = np.minimum(1 - curve[1:] / curve[:-1], HIGHEST_BETA)
    return np.concatenate([[1.0], np.cumprod(1 - betas)])


@lru_cache(maxsize=1)
def sigmas() -> NDArray[np.float64]:
    """(STEPS + 1,) σ_t in fractions of the cell: σ_0 = 0, then ``σ_1 (σ_T / σ_1)^((t - 1) / (T - 1))``."""
    rising = SIGMA_FIRST * (SIGMA_LAST / SIGMA_FIRST) ** (np.arange(STEPS) / (STEPS - 1))
    return np.concatenate([[0.0], rising])


def wrapped(difference: NDArray) -> NDArray:
    """Nearest image of a difference of fractional coordinates, within [-0.5, 0.5]."""
    return difference - np.round(difference)


def wrapped_score(difference: NDArray, sigma: NDArray | float) -> NDArray:
    """Score of the wrapped normal, ``∇_d log Σ_z exp(-(d + z)² / 2σ²)``.

    Args:
        difference: d = F_t - F_0, any shape.
        sigma: σ_t, broadcast against it.

    Returns:
        As `difference`, in 1 / cell.
    """
    sigma = np.asarray(sigma)[..., None]
    shifted = wrapped(difference)[..., None] + np.arange(-IMAGES, IMAGES + 1)
    exponent = -(shifted**2) / (2 * sigma**2)
    weight = np.exp(exponent - exponent.max(axis=-1, keepdims=True))
    return -(weight * shifted).sum(-1) / weight.sum(-1) / sigma[..., 0] ** 2


@lru_cache(maxsize=1)
def score_sizes() -> NDArray[np.float64]:
    """(STEPS + 1,) root mean square of each score component, 1 / √λ_t of equation 3, by quadrature; 1 at t = 0."""
    sigma = sigmas()[1:, None]
    weight = np.exp(-(QUADRATURE**2) / 2)
    squares = wrapped_score(sigma * QUADRATURE, sigma) ** 2
    return np.concatenate([[1.0], np.sqrt(squares @ weight / weight.sum())])
