"""Which direction crystallites of a sample may be turned by: told from what a fit without texture leaves over.

With the March-Dollase function ``P = (r² cos² α + sin² α / r)^(-3/2)`` (Dollase, J. Appl. Cryst. 19 (1986) 267) the
intensity of a reflection changes near r = 1 as ``dP/dr = -3/2 (3 cos² α - 1)``. For each axis this gives the curve that
a little texture adds to a profile, and how much of the residual it takes away.
"""

import numpy as np
from numpy.typing import NDArray

from xtal.crystals.conventional import Conventional, operations_of
from xtal.patterns import q_from_two_theta, two_theta_from_q
from xtal.patterns.lorentz import lorentz_polarisation
from xtal.physics import reflections
from xtal.physics.powder import expected_reflections
from xtal.physics.profile import render_each
from xtal.refinement.refined import Profile

AXES = ((0, 0, 1), (1, 0, 0), (0, 1, 0), (1, 1, 0), (1, 1, 1), (1, 0, 1), (0, 1, 1), (1, -1, 0))
Axis = tuple[int, int, int]
SHARE = 0.5  # Lorentzian part of a line
GRAIN = 0.02  # degrees: reflections nearer than this are one line
MOST_WAVES = 2e8  # reflections times atoms: some seconds


def axes_of(phase: Conventional) -> list[Axis]:
    """Return directions hkl that crystallites may turn by, one of each set that symmetry makes alike."""
    rotations = operations_of(phase.group)[:, :, :3]
    found: list[Axis] = []
    seen: set[tuple[int, ...]] = set()
    for axis in AXES:
        if axis in seen:
            continue
        images = np.rint(np.array(axis) @ rotations).astype(int)
        seen.update(tuple(row.tolist()) for row in np.concatenate([images, -images]))
        found.append(axis)
    return found


def promising(
    phase: Conventional, profile: Profile, wavelength: float, shift: float, width: float
) -> list[tuple[Axis, float]]:
    """Return axes with the share of χ² that a little texture about them takes away, most first.

    Args:
        phase: with the refined cell.
        profile: refined without texture.
        wavelength: Å.
        shift: degrees that the lines stand beside their places.
        width: of the lines, degrees.
    """
    last = min(float(q_from_two_theta(profile.two_theta[-1], wavelength)), 0.999 * 4 * np.pi / wavelength)
    whole = phase.whole()
    if expected_reflections(whole, last) * len(whole) > MOST_WAVES:
        return []
    found = reflections(whole, last, wavelength=wavelength)
    q = 2 * np.pi * np.linalg.norm(found.g, axis=1)
    angle = two_theta_from_q(q, wavelength)
    area = found.intensity * lorentz_polarisation(angle)
    unit = found.g / np.linalg.norm(found.g, axis=1, keepdims=True)
    line, where = np.unique(np.round(angle / GRAIN).astype(int), return_inverse=True)
    centres = line * GRAIN + shift
    weighted = (profile.observed - profile.calculated) / profile.sigma
    plain = _column(profile, centres, np.bincount(where, area), width)
    scores = []
    for axis in axes_of(phase):
        normal = np.array(axis) @ np.linalg.inv(phase.lattice).T
        cosine = unit @ (normal / np.linalg.norm(normal))
        change = np.bincount(where, area * -1.5 * (3 * cosine**2 - 1))
        column = _column(profile, centres, change, width)
        column = column - plain * (plain @ column) / max(float(plain @ plain), 1e-30)  # what the scale can do
        scores.append((axis, float((weighted @ column) ** 2 / max(float(column @ column), 1e-30))))
    total = float(weighted @ weighted)
    return sorted(((axis, score / total) for axis, score in scores), key=lambda pair: -pair[1])


def _column(profile: Profile, centres: NDArray, area: NDArray, width: float) -> NDArray[np.float64]:
    """Return the curve (M,) of lines in units of the standard uncertainty."""
    return render_each(profile.two_theta, centres, area, np.full(len(centres), width), SHARE) / profile.sigma
