"""Targets that were never measured, for tests of the fit alone."""

import numpy as np

from xtal.patterns import Lines, Pattern
from xtal.physics.target import Target


def bare_target(two_theta, net, fwhm, wavelength) -> Target:
    """An even grid with `net` counts of variance 1 on no background."""
    blank = np.zeros(len(two_theta))
    nothing = Lines(np.empty(0), np.empty(0))
    return Target(
        two_theta=two_theta,
        stretched=two_theta,
        net=blank + net,
        under=blank,
        variance=blank + 1,
        fwhm=fwhm,
        wavelength=wavelength,
        measured=np.ones(len(two_theta), dtype=bool),
        computed=False,
        growth=0.0,
        source=(Pattern(two_theta, np.arange(len(two_theta)), wavelength), nothing, blank),
    )
