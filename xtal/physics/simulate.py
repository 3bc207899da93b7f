"""Simulated measurements of index entries, for benchmarks and examples."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.random import Generator

from xtal.crystals import Crystal
from xtal.patterns import Pattern, q_from_two_theta
from xtal.patterns.wavelengths import K_ALPHA_2
from xtal.physics.artefacts import LABORATORY_SCAN, Artefacts, Scan, counted, drawn, measure
from xtal.physics.powder import reflections

WIDE_SCAN = Scan(last=50.0, second=K_ALPHA_2)  # of mixtures: to 30° an oxide shows hardly a line
MARGIN = 1.03  # reflections this far beyond the scan, which strain may move into it


def simulate(crystal: Crystal, severity: float, rng: Generator, scan: Scan = LABORATORY_SCAN) -> Pattern:
    """Measure a crystal with the artefacts of one laboratory, drawn at `severity`."""
    last = float(q_from_two_theta(scan.last, scan.wavelength))
    return measure(reflections(crystal, last * MARGIN, wavelength=scan.wavelength), severity, rng, scan)


def simulate_all(
    crystals: Sequence[Crystal], severity: float, seed: int, scan: Scan = LABORATORY_SCAN, first: int = 0
) -> list[Pattern]:
    """Measure many crystals; each has a stream of its own, so that the first ones do not depend on how many follow.

    Of crystals that are some of many, `first` is the number of the first one among all.
    """
    rngs = (np.random.default_rng([seed, first + i]) for i in range(len(crystals)))
    return [simulate(crystal, severity, rng, scan) for crystal, rng in zip(crystals, rngs, strict=True)]


def simulate_mixture(
    crystals: Sequence[Crystal], areas: Sequence[float], severity: float, rng: Generator, scan: Scan = LABORATORY_SCAN
) -> Pattern:
    """Measure a mixture: strain, texture and width are each crystal's, zero shift and counts the instrument's.

    Args:
        crystals: P of them, the first with the most intensity.
        areas: (P,) share of the intensity within the scan that each contributes.
        severity: of the artefacts.
        rng: draws them.
        scan: how it is measured.
    """
    last = float(q_from_two_theta(scan.last, scan.wavelength)) * MARGIN
    instrument = Artefacts.draw(severity, rng)
    total = np.zeros(len(scan.two_theta))
    for crystal, area in zip(crystals, areas, strict=True):
        own = replace(Artefacts.draw(severity, rng), zero_shift=instrument.zero_shift)
        curve = drawn(own, reflections(crystal, last, wavelength=scan.wavelength), rng, scan)
        total += area * curve / max(curve.sum(), 1e-30)
    return counted(instrument, total, rng, scan)
