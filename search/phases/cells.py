"""Whether what phases leave stands where the lattice of one of them has reflections: the sample is kin of it then.

A crystal of the same cell and other atoms (a pyrochlore of other metals, say) shares half of its lines with an entry,
and the others stand on reflections that the entry calculates as faint. Foreign lines stand there by chance alone.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from search.phases.evidence import shares
from search.phases.find import Finder, Found
from xtal.patterns import q_from_two_theta, two_theta_from_q
from xtal.physics.powder import expected_reflections, reflections
from xtal.physics.shell import VOIGT

CHANCE = 0.005  # below which it is none: 24 right phases had 0.59 or more, see docs
STRONGEST = 8  # lines left over that are looked at
NEAR = 0.5  # of the width of a line
ABOUT = 3.0  # degrees around a line in which the chance of standing near a reflection is told
MOST_REFLECTIONS = 4000  # of a cell; where there are more, any line stands near one


def kin_of(finder: Finder, found: Found) -> int | None:
    """Return the row of a phase on whose cell's reflections the lines stand that all phases leave; None without one."""
    left = shares(finder, found)[0].unexplained
    for place, row in enumerate(found.state.rows):
        if by_chance(finder, found, place, left) < CHANCE:
            return row
    return None


def by_chance(finder: Finder, found: Found, place: int, left: NDArray[np.int64]) -> float:
    """Return how probable it is that so many of the lines `left` (indices) stand on reflections of one phase's cell."""
    crystal, lines = finder.index.crystal(found.state.rows[place]), finder.answer.lines
    fitted = found.state.fit.parameters[place]
    strain = np.empty((3, 3))
    strain[VOIGT] = strain[VOIGT[::-1]] = fitted[:6]
    strained = replace(crystal, lattice=crystal.lattice @ (np.eye(3) + strain))
    chosen = left[np.argsort(-lines.intensity[left], kind="stable")[:STRONGEST]]
    angles = two_theta_from_q(lines.q[chosen], finder.wavelength) - fitted[6]
    q_max = float(q_from_two_theta(angles.max(initial=0.0) + ABOUT, finder.wavelength))
    if not len(chosen) or expected_reflections(strained, q_max) > MOST_REFLECTIONS:
        return 1.0
    q = np.unique(np.linalg.norm(reflections(strained, q_max, wavelength=finder.wavelength).g, axis=1)) * 2 * np.pi
    places = two_theta_from_q(q, finder.wavelength)
    reach = NEAR * finder.target.fwhm
    grid = angles[:, None] + np.linspace(-ABOUT, ABOUT, 241)
    chance = (_nearest(places, grid) < reach).mean()
    near = int((_nearest(places, angles) < reach).sum())
    return float(binom.sf(near - 1, len(chosen), chance))


def _nearest(places: NDArray[np.float64], angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of each angle to the nearest of places (P,), ascending, in degrees; infinite without any."""
    ended = np.concatenate([[-np.inf], places, [np.inf]])
    at = np.searchsorted(places, angles)
    return np.minimum(angles - ended[at], ended[at + 1] - angles)
