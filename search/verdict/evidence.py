"""What speaks for and against the first hit of an answer: numbers for the calibration, sentences for people."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from indexer.storage import Index
from search.answer import Answer, Hit
from search.verdict.scrutiny import Scrutiny
from xtal.patterns import two_theta_from_q
from xtal.patterns.lorentz import lorentz_polarisation_ratio
from xtal.patterns.segments import gaps, in_gap
from xtal.physics import LineTable, Sticks
from xtal.physics.fit import in_degrees, line_positions
from xtal.physics.powder import DATABASE_LINES
from xtal.physics.shell import VOIGT
from xtal.physics.target import widening

NEAR, SLACK = 0.8, 0.0014  # lines meet within so many line widths, and so many Å⁻¹ more (0.02° with Cu Kα)
FAINT = 0.1  # a calculated line weaker than this share of the found one does not explain it
LEAST_SHARE = 0.003  # of the explained intensity: its logit stays finite
LEAST_CHI_SQUARE = 1e-9  # its logarithm stays finite
WIDEST_LEAD = 3.0  # in ln χ²: a lead beyond, or no rival at all, says no more
QUOTED = 3  # lines named in a sentence
CLOSE = 0.15  # in ln χ²: a rival this near may as well be right
FEW_LINES = 5
NOTABLE_ABSENCE, NOTABLE_SHIFT = 0.15, 0.007  # share of the calculated intensity, Å⁻¹ (0.10° with Cu Kα)
NOTABLE_ERRORS = 3.0  # in units of what is usual: right structures hardly ever take as much, wrong ones mostly do
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
        unknown: found lines where none were calculated, see `Comparison`.
        known: degrees 2θ between which lines were calculated.
        scrutiny: what it takes to make it fit.
    """

    explained: float
    misfit: float
    lead: float
    missing: float
    absent: float
    similarity: float
    similarity_lead: float
    unexplained: tuple[float, ...]
    unknown: int
    known: tuple[float, float]
    scrutiny: Scrutiny

    @classmethod
    def of(cls, answer: Answer, index: Index) -> Self | None:
        """Gather the evidence on the first hit of an index; None when there is no fitted hit."""
        first, rival = (answer.hits[0] if answer.hits else None), answer.rival
        if first is None or first.fit is None or first.chi_square is None or not len(answer.lines):
            return None
        lines = compare_lines(answer, first, index.lines)
        return cls(
            explained=float(np.clip(first.fit / max(1 - answer.noise, LEAST_SHARE), 0, 1)),
            misfit=max(first.chi_square, LEAST_CHI_SQUARE) / max(answer.points, 1),
            lead=_lead(first, rival),
            missing=lines.missing,
            absent=lines.absent,
            similarity=first.similarity,
            similarity_lead=1.0 if rival is None else first.similarity - rival.similarity,
            unexplained=lines.unexplained,
            unknown=lines.unknown,
            known=lines.known,
            scrutiny=Scrutiny.of(answer, first, index),
        )


def among_all(evidence: Evidence, answer: Answer) -> Evidence:
    """Return the evidence with the lead over what a filter excludes too, where that is less.

    A filter that was chosen after a look at the hits tells nothing new, and the rivals that it hides are no weaker.
    """
    if answer.excluded is None:
        return evidence
    first, hidden = answer.hits[0], answer.excluded
    return replace(
        evidence,
        lead=min(evidence.lead, _lead(first, hidden)),
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
        missing, absent, unexplained: as in `Evidence`.
        unknown: found lines outside of `known`.
        known: degrees 2θ between which the lines of the hit were calculated, as it is strained and shifted.
    """

    missing: float
    absent: float
    unexplained: tuple[float, ...]
    unknown: int
    known: tuple[float, float]


def compare_lines(answer: Answer, hit: Hit, table: LineTable) -> Comparison:
    """Lay the found lines of an answer beside the fitted ones of a hit."""
    found, area = _found_lines(answer)
    places, expected = _fitted_lines(answer, hit, table)
    reach = NEAR * (hit.width or 0.0) * widening(found, hit.growth) + in_degrees(SLACK, answer.pattern.wavelength)
    low, high = known = _known_range(hit, table, answer.pattern.wavelength)
    judged = (found >= low + reach) & (found <= high - reach)  # a line's partner may lie on the other side of the end
    unknown = int((~judged).sum())
    if not len(places) or not judged.any():
        return Comparison(1.0, 1.0, tuple(found[judged][np.argsort(-area[judged])].tolist()), unknown, known)
    near = np.abs(found[:, None] - places) <= reach[:, None]  # (K, L)
    explained = np.asarray((near & (expected > FAINT * area[:, None])).any(axis=1))
    weight = np.sqrt(area)
    missing = float(weight[judged & ~explained].sum() / weight[judged].sum())
    absent = float(expected[~near.any(axis=0)].sum() / expected.sum())
    left = np.flatnonzero(judged & ~explained)
    return Comparison(missing, absent, tuple(found[left][np.argsort(-area[left])].tolist()), unknown, known)


def reasons(answer: Answer, evidence: Evidence) -> tuple[str, ...]:
    """Say in short sentences what the evidence on the first hit is."""
    said = [
        f"its fitted profile explains {evidence.explained:.0%} of the intensity that is not background or noise",
        _words_on_lines(answer, evidence),
        _words_on_rival(answer, evidence),
    ]
    if answer.excluded is not None and (lead := _lead(answer.hits[0], answer.excluded)) < CLOSE:
        how = "better" if lead < -CLOSE else "nearly as well" if lead > 0 else "as well"
        said.append(f"{answer.excluded.id} ({answer.excluded.formula}), which the filter excludes, fits {how}")
    if evidence.absent >= NOTABLE_ABSENCE:
        said.append(f"{evidence.absent:.0%} of the intensity it should show has no line in the pattern")
    if (errors := evidence.scrutiny.line_errors) >= NOTABLE_ERRORS:
        said.append(f"it fits only if its lines are {errors:.1f} times as wrong as is usual")
    if abs(shift := answer.hits[0].zero_shift or 0.0) >= in_degrees(NOTABLE_SHIFT, answer.pattern.wavelength):
        said.append(f"it fits only with a zero shift of {shift:+.2f}°")
    if pairs := answer.hits[0].overlaps:
        said.append(f"the entry lists {pairs} pairs of atoms that cannot be there together: it is doubtful in itself")
    if len(answer.lines) - evidence.unknown <= FEW_LINES:
        said.append("so few lines are little to judge by")
    return tuple(said)


def _lead(first: Hit, rival: Hit | None) -> float:
    """Return ln of the rival's χ² over that of the first hit, `WIDEST_LEAD` at most and where nothing compares."""
    if rival is None or rival.chi_square is None or first.chi_square is None:
        return WIDEST_LEAD
    least = LEAST_CHI_SQUARE
    return min(WIDEST_LEAD, float(np.log(max(rival.chi_square, least) / max(first.chi_square, least))))


def _words_on_lines(answer: Answer, evidence: Evidence) -> str:
    """Say which lines it leaves unexplained, and how many could not be judged."""
    count, how = len(answer.lines) - evidence.unknown, "edited" if answer.edited else "found"
    unexplained = evidence.unexplained
    if not count:
        return f"none of the {evidence.unknown} lines {how} lies where lines of it were calculated"
    if not unexplained:
        said = f"it explains the only line {how}" if count == 1 else f"it explains all {count} lines {how}"
    else:
        angles = ", ".join(f"{angle:.2f}°" for angle in unexplained[:QUOTED])
        which = "at" if len(unexplained) <= QUOTED else "the strongest at"
        verb = "is" if len(unexplained) == 1 else "are"
        said = f"{len(unexplained)} of {count} lines {how} {verb} not explained by it, {which} 2θ = {angles}"
    return said + _words_on_unknown(evidence)


def _words_on_unknown(evidence: Evidence) -> str:
    """Say how many lines lie where nothing was calculated."""
    if not evidence.unknown:
        return ""
    low, high = evidence.known
    verb = "was" if evidence.unknown == 1 else "were"
    return f"; {evidence.unknown} beyond the {low:.0f} to {high:.0f}° that were calculated of it {verb} not judged"


def _words_on_rival(answer: Answer, evidence: Evidence) -> str:
    """Compare it with the best structure that differs."""
    rival = answer.rival
    if rival is None:
        passes = "" if answer.excluded is None else " that passes the filter"
        return f"there is no other structure{passes} to compare it with"
    alike = f"similarity {evidence.similarity:.2f}, next different structure {rival.similarity:.2f}"
    if rival.chi_square is None:
        return alike
    name = f"the next different structure, {rival.id} ({rival.formula}),"
    if evidence.lead < 0:
        return f"{name} has the lower χ², but texture and errors of single lines make it less likely; {alike}"
    if evidence.lead < CLOSE:
        return f"{name} fits nearly as well; {alike}"
    return f"the next different structure fits worse, its χ² is {np.exp(evidence.lead):.1f} times as high; {alike}"


def _found_lines(answer: Answer) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the found lines (K,) in degrees 2θ and their areas as measured, of sum 1."""
    lines, wavelength = answer.lines, answer.pattern.wavelength
    area = lines.intensity / lorentz_polarisation_ratio(lines.q, wavelength)
    return two_theta_from_q(lines.q, wavelength), area / area.sum()


def _fitted_lines(answer: Answer, hit: Hit, table: LineTable) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
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


def _known_range(hit: Hit, table: LineTable, wavelength: float) -> tuple[float, float]:
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
