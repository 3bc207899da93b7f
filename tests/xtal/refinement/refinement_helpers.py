"""A measured mineral that was never measured: quartz with known cell, zero shift and texture."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from xtal.crystals import Crystal, read_cif
from xtal.crystals.conventional import Conventional, conventional
from xtal.patterns import Pattern, q_from_two_theta
from xtal.physics.artefacts import Artefacts, Scan, apply
from xtal.physics.powder import reflections

CIFS = Path(__file__).parents[2] / "data" / "cifs"
SCAN = Scan(15.0, 80.0, 0.03, second=1 / 3)
STRAIN = 0.003
ZERO = 0.04


def mineral(name: str = "quartz") -> Crystal:
    return read_cif((CIFS / f"{name}.cif").read_bytes(), name)


def truth(name: str = "quartz", strain: float = STRAIN) -> Conventional:
    crystal = mineral(name)
    return conventional(crystal, crystal.lattice * (1 + strain))


def measured(
    *names: str, scan: Scan = SCAN, counts: float = 4000.0, weights: tuple[float, ...] = (1.0, 1.0)
) -> Pattern:
    """The counts of strained minerals, the first of them as strong as its weight says."""
    rng = np.random.default_rng(3)
    made = Artefacts(np.zeros((3, 3)), 1.0, 0.0, 0.0, 0.18, 0.5, ZERO, 0.05, 0.0, counts)
    last = float(q_from_two_theta(scan.last, scan.wavelength)) * 1.02
    parts = []
    for name, weight in zip(names or ("quartz",), weights, strict=False):
        ideal = reflections(truth(name).whole(), last, wavelength=scan.wavelength)
        part = apply(replace(made, counts=counts * weight), ideal, rng, scan)
        parts.append(part)
    total = np.sum([part.intensity for part in parts], axis=0)
    return replace(parts[0], intensity=total, source="sample.xye")
