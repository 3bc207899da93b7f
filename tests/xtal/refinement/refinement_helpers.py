"""A measured mineral that was never measured: quartz with known cell, zero shift and texture."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from xtal.crystals import Crystal, read_cif
from xtal.crystals.conventional import Conventional, conventional
from xtal.patterns import Pattern, q_from_two_theta
from xtal.physics.artefacts import Artefacts, Scan, apply
from xtal.physics.powder import reflections
from xtal.refinement.refined import Agreement, Profile, RefinedPhase, Refinement, Value

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


def phase(name: str, **changes) -> RefinedPhase:
    structure = replace(truth(name), name=changes.pop("called", name))
    cell = tuple(Value(float(v), 0.0012 if i < 3 else None) for i, v in enumerate(structure.cell))
    errors = np.full((len(structure), 3), np.nan)
    errors[0, 0] = 0.00021
    made = RefinedPhase(
        structure=structure,
        cell=cell,
        errors=errors,
        displacement=tuple(Value(0.0123, 0.0011) for _ in structure.numbers),
        share=Value(1.0),
        r_bragg=0.0712,
        texture=None,
        ticks=np.array([20.0, 30.0]),
        porous=False,
        moved=True,
    )
    return replace(made, **changes)


def refinement(pattern, *phases: RefinedPhase) -> Refinement:
    two_theta, intensity = pattern.two_theta, pattern.intensity
    level, sigma = np.full(len(pattern), 10.0), np.sqrt(np.maximum(intensity, 1))
    return Refinement(
        program="rietx 1.10.0",
        mode="rietveld",
        finished=True,
        phases=phases,
        agreement=Agreement(0.0987, 0.19, 0.09, 1.1, len(pattern), 17, 40),
        zero_shift=Value(0.021, 0.003),
        displacement=None,
        profile=Profile(two_theta, intensity, 0.98 * intensity, level, sigma),
        steps=("scale and background", "cell"),
        at_bounds=(),
        correlations=(),
        remarks=("a remark; with a semicolon",),
        wavelengths=(1.540593, 1.544427),
        seconds=1.5,
    )
