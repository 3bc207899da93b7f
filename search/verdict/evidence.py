"""What speaks for and against the first hit of an answer, in numbers for the calibration."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from indexer.storage import Index
from search.answer import Answer, Hit
from search.ranking.prepared import prepared
from search.verdict.residual import amorphous_share
from search.verdict.scrutiny import Scrutiny
from xtal.patterns import two_theta_from_q
from xtal.patterns.lorentz import lorentz_polarisation_ratio
from xtal.patterns.segments import gaps, in_gap
from xtal.physics import LineRows, Sticks
from xtal.physics.fit import in_degrees, line_positions
from xtal.physics.powder import DATABASE_LINES
from xtal.physics.shell import VOIGT
from xtal.physics.target import widening

NEAR, SLACK = 0.8, 0.0014  # lines meet within so many line widths, and so many Å⁻¹ more (0.02° with Cu Kα)
FAINT = 0.1  # a calculated line weaker than this share of the found one does not explain it
ABSENT = 0.03  # one weaker than this share of it is as good as none: hardly a texture makes as much of it
LEAST_SHARE = 0.003  # of the explained intensity: its logit stays finite
LEAST_CHI_SQUARE = 1e-9  # its logarithm stays finite
FEW_LINES = 5  # are little to judge by
HAZE = 1 / 3  # of the scattering: a hump that holds more hides what few lines do not show
CLEAR = 2.0  # so many lines, each counted as the share of the scattering outside of humps, are as little
WIDEST_LEAD = 3.0  # in ln χ²: a lead beyond, or no rival at all, says no more
FEATURES = (
    "logit of the explained share",
    "ln chi-square per point",
    "ln chi-square of the rival over its own",
    "root of the share of found lines unexplained",
    "similarity",
    "similarity above the rival",
    "residue when all is allowed for",
    "errors of lines that it takes",
    "texture that it takes",
    "strain that it takes",
)
SIGNS = (1, -1, 1, -1, 1, 1, -1, -1, 0, -1)  # of what each may do to the odds; texture excuses or betrays


@dataclass(frozen=True)
class Evidence:
    """How the first hit of an answer fits the pattern.

    Attributes:
        explained: share of the intensity above the background that the fit reproduces, of what noise lets it, 0 to 1.
        misfit: χ² per point of the profile.
        lead: ln of the rival's χ² over its own; `WIDEST_LEAD` at most, and without a rival.
        missing: share of the found lines, by the root of their areas, with no calculated line near, 0 to 1.
        absent: share of the calculated intensity within the scan with no found line near, 0 to 1.
        similarity: of the fingerprints.
        similarity_lead: above the rival's similarity; 1 without a rival.
        unexplained: found lines with no calculated line near, degrees 2θ, the strongest first.
        foreign: share of the areas of the found lines that those hold where there is no calculated one at all, 0 to 1.
        unknown: found lines where none were calculated, see `Comparison`.
        compared: found lines where some were.
        known: degrees 2θ between which lines were calculated.
        amorphous: share of the scattering in broad humps, 0 to 1, see `search.verdict.residual`.
        scrutiny: what it takes to make it fit.
        computed: whether the pattern has no noise, as no measurement is.
    """

    explained: float
    misfit: float
    lead: float
    missing: float
    absent: float
    similarity: float
    similarity_lead: float
    unexplained: tuple[float, ...]
    foreign: float
    unknown: int
    compared: int
    known: tuple[float, float]
    amorphous: float
    scrutiny: Scrutiny
    computed: bool = False

    @classmethod
    def of(cls, answer: Answer, index: Index) -> Self | None:
        """Gather the evidence on the first hit of an index; None when there is no fitted hit."""
        first, rival = (answer.hits[0] if answer.hits else None), answer.rival
        if first is None or first.fit is None or first.chi_square is None or not len(answer.lines):
            return None
        lines = compare_lines(answer, first, index.lines)
        target = prepared(answer.pattern, answer.lines)
        return cls(
            explained=float(np.clip(first.fit / max(1 - answer.noise, LEAST_SHARE), 0, 1)),
            misfit=max(first.chi_square, LEAST_CHI_SQUARE) / max(answer.points, 1),
            lead=lead_over(first, rival),
            missing=lines.missing,
            absent=lines.absent,
            similarity=first.similarity,
            similarity_lead=1.0 if rival is None else first.similarity - rival.similarity,
            unexplained=lines.unexplained,
            foreign=lines.foreign,
            unknown=lines.unknown,
            compared=len(answer.lines) - lines.unknown,
            known=lines.known,
            amorphous=amorphous_share(target),
            scrutiny=Scrutiny.of(answer, first, index),
            computed=target.computed,
        )

    @property
    def hazy(self) -> bool:
        """Whether a few lines are all that stands out of a broad hump, or somewhat more out of a huge one."""
        few = self.compared <= FEW_LINES or self.compared * (1 - self.amorphous) <= CLEAR
        return few and self.amorphous > HAZE


def among_all(evidence: Evidence, answer: Answer) -> Evidence:
    """Return the evidence with the lead over what a filter excludes too, where that is less.

    A filter that was chosen after a look at the hits tells nothing new, and the rivals that it hides are no weaker.
    """
    if answer.excluded is None:
        return evidence
    first, hidden = answer.hits[0], answer.excluded
    return replace(
        evidence,
        lead=min(evidence.lead, lead_over(first, hidden)),
        similarity_lead=min(evidence.similarity_lead, first.similarity - hidden.similarity),
    )


def features(evidence: Evidence) -> NDArray[np.float64]:
    """Return (F,) numbers, named in `FEATURES`, in which the odds of a right answer are about log-linear."""
    share = np.clip(evidence.explained, LEAST_SHARE, 1 - LEAST_SHARE)
    return np.array(
        [
            np.log(share / (1 - share)),
            np.log(evidence.misfit),
            evidence.lead,
            np.sqrt(evidence.missing),
            evidence.similarity,
            evidence.similarity_lead,
            evidence.scrutiny.residue,
            evidence.scrutiny.line_errors,
            evidence.scrutiny.texture,
            evidence.scrutiny.strain,
        ]
    )


@dataclass(frozen=True)
class Comparison:
    """Found and calculated lines side by side.

    An index keeps an entry's lines up to some angle only (`xtal.physics.crystal_lines`). What was found beyond is
    neither explained nor unexplained by it: it is unknown, and no part of the shares.

    Attributes:
        missing, absent, unexplained, foreign: as in `Evidence`.
        unknown: found lines outside of `known`.
        known: degrees 2θ between which the lines of the hit were calculated, as it is strained and shifted.
    """

    missing: float
    absent: float
    unexplained: tuple[float, ...]
    foreign: float
    unknown: int
    known: tuple[float, float]


def compare_lines(answer: Answer, hit: Hit, table: LineRows) -> Comparison:
    """Lay the found lines of an answer beside the fitted ones of a hit."""
    found, area = _found_lines(answer)
    places, expected = _fitted_lines(answer, hit, table)
    reach = NEAR * (hit.width or 0.0) * widening(found, hit.growth) + in_degrees(SLACK, answer.pattern.wavelength)
    low, high = known = _known_range(hit, table, answer.pattern.wavelength)
    judged = (found >= low + reach) & (found <= high - reach)  # a line's partner may lie on the other side of the end
    unknown = int((~judged).sum())
    if not len(places) or not judged.any():
        return Comparison(1.0, 1.0, tuple(found[judged][np.argsort(-area[judged])].tolist()), 1.0, unknown, known)
    near = np.abs(found[:, None] - places) <= reach[:, None]  # (K, L)
    explained = np.asarray((near & (expected > FAINT * area[:, None])).any(axis=1))
    weight = np.sqrt(area)
    missing = float(weight[judged & ~explained].sum() / weight[judged].sum())
    absent = float(expected[~near.any(axis=0)].sum() / expected.sum())
    left = np.flatnonzero(judged & ~explained)
    nothing = ~(near & (expected > ABSENT * area[:, None])).any(axis=1)
    foreign = float(area[judged & nothing].sum() / area[judged].sum())
    return Comparison(missing, absent, tuple(found[left][np.argsort(-area[left])].tolist()), foreign, unknown, known)


def lead_over(first: Hit, rival: Hit | None) -> float:
    """Return ln of the rival's χ² over that of the first hit, `WIDEST_LEAD` at most and where nothing compares."""
    if rival is None or rival.chi_square is None or first.chi_square is None:
        return WIDEST_LEAD
    least = LEAST_CHI_SQUARE
    return min(WIDEST_LEAD, float(np.log(max(rival.chi_square, least) / max(first.chi_square, least))))


def _found_lines(answer: Answer) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the found lines (K,) in degrees 2θ and their areas as measured, of sum 1."""
    lines, wavelength = answer.lines, answer.pattern.wavelength
    area = lines.intensity / lorentz_polarisation_ratio(lines.q, wavelength)
    return two_theta_from_q(lines.q, wavelength), area / area.sum()


def _fitted_lines(answer: Answer, hit: Hit, table: LineRows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return all fitted lines (L,) of a hit within the scan in degrees 2θ, and their areas, of sum 1.

    The fit of the profile makes do with the strongest of them (`Sticks`); a weak one explains a weak one found.
    """
    pattern, lines = answer.pattern, table[hit.row]
    reached = lines.q * pattern.wavelength < 0.999 * 4 * np.pi
    q, area = lines.q[reached].astype(np.float64), lines.intensity[reached]
    area = area / lorentz_polarisation_ratio(q, pattern.wavelength)
    sticks = Sticks(q[None], area[None], np.asarray(lines.direction)[None, reached])
    sticks = sticks.doubled(pattern.wavelength, hit.second)
    places = line_positions(sticks, np.array([hit.parameters]), pattern.wavelength)[0][0]
    shown = (places > pattern.two_theta[0]) & (places < pattern.two_theta[-1]) & ~in_gap(places, gaps(pattern))
    area = sticks.area[0][shown]
    return places[shown], area / max(area.sum(), 1e-30)


def _known_range(hit: Hit, table: LineRows, wavelength: float) -> tuple[float, float]:
    """Return the first and last angle, degrees 2θ, between which no line of a fitted hit is left out."""
    lines = table[hit.row]
    first, last = lines.q_range
    if len(lines) >= DATABASE_LINES:  # the strongest were kept: what follows the last of them was too weak
        last = float(lines.q[-1])
    strain = np.empty((3, 3))
    strain[VOIGT] = strain[VOIGT[::-1]] = hit.parameters[:6]
    least, *_, most = np.linalg.eigvalsh(strain)  # the directions in which the lattice grew least and most
    low, high = two_theta_from_q(np.array([first * (1 - least), last * (1 - most)]), wavelength)
    shift = hit.zero_shift or 0.0
    return float(low + shift), float(np.nan_to_num(high + shift, nan=180.0))
