"""The profile of a generated crystal beside the pattern it was made for."""

from typing import TYPE_CHECKING

import numpy as np

from generate.candidate import Candidate
from xtal.patterns import Pattern
from xtal.physics import LineTable

if TYPE_CHECKING:
    from search.answer import Overlay

SHARE = 0.5  # Lorentzian part of a line: where the fit begins


def candidate_overlay(pattern: Pattern, candidate: Candidate) -> "Overlay":
    """Draw the lines of a candidate, at the zero shift and width of its fit, over the whole measured range."""
    from search.answer import Overlay
    from xtal.patterns.sample import Sample
    from xtal.physics import Sticks, crystal_lines
    from xtal.physics.fit import line_positions
    from xtal.physics.profile import render_each

    under = Sample.of(pattern).under
    net = pattern.intensity - under
    table = LineTable.stack([crystal_lines(candidate.crystal)])
    sticks = Sticks.of(table, np.array([0]), pattern.wavelength, np.inf)
    parameters = np.zeros((1, 9))
    parameters[0, 6] = candidate.zero_shift
    centres = line_positions(sticks, parameters, pattern.wavelength)[0][0]
    shown = (sticks.area[0] > 0) & (centres > pattern.two_theta[0]) & (centres < pattern.two_theta[-1])
    centres, area = centres[shown], sticks.area[0][shown]
    curve = render_each(pattern.two_theta, centres, area, candidate.width, SHARE)
    scale = max(0.0, float(curve @ net) / max(float(curve @ curve), 1e-30))
    calculated = under + scale * curve
    difference = pattern.intensity - calculated
    return Overlay(pattern.two_theta, pattern.intensity, calculated, under, difference, np.sort(centres))
