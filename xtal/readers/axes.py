"""What the name of a column means: an angle 2θ, q in any of its spellings, d, an intensity, or something else.

Angles and lengths that belong to 2θ are converted; the name of anything else is refused, because a wrong x axis looks
exactly like a real scan.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from xtal.readers.techniques import technique

Column = NDArray[np.floating]

ACCEPTED = "accepted are 2theta (degrees or rad), q (1/Å or 1/nm), d (Å or nm), 1/d, d*^2 and sin(theta)/lambda"


class Kind(Enum):
    """What the x column holds once it is converted."""

    TWO_THETA = "2θ"
    Q = "q"
    OTHER = "another quantity"
    SILENT = "nothing"


@dataclass(frozen=True)
class Axis:
    """The meaning of a column's name.

    Attributes:
        kind: what `convert` gives: degrees 2θ or q in Å⁻¹; a name may also mean another quantity, or nothing.
        convert: from the column's unit to that of `kind`.
        what: the other quantity, in words; "" where the name is not understood.
    """

    kind: Kind
    convert: Callable[[Column], Column] = np.asarray
    what: str = ""


TO_PLAIN = str.maketrans(
    {"θ": "theta", "λ": "lambda", "ω": "omega", "χ": "chi", "φ": "phi", "\N{MINUS SIGN}": "-", "–": "-", "’": "'"}
)
INVERSE = r"\s*(?:\^|\*\*)?\s*[({]?\s*-\s*1\s*[)}]?"  # of a unit: nm^-1, nm-1, nm**-1, nm^(-1)
LENGTH = r"(?:å|a|ang(?:s|str|strom|stroms|strøm)?\.?|ångstr[öo]m|aa|nm|nanomet(?:er|re)s?|pm|m)"
UNIT_ONLY = re.compile(
    rf"[(\[]?\s*(?:{LENGTH}{INVERSE}|1\s*/\s*{LENGTH}|(?:inverse|reciprocal|per)\s+{LENGTH})\s*[)\]]?"
)
BRACKETS = re.compile(r"[(\[]\s*([^()\[\]]*(?:\([^()]*\))?[^()\[\]]*)\s*[)\]]\s*$")
NM = re.compile(r"(?<![a-z])(?:nm|nanomet)")
PM = re.compile(r"(?<![a-z])(?:pm|picomet)")
METRE = re.compile(rf"(?<![a-z])m{INVERSE}|1\s*/\s*m(?![a-z])|per\s+met")
ANGSTROM = re.compile(r"å|(?<![a-z])a(?![a-z])|ang")

RADIANS = re.compile(r"(?<![a-z])(m)?rad(?:ians?)?(?![a-z])")
TWO_THETA = re.compile(
    r"(?:2|two|double)[\s_*·.<>-]*(?:th(?![a-z])|theta|tht)|(?<![a-z])t(?:wo)?[\s_-]?th(?:eta|et)?(?![a-z])"
    r"|(?<![a-z])2t(?![a-z0-9])"
)
ANGLE = re.compile(
    r"(?:scattering |diffraction )?angles?(?![a-z])|(?:beugungs)?winkel|[aáâ]ng[uo]lo|pos(?:\.|ition)?(?![a-z])|deg"
    r"|[\[(]?°|角度|衍射角|回折角|2シータ|угол"
)
Q_NAME = re.compile(
    r"\|?q\|?(?![a-z])|\|?q[\s_]*(?:vec|tot|val|abs|mag|mod|axis|range|bin)|.*[\s_.:(|]q(?:vec|tot)?(?![a-z])"
    r"|(?:scattering|wave)[\s_]*vector|momentum[\s_]*transfer|(?:modulus|magnitude|absolute value) of (?:q|the scat)"
)
PROJECTED = re.compile(r"q[\s_]*(?:[xyz]|perp|par|in|out|oop|ip)(?![a-z])")
SQUARED = re.compile(r"q\s*(?:\^|\*\*)?\s*2(?![\d.])")
D_NAME = re.compile(r"d(?![a-z*])|d[\s_-]*(?:spac|val|hkl)|interplanar|lattice spacing|(?:plane|layer) (?:spac|dist)")
D_STAR = re.compile(r"1\s*/\s*d(?![a-z])|d\s*\*|d\^?\(?-1|(?:inverse|reciprocal) d|recip\w*[\s_]*d")
D_STAR_SQUARED = re.compile(r"d\s*\*+\s*\^?\s*2|1\s*/\s*d\s*(?:\^|\*\*)?\s*2|\(1/d\)\s*\^?2|d\^?-2")
SIN_OVER_LAMBDA = re.compile(r"(2)?\s*sin\s*\(?\s*(?:theta|th)\s*\)?\s*/\s*(?:lambda|wavelength|wl)")
FUNCTION = re.compile(r"(?:log\d*|ln|lg|sqrt|sin|cos|tan|exp)(?![a-z])")
SILENT = re.compile(r"(?:x|col(?:umn)?|c|field|var|unnamed:?)?[\s_-]*(?:axis|values?|data|coordinates?)?[\s_-]*\d*")


def plain(label: str) -> str:
    """Return `label` in lower case, with Greek letters spelt out and typesetting taken away."""
    text = label.replace("$", "").replace(r"\AA", "Å").replace("{", "").replace("}", "").replace("\\", "")
    text = unicodedata.normalize("NFKC", text).lower().translate(TO_PLAIN)
    return " ".join(text.strip(" \"'<>:#").split())


def meaning(label: str) -> Axis:
    """Return what a column called `label` holds, as an x axis."""
    text = plain(label)
    if (found := SIN_OVER_LAMBDA.match(text)) is not None:
        return _q((2 if found[1] else 4) * np.pi, text)
    if FUNCTION.match(text):
        return Axis(Kind.OTHER, what="a function of an axis")
    if TWO_THETA.search(text):
        return _angle(text)
    if D_STAR_SQUARED.match(text):
        return Axis(Kind.Q, lambda x: 2 * np.pi * np.sqrt(np.abs(x)) * _per_length(text))
    if D_STAR.match(text):
        return _q(2 * np.pi, text)
    if D_NAME.match(text):
        return Axis(Kind.Q, lambda x: _two_pi_over(x) / _length(text))
    if PROJECTED.match(text):
        return Axis(Kind.OTHER, what="a component of q")
    if Q_NAME.match(text):
        return _named_q(text)
    if UNIT_ONLY.fullmatch(text):
        return _q(1.0, text)
    if (what := technique(text)) is not None:
        return Axis(Kind.OTHER, what=what)
    if ANGLE.match(text):
        return _angle(text)
    return Axis(Kind.SILENT) if SILENT.fullmatch(text) else Axis(Kind.OTHER)


def _angle(text: str) -> Axis:
    """Return the axis of an angle: degrees unless its name says radians."""
    found = RADIANS.search(text)
    if found is None:
        return Axis(Kind.TWO_THETA)
    scale = 1e-3 if found[1] else 1.0
    return Axis(Kind.TWO_THETA, lambda x: np.degrees(x * scale))


def _named_q(text: str) -> Axis:
    """Return the axis of q; one whose unit is unknown, or that may be another convention, is not understood."""
    unit = BRACKETS.search(text)
    known = (
        unit is None or NM.search(unit[1]) or PM.search(unit[1]) or METRE.search(unit[1]) or ANGSTROM.search(unit[1])
    )
    if not known or re.search(r"vector[\s_]+s(?![a-z])", text):
        return Axis(Kind.OTHER)
    if SQUARED.match(text):
        return Axis(Kind.Q, lambda x: np.sqrt(np.abs(x)) * _per_length(text))
    return _q(1.0, text)


def _q(factor: float, text: str) -> Axis:
    """Return the axis on which ``q = factor x``, in the unit that `text` names."""
    return Axis(Kind.Q, lambda x: x * factor * _per_length(text))


def _per_length(text: str) -> float:
    """Å⁻¹ in one of the inverse lengths that `text` names; Å⁻¹ where it names none."""
    return 0.1 if NM.search(text) else 100.0 if PM.search(text) else 1e-10 if METRE.search(text) else 1.0


def _length(text: str) -> float:
    """Å in one of the lengths that `text` names; Å where it names none."""
    return 10.0 if NM.search(text) else 0.01 if PM.search(text) else 1.0


def _two_pi_over(x: Column) -> Column:
    """``q = 2π / d``; infinite for d = 0, which is refused later by name."""
    with np.errstate(divide="ignore"):
        return 2 * np.pi / x
