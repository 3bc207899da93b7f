"""What speaks for and against the first hit of an answer, in sentences for people."""

from collections.abc import Iterator

import gemmi
import numpy as np

from search.answer import Answer, Hit
from search.verdict.calibration import LEAST_ACCOUNTED
from search.verdict.evidence import FEW_LINES, Evidence, lead_over
from search.verdict.residual import Residual
from xtal.crystals import amounts_of
from xtal.physics.fit import in_degrees

QUOTED = 3  # lines named in a sentence
CLOSE = 0.15  # in ln χ²: a rival this near may as well be right
TIED = 0.26  # in ln χ²: metals that differ by less are not told apart by their profiles
NOTABLE_ABSENCE, NOTABLE_SHIFT = 0.15, 0.007  # share of the calculated intensity, Å⁻¹ (0.10° with Cu Kα)
NOTABLE_ERRORS = 3.0  # in units of what is usual: right structures hardly ever take as much, wrong ones mostly do
NOTABLE_GUESTS = -0.4  # ln of the intensity at low angles over that calculated: 0.67
NOTABLE_TEXTURE = 0.4  # of ln r: ratios below 0.67 and beyond 1.5
NOTABLE_SPLIT, SURE_SPLIT = 0.004, 10.0  # strain, and the same in standard deviations
NOTABLE_HUMP = 0.2  # of what is scattered above the level ground
NOTABLE_GROWTH = 0.007  # of the cell's edges
NOTABLE_FOREIGN, MOST_FOREIGN = 0.02, 0.1  # of the areas of the found lines: beyond, they pull at everything else
CLEAN, MOST_MISSING = 0.1, 0.35  # of the found lines, by the root of their areas: a hit that leaves more is doubtful


def reasons(answer: Answer, evidence: Evidence) -> tuple[str, ...]:
    """Say in short sentences what the evidence on the first hit is."""
    said = [
        f"its fitted profile reproduces {answer.hits[0].fit or 0.0:.0%} of the intensity above the background",
        _words_on_lines(answer, evidence),
        _words_on_rival(answer, evidence),
    ]
    if (accounted := evidence.scrutiny.accounted) < LEAST_ACCOUNTED:
        said.append(f"next to nothing: whatever samples do allowed for, it accounts for {accounted:.0%} of the pattern")
    if answer.excluded is not None and (lead := lead_over(answer.hits[0], answer.excluded)) < CLOSE:
        how = "better" if lead < -CLOSE else "nearly as well" if lead > 0 else "as well"
        said.append(f"{answer.excluded.id} ({answer.excluded.formula}), which the filter excludes, fits {how}")
    if evidence.absent >= NOTABLE_ABSENCE:
        said.append(f"{evidence.absent:.0%} of the intensity it should show has no peak in the pattern")
    if (errors := evidence.scrutiny.line_errors) >= NOTABLE_ERRORS:
        said.append(f"it fits only if its intensities are {errors:.1f} times as wrong as is usual")
    if abs(shift := answer.hits[0].zero_shift or 0.0) >= in_degrees(NOTABLE_SHIFT, answer.pattern.wavelength):
        said.append(
            f"it fits only with a zero shift of {shift:+.2f}°: the sample's height or the instrument's zero is off"
        )
    said.extend(residual_reasons(answer, evidence))
    if len(metals := indistinct_metals(answer)) > 1:
        said.append(f"{', '.join(metals[:-1])} or {metals[-1]}: powder data cannot tell which")
    if evidence.computed:
        said.append("the pattern holds no noise: it was computed, not measured")
    if pairs := answer.hits[0].overlaps:
        said.append(f"the entry lists {pairs} pairs of atoms that cannot be there together: it is doubtful in itself")
    if evidence.compared <= FEW_LINES:
        said.append("so few peaks are little to judge by")
    return tuple(said)


def residual_reasons(answer: Answer, evidence: Evidence) -> Iterator[str]:
    """Yield a sentence for each reason why the profile of the first hit and the measured one differ."""
    if evidence.missing <= MOST_MISSING:
        if evidence.foreign >= NOTABLE_FOREIGN:
            yield (
                f"peaks where it has none hold {evidence.foreign:.0%} of the intensity of all peaks: an impurity or "
                "another phase"
            )
        if evidence.foreign <= MOST_FOREIGN:
            yield from _words_on_sample(evidence.scrutiny.residual, evidence.missing <= CLEAN)
        scale = answer.hits[0].scale or 1.0
        if abs(scale - 1) >= NOTABLE_GROWTH:
            yield (
                f"its cell is {100 * abs(scale - 1):.1f} % {'longer' if scale > 1 else 'shorter'} than the entry's: "
                "temperature, guests or other atoms"
            )
    if evidence.amorphous >= NOTABLE_HUMP:
        yield (
            f"a broad hump holds about {evidence.amorphous:.0%} of the scattering: something amorphous in the sample "
            "or its holder, not counted as misfit"
        )


def _words_on_sample(found: Residual, clean: bool) -> Iterator[str]:
    """Yield what of a misfit guests, texture and, where hardly a line is foreign, a lower symmetry account for."""
    if found.low_angles <= NOTABLE_GUESTS:
        yield (
            f"below 2θ = {found.below:.0f}° it shows {np.exp(found.low_angles):.0%} of the intensity expected beside "
            "the other reflections: guests in the pores do that"
        )
    if abs(np.log(found.texture)) >= NOTABLE_TEXTURE:
        yield (
            "intensities go with the direction in the crystal: its grains do not lie at random (texture, "
            f"March-Dollase ratio about {found.texture:.1f})"
        )
    if clean and found.split >= NOTABLE_SPLIT and found.split_sigmas >= SURE_SPLIT:
        yield (
            f"peaks that coincide in the entry are split, by a strain of {100 * found.split:.1f} %: the symmetry of "
            "the sample is lower"
        )


def indistinct_metals(answer: Answer) -> tuple[str, ...]:
    """Return the metals with which the first hit's framework fits about as well, that of the first hit before others.

    Frameworks are one when their formulas differ in nothing but which metal stands where one does.
    """
    first = answer.hits[0]
    metal, rest = _one_metal(first)
    if not metal:
        return ()
    alike = [
        other
        for hit in answer.hits[1:]
        for other, same in [_one_metal(hit)]
        if other and same == rest and lead_over(first, hit) < TIED and hit.chi_square is not None
    ]
    return tuple(dict.fromkeys([metal, *alike]))


def _one_metal(hit: Hit) -> tuple[str, dict[str, float]]:
    """Return the only metal of a hit and its formula without the name of that; "" where there is none or several."""
    amounts = amounts_of(hit.formula)
    metals = [symbol for symbol in amounts if gemmi.Element(symbol).is_metal]
    if len(metals) != 1:
        return "", {}
    return metals[0], {("metal" if symbol == metals[0] else symbol): count for symbol, count in amounts.items()}


def _words_on_lines(answer: Answer, evidence: Evidence) -> str:
    """Say which lines it leaves unexplained, and how many could not be judged."""
    count, how = len(answer.lines) - evidence.unknown, "edited" if answer.edited else "found"
    unexplained = evidence.unexplained
    if not count:
        return f"none of the {evidence.unknown} peaks {how} lies where reflections of it were calculated"
    if not unexplained:
        said = f"it explains the only peak {how}" if count == 1 else f"it explains all {count} peaks {how}"
    else:
        angles = ", ".join(f"{angle:.2f}°" for angle in unexplained[:QUOTED])
        which = "at" if len(unexplained) <= QUOTED else "the strongest at"
        verb = "is" if len(unexplained) == 1 else "are"
        said = f"{len(unexplained)} of {count} peaks {how} {verb} not explained by it, {which} 2θ = {angles}"
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
    if rival.chi_square is None:
        return f"the next entry that differs is {rival.id} ({rival.formula}), which was not fitted"
    name = f"the next entry that differs, {rival.id} ({rival.formula}),"
    if evidence.lead < 0:
        return f"{name} has the lower χ², but takes a texture or errors of single reflections that are less likely"
    if evidence.lead < CLOSE:
        return f"{name} fits nearly as well"
    return f"{name} fits worse: its χ² is {np.exp(evidence.lead):.1f} times as high"
