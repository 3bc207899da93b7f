"""The Lorentz-polarisation factor of a powder diffractometer, and how lines are freed of it."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def lorentz_polarisation(two_theta: ArrayLike) -> NDArray[np.float64]:
    """``LP = (1 + cos² 2θ) / (sin² θ cos θ)`` of a diffractometer without monochromator; `two_theta` in degrees."""
    theta = np.radians(np.asarray(two_theta, dtype=float)) / 2
    return (1 + np.cos(2 * theta) ** 2) / (np.sin(theta) ** 2 * np.cos(theta))


def lorentz_polarisation_ratio(q: ArrayLike, wavelength: float) -> NDArray[np.float64]:
    """Factor that brings a measured intensity to the wavelength-free scale of `Lines`.

    ``2 cos θ / (1 + cos² 2θ)``: the short-wavelength limit of the Lorentz-polarisation factor at the same q, divided
    by its value at `wavelength` (Å). It tends to 1 for small angles. `q` in Å⁻¹, below 4π/λ.
    """
    sine = np.asarray(q, dtype=float) * wavelength / (4 * np.pi)
    cosine = np.sqrt(np.clip(1 - sine**2, 1e-6, None))
    return 2 * cosine / (1 + (1 - 2 * sine**2) ** 2)
