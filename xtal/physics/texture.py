"""Preferred orientation of the grains: what it does to the intensities, and how it is guessed."""

import numpy as np
from numpy.typing import NDArray

SPREAD = 0.25  # standard deviation of ln r: an ordinary powder of plates or needles, packed without care
STRENGTH = 4.5 * SPREAD  # of the second-order term: ln W ≈ -4.5 ln r (cos² α - 1/3)
ROOT_MEAN_SQUARE = np.sqrt(4 / 45)  # of cos² α - 1/3 over all directions
TENSOR_SPREAD = STRENGTH * ROOT_MEAN_SQUARE * np.sqrt([1, 1, 1, 0.5, 0.5, 0.5])  # the same in every direction


def march_dollase(cosine: NDArray[np.float64], ratio: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return ``ln W = -3/2 ln(r² cos² α + sin² α / r)`` and its derivative by ln r, for squared cosines of any shape.

    α is the angle between a reflection and the axis of the texture, r the ratio: 1 for a random powder. March, Z.
    Kristallogr. 81 (1932) 285; Dollase, J. Appl. Cryst. 19 (1986) 267.
    """
    width = ratio**2 * cosine + (1 - cosine) / ratio
    return -1.5 * np.log(width), -1.5 * (2 * ratio**2 * cosine - (1 - cosine) / ratio) / width


def nearest_axis(
    axes: NDArray[np.float64], tensor: NDArray[np.float64], precision: NDArray[np.float64]
) -> tuple[int, float]:
    """Find the March-Dollase texture that a fitted second-order texture stands for.

    Args:
        axes: (A, 6) xx, yy, zz, 2yz, 2xz, 2xy of unit vectors.
        tensor: (6,) fitted, in units of `TENSOR_SPREAD`, with a normal prior of unit spread.
        precision: (6, 6) of the fit, the prior included.

    Returns:
        The axis with the highest posterior density, and ln r in units of `SPREAD`.
    """
    trace = np.array([1, 1, 1, 0, 0, 0]) / 3
    unit = -STRENGTH * (axes * np.array([1, 1, 1, 0.5, 0.5, 0.5]) - trace) / TENSOR_SPREAD
    likelihood, pull = precision - np.eye(6), unit @ (precision @ tensor)
    stiffness = np.maximum(np.einsum("ai,ij,aj->a", unit, likelihood, unit), 0) + 1
    best = int(np.argmax(pull**2 / stiffness - np.log(stiffness)))
    return best, float(pull[best] / stiffness[best])
