"""The unit cell as six numbers: lengths in Å and angles in degrees."""

from collections.abc import Sequence

import gemmi
import numpy as np
from numpy.typing import NDArray

from xtal.errors import UserError

LENGTHS = (1.0, 1000.0)  # Å
ANGLES = (10.0, 170.0)  # degrees
NAMES = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
FLATTEST = 1e-3  # least V / abc: below it rounding decides whether there is a cell at all


def cell_parameters(lattice: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return lengths in Å and angles α, β, γ in degrees: ``cos α = b · c / |b| |c|`` and so on."""
    lengths = np.linalg.norm(lattice, axis=1)
    unit = lattice / lengths[:, None]
    return lengths, np.degrees(np.arccos((unit[[1, 2, 0]] * unit[[2, 0, 1]]).sum(1)))


def cell_lattice(parameters: Sequence[float]) -> NDArray[np.float64]:
    """Return (3, 3) Å rows a, b, c of a, b, c in Å, α, β, γ in degrees; a lies along x and b in the xy plane.

    Raises:
        UserError: a length or angle out of all reason or NaN, or angles that enclose no volume.
    """
    for name, value, (low, high) in zip(NAMES, parameters, [LENGTHS] * 3 + [ANGLES] * 3, strict=True):
        if not low <= value <= high:  # NaN fails too
            raise UserError(f"cell_{name} must lie in {low:g} to {high:g}, got {value:g}")
    lattice = np.array(gemmi.UnitCell(*parameters).orth.mat.tolist()).T
    if not (np.isfinite(lattice).all() and np.linalg.det(lattice) > FLATTEST * np.prod(parameters[:3])):
        raise UserError("cell angles {:g}, {:g}, {:g} enclose no volume".format(*parameters[3:]))
    return lattice
