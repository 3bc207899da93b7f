"""A fitted profile drawn over the whole measured range."""

import numpy as np
from numpy.typing import NDArray

from search.answer import Overlay
from xtal.patterns import Pattern
from xtal.physics import LineTable, Sticks
from xtal.physics.fit import line_positions
from xtal.physics.profile import render_each
from xtal.physics.target import widening

MOST_DRAWN = 4096  # lines of an overlay


def profile(
    pattern: Pattern, lines: LineTable, parameters: NDArray[np.float64], width: float, growth: float, second: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the profile (M,) of the first crystal of `lines` as it was fitted, in any unit, and (K,) its angles.

    Args:
        pattern: as measured, M points.
        lines: of the crystal.
        parameters: (9,), see `xtal.physics.fit.Fit`.
        width: of the lines at small angles, degrees.
        growth: of the width with the angle, see `xtal.physics.target.Target`.
        second: share of Kα2 in the beam.
    """
    sticks = Sticks.of(lines, np.array([0]), pattern.wavelength, np.inf, MOST_DRAWN)
    sticks = sticks.doubled(pattern.wavelength, second)
    centres = line_positions(sticks, parameters[None], pattern.wavelength)[0][0]
    shown = (sticks.area[0] > 0) & (centres > pattern.two_theta[0]) & (centres < pattern.two_theta[-1])
    centres, area = centres[shown], sticks.area[0][shown]
    share = float(np.clip(0.5 + parameters[8], 0, 1))
    return render_each(pattern.two_theta, centres, area, width * widening(centres, growth), share), centres


def drawn(
    pattern: Pattern,
    under: NDArray[np.float64],
    lines: LineTable,
    parameters: NDArray[np.float64],
    width: float,
    growth: float,
    second: float,
) -> Overlay:
    """Draw the first crystal of `lines` over the background `under` (M,) as it fits best; see `profile`."""
    net = pattern.intensity - under
    curve, centres = profile(pattern, lines, parameters, width, growth, second)
    scale = max(0.0, float(curve @ net) / max(float(curve @ curve), 1e-30))
    calculated = under + scale * curve
    difference = pattern.intensity - calculated
    return Overlay(pattern.two_theta, pattern.intensity, calculated, under, difference, np.sort(centres))
