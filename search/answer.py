"""What a search answers: ranked hits with their evidence."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xtal.patterns import Lines, Pattern


@dataclass(frozen=True)
class Hit:
    """One structure of the index, compared with a pattern.

    Attributes:
        rank: 1 is best.
        id: of the entry.
        name: of the entry, for people to read.
        formula: reduced, Hill order.
        similarity: cosine of the fingerprints; no probability.
        fit: share of the measured intensity above the background that the fitted profile reproduces, 0 to 1 (one minus
            the profile R value); None beyond the candidates that were fitted. Hits are ordered by a χ² that also weighs
            how far the crystal had to be strained and forgives texture, not by this number.
        group: entries with the same number hold the same structure.
        group_size: how many those are in the index.
        n_atoms: in the primitive cell.
        scale: mean linear size of the sample's lattice relative to the entry's.
        zero_shift: degrees 2θ.
        width: full width at half maximum of the lines, degrees.
        row: of the entry in the index.
        parameters: fitted (9,), see `xtal.physics.fit.Fit`; empty without a fit.
        chi_square: what hits are ordered by, see `xtal.physics.fit.Fit`; None beyond the candidates that were fitted.
        second: share of Kα2 in the beam with which it was fitted.
        growth: of the line width with the angle, see `xtal.physics.target.Target`; `width` is that at small angles.
        overlaps: pairs of the entry's atoms that cannot be there together: alternatives of a disorder, listed in full.
    """

    rank: int
    id: str
    name: str
    formula: str
    similarity: float
    fit: float | None
    group: int
    group_size: int
    n_atoms: int
    scale: float | None
    zero_shift: float | None
    width: float | None
    row: int
    parameters: tuple[float, ...] = ()
    chi_square: float | None = None
    second: float = 0.0
    growth: float = 0.0
    overlaps: int = 0


@dataclass(frozen=True)
class Phase:
    """A structure of the index that a sample holds, perhaps beside others.

    Attributes:
        hit: the structure as it was fitted together with the other phases; `hit.rank` is its place among them.
        probability: that it is in the sample, or one whose lines look the same; calibrated, 0 to 1.
        share: of the named phases by weight, 0 to 1: an estimate from the fitted scales (Hill and Howard, 1987), blind
            to texture, absorption and what is amorphous.
        intensity: share of the calculated intensity within the scan, 0 to 1.
        area: of its lines, intensity x degrees.
        alike: ids of others with the same lines that may as well be it.
        lines: degrees 2θ of found lines that are mostly its own.
    """

    hit: Hit
    probability: float
    share: float
    intensity: float
    area: float
    alike: tuple[str, ...] = ()
    lines: tuple[float, ...] = ()


@dataclass(frozen=True)
class Timings:
    """Seconds per pattern, averaged over the batch it was searched in.

    Attributes:
        lines: finding lines in the pattern.
        search: embedding and nearest neighbours.
        rerank: comparing profiles.
    """

    lines: float
    search: float
    rerank: float

    @property
    def total(self) -> float:
        """Seconds per pattern in all."""
        return self.lines + self.search + self.rerank


@dataclass(frozen=True, eq=False)
class Answer:
    """The hits of one pattern, best first, with the lines that it was searched with.

    Attributes:
        pattern: searched for.
        lines: found in it, or as a person edited them.
        hits: best first.
        timings: what the search took.
        rival: the best hit that holds another structure than the first; None where there is none.
        points: of the profile that the fits compare.
        noise: share of the intensity above the background that counting noise alone would leave unexplained.
        edited: whether a person edited the lines.
        excluded: what a filter left out, where that is the best of all structures but the first hit's.
    """

    pattern: Pattern
    lines: Lines
    hits: tuple[Hit, ...]
    timings: Timings
    rival: Hit | None = None
    points: int = 0
    noise: float = 0.0
    edited: bool = False
    excluded: Hit | None = None


@dataclass(frozen=True, eq=False)
class Part:
    """What one phase contributes: its `curve` (M,) without the background, and `ticks` (K,) in degrees 2θ."""

    name: str
    curve: NDArray[np.float64]
    ticks: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Overlay:
    """A hit's fitted profile beside the measured one; (M,) arrays over the measured angles.

    Attributes:
        two_theta: degrees.
        measured: as in the pattern.
        calculated: fitted profile on top of the background.
        background: estimated background.
        difference: measured - calculated.
        ticks: (K,) degrees, fitted positions of the hit's lines.
        parts: of the calculated profile where several phases make it up; `ticks` are then those of all.
    """

    two_theta: NDArray[np.float64]
    measured: NDArray[np.float64]
    calculated: NDArray[np.float64]
    background: NDArray[np.float64]
    difference: NDArray[np.float64]
    ticks: NDArray[np.float64]
    parts: tuple[Part, ...] = ()
