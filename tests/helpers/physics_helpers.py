"""Targets and reflections, for tests of fits alone."""

from dataclasses import replace

import numpy as np

from xtal.crystals import Crystal
from xtal.patterns import Lines, Pattern, q_from_two_theta
from xtal.patterns.background import background
from xtal.patterns.linefinder import find_lines
from xtal.physics import Scan, Shell, reflections
from xtal.physics.artefacts import Artefacts, apply
from xtal.physics.fit import Fit
from xtal.physics.target import Target

WAVELENGTH = 1.5418
SCAN = Scan(4.0, 32.0, 0.02, WAVELENGTH)
Q_MAX = float(q_from_two_theta(32.0, WAVELENGTH)) * 1.02


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


def measured(crystal: Crystal, seed: int = 0, **changes) -> Target:
    chosen = {
        "strain": np.zeros((3, 3)), "texture": 1.0, "line_error": 0.0, "guest_error": 0.0, "fwhm": 0.15, "eta": 0.5,
        "zero_shift": 0.0, "background": 0.05, "hump": 0.0, "counts": 1e5, **changes,
    }  # fmt: skip
    pattern = apply(Artefacts(**chosen), reflections(crystal, 2.4), np.random.default_rng(seed), SCAN)
    return Target.of(pattern, find_lines(pattern), background(pattern))


def begun(target: Target, count: int) -> Fit:
    area = float(target.net.sum() * target.step)
    return replace(Fit.start(count), scale=np.full(count, area))


def shells(*crystals: Crystal) -> list[Shell]:
    return [Shell.of(crystal, WAVELENGTH, Q_MAX) for crystal in crystals]


def cubic_crystal() -> Crystal:
    """Its lines are of up to 24 reflections, which strain parts."""
    sites = np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5], [0.2, 0.2, 0.2], [0.8, 0.8, 0.2]])
    return Crystal(9.0 * np.eye(3), sites, np.array([26, 26, 26, 26, 8, 8]))
