"""What a laboratory does to a powder pattern, as one seeded draw with one severity.

Severity 0 keeps only what no measurement is without: a random line profile and counting noise. Severity 1 is an
ordinary laboratory pattern of a framework that differs from the database entry in temperature and guests.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from xtal.patterns import Pattern, two_theta_from_q
from xtal.patterns.lorentz import lorentz_polarisation_ratio
from xtal.patterns.wavelengths import K_ALPHA_2, spectrum
from xtal.physics.powder import MERGE, Reflections
from xtal.physics.profile import render

SEVERITIES = (0.0, 0.5, 1.0, 2.0)  # the levels at which results are reported
CU_K_ALPHA = 1.5418  # Å, the intensity-weighted mean of the doublet


@dataclass(frozen=True)
class Scan:
    """How a pattern is measured: `first` to `last` degrees 2θ in steps of `step`, at `wavelength` Å.

    `second` is the share of Kα2 in the beam where the wavelength is that of an anode: 1/3 where nothing is filtered.
    """

    first: float = 3.0
    last: float = 30.0
    step: float = 0.02
    wavelength: float = CU_K_ALPHA
    second: float = 0.0

    @property
    def two_theta(self) -> NDArray[np.float64]:
        """(M,) measured angles in degrees."""
        return np.linspace(self.first, self.last, round((self.last - self.first) / self.step) + 1)


PAPER_SCAN = Scan()  # section 2.2 of the XtalNet paper: 3 to 30 degrees, step 0.02
LABORATORY_SCAN = Scan(second=K_ALPHA_2)


@dataclass(frozen=True, eq=False)
class Artefacts:
    """One draw of everything that separates a measured pattern from the ideal one.

    Attributes:
        strain: (3, 3) symmetric small strain of the lattice, ``cart' = cart (1 + strain)``.
        texture: March-Dollase ratio r; 1 is a random powder, below 1 plates, above 1 needles.
        line_error: standard deviation of ln(intensity) of each line.
        guest_error: the same, added at g = 0 and falling off as exp(-g / 0.15 Å⁻¹): disordered pore contents.
        fwhm: degrees.
        eta: Lorentzian share of the profile.
        zero_shift: degrees, added to every 2θ.
        background: decaying background at the first angle, share of the highest peak.
        hump: amorphous hump, share of the highest peak.
        counts: counts at the highest point.
    """

    strain: NDArray[np.float64]
    texture: float
    line_error: float
    guest_error: float
    fwhm: float
    eta: float
    zero_shift: float
    background: float
    hump: float
    counts: float

    @classmethod
    def draw(cls, severity: float, rng: Generator) -> Self:
        """Draw the artefacts of one measurement at `severity` (0 to about 2)."""
        upper = np.triu(rng.normal(0, 0.0035 * severity, (3, 3)))
        return cls(
            strain=upper + np.triu(upper, 1).T,
            texture=float(np.exp(rng.normal(0, 0.25 * severity))),
            line_error=0.15 * severity,
            guest_error=0.375 * severity,
            fwhm=float(np.exp(rng.uniform(np.log(0.08), np.log(0.40)))),
            eta=float(rng.uniform()),
            zero_shift=float(rng.normal(0, 0.05 * severity)),
            background=float(rng.uniform(0, 0.15 * severity)),
            hump=float(rng.uniform(0, 0.10 * severity)),
            counts=float(10 ** rng.uniform(2.5, 4.5)),
        )


def measure(reflections: Reflections, severity: float, rng: Generator, scan: Scan = PAPER_SCAN) -> Pattern:
    """Measure an ideal crystal's reflections as a laboratory would at `severity`.

    The reflections should reach a few per cent beyond the scan, so that strain moves lines in as well as out.
    """
    return apply(Artefacts.draw(severity, rng), reflections, rng, scan)


def apply(artefacts: Artefacts, reflections: Reflections, rng: Generator, scan: Scan = PAPER_SCAN) -> Pattern:
    """Return the counts (M,) that `artefacts` make of `reflections` in one scan."""
    return counted(artefacts, drawn(artefacts, reflections, rng, scan), rng, scan)


def drawn(artefacts: Artefacts, reflections: Reflections, rng: Generator, scan: Scan) -> NDArray[np.float64]:
    """Return the profile (M,) of the crystal alone, in any unit."""
    g = reflections.g @ (np.eye(3) - artefacts.strain)  # reciprocal space contracts where the lattice expands
    weight = reflections.intensity * texture_weights(reflections.g, artefacts.texture, rng)
    weight = weight * np.exp(_line_errors(reflections.g, artefacts, rng))
    q = 2 * np.pi * np.linalg.norm(g, axis=1)
    reached = q < 4 * np.pi / scan.wavelength * 0.995
    q, weight = q[reached], weight[reached]
    area = weight / q**2 / lorentz_polarisation_ratio(q, scan.wavelength)
    (first, second), share = spectrum(scan.wavelength), scan.second
    q = np.concatenate([q * first, q * second]) if share else q
    area = np.concatenate([area * (1 - share), area * share]) if share else area
    places = two_theta_from_q(q, scan.wavelength) + artefacts.zero_shift
    return np.clip(render(scan.two_theta, places, area, artefacts.fwhm, artefacts.eta), 0, None)


def counted(artefacts: Artefacts, curve: NDArray[np.float64], rng: Generator, scan: Scan) -> Pattern:
    """Return the counts (M,) of a profile with background."""
    curve = curve / max(curve.max(), 1e-30) + _background(scan.two_theta, artefacts, rng)
    return Pattern(scan.two_theta, _counted(curve, artefacts.counts, rng), scan.wavelength, source="simulated")


def texture_weights(g: NDArray[np.float64], ratio: float, rng: Generator) -> NDArray[np.float64]:
    """March-Dollase weights ``(r² cos² α + sin² α / r)^(-3/2)`` about the axis of one of the shortest reflections.

    α is the angle between a reflection and the axis; March (1932), Dollase (1986). `g` (R, 3) -> (R,).
    """
    if not len(g):
        return np.empty(0)
    length = np.linalg.norm(g, axis=1)
    shortest = np.argsort(length)[: min(12, len(length))]
    axis = g[rng.choice(shortest)]
    cosine = np.clip(g @ axis / (length * np.linalg.norm(axis)), -1, 1) ** 2
    return (ratio**2 * cosine + (1 - cosine) / ratio) ** -1.5


def _line_errors(g: NDArray, artefacts: Artefacts, rng: Generator) -> NDArray[np.float64]:
    """(R,) errors of ln(intensity), equal for reflections that coincide in the unstrained crystal."""
    length = np.linalg.norm(g, axis=1)
    order = np.argsort(length, kind="stable")
    line = np.empty(len(g), dtype=np.int64)
    line[order] = np.cumsum(np.diff(length[order], prepend=-1) > MERGE / (2 * np.pi)) - 1
    own, guest = rng.normal(size=(2, len(g)))
    return artefacts.line_error * own[line] + artefacts.guest_error * np.exp(-length / 0.15) * guest[line]


def _background(angles: NDArray, artefacts: Artefacts, rng: Generator) -> NDArray[np.float64]:
    """(M,) decaying background and amorphous hump in units of the highest peak."""
    span = angles[-1] - angles[0]
    decay = np.exp(-(angles - angles[0]) / (span * rng.uniform(0.1, 0.5)))
    centre, width = angles[0] + span * rng.uniform(0.3, 0.9), span * rng.uniform(0.1, 0.25)
    return artefacts.background * decay + artefacts.hump * np.exp(-0.5 * ((angles - centre) / width) ** 2)


def _counted(curve: NDArray, counts: float, rng: Generator) -> NDArray[np.float64]:
    """Poisson counts of a curve whose maximum becomes `counts`; at least one photon is detected somewhere."""
    measured = rng.poisson(curve / max(curve.max(), 1e-30) * counts).astype(float)
    measured[np.argmax(curve)] = max(measured[np.argmax(curve)], 1.0)
    return measured
