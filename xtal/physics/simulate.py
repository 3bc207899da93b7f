"""Simulated measurements of index entries, for benchmarks and examples."""

from collections.abc import Sequence

import numpy as np
from numpy.random import Generator

from xtal.crystals import Crystal
from xtal.patterns import Pattern, q_from_two_theta
from xtal.physics.artefacts import LABORATORY_SCAN, Scan, measure
from xtal.physics.powder import reflections

MARGIN = 1.03  # reflections this far beyond the scan, which strain may move into it


def simulate(crystal: Crystal, severity: float, rng: Generator, scan: Scan = LABORATORY_SCAN) -> Pattern:
    """Measure a crystal with the artefacts of one laboratory, drawn at `severity`."""
    last = float(q_from_two_theta(scan.last, scan.wavelength))
    return measure(reflections(crystal, last * MARGIN, wavelength=scan.wavelength), severity, rng, scan)


def simulate_all(
    crystals: Sequence[Crystal], severity: float, seed: int, scan: Scan = LABORATORY_SCAN
) -> list[Pattern]:
    """Measure many crystals; each has a stream of its own, so that the first ones do not depend on how many follow."""
    return [simulate(crystal, severity, np.random.default_rng([seed, i]), scan) for i, crystal in enumerate(crystals)]
