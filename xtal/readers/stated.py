"""The wavelength that the header of a text file states in words, as an energy, or by the anode of the tube."""

import re
from collections.abc import Iterable
from itertools import islice

from xtal.errors import UserError
from xtal.patterns import mean_wavelength, parse_wavelength
from xtal.patterns.pattern import LONGEST_WAVELENGTH, SHORTEST_WAVELENGTH
from xtal.patterns.wavelengths import ANODES, HC

LENGTHS = {"m": 1e10, "nm": 10.0, "pm": 0.01, "µm": 1e4, "um": 1e4, "mm": 1e7, "cm": 1e8}  # Å in one of each
ENERGIES = {"kev": 1.0, "ev": 1e-3, "mev": 1e3}  # keV in one of each
ANGSTROM = {"å", "a", "aa", "ang", "angs", "angstr", "angstrom", "angstroms", "angström", "ångström", "ångstrom"}
ANGSTROM |= {"ångströms", "angströms", "ångstroms"}
WORDS = {"and", "for", "from", "with", "at", "of", "the", "in", "is", "to", "on", "by", "as", "mono", "beam", "source"}
WORDS |= {"x", "ka", "kb", "k", "xrd", "cuka", "moka", "tube", "used", "or", "lab", "synchrotron", "radiation"}

NUMBER = r"(?:\d+[.,]\d+|\d+\.?|[.,]\d+)(?:e[+-]?\d+)?(?![\d.])(?:\s?\(\d+\))?(?:\s*(?:±|\+/?-)\s*[\d.,]+)?"
ELEMENT = "|".join(ANODES)
ALPHA = r"(?:alpha|α|a(?![a-z]))"
INDEX = r"[\s_]*(?:[12₁₂](?![\d.,a-z]))?"  # Kα1, lambda 2, but not 1.54
LINE = rf"(?:{ELEMENT})[\s_-]*(?:k[\s_-]*{ALPHA}?{INDEX})?(?![a-z\d])"
UNIT = r"[(\[]?\s*([a-zåµμ]+)(?![a-z\d_]|\s*[=:])\s*[)\]]?"
KEY = re.compile(
    rf"""(?: wave[\s_-]*lengths? | (?<![a-z])lambda | λ | (?<![a-z])wl(?=[12]?\s*[=:])
      | (?<![a-z])(?:labda)?(?:alpha|α)(?=[\s_]?[12₁₂])
      | (?<![a-z])(?:{ELEMENT})?[\s_-]?k[\s_-]?{ALPHA} ) {INDEX} (?![a-z₁₂])
    \s*(?:wave[\s_-]*length)? \s*[,/]?
    \s*(?: [(\[]\s*(?P<bracket>[^)\]]*)[)\]] | (?P<bare>å|nm|pm|kev)(?![a-z]) )?
    \s*(?:(?:is|of|was)\b)? [\s:=,;~]* ["']?
    (?:{LINE}\s*[:=,(]?\s*)?
    (?P<values>{NUMBER}.*)?""",
    re.IGNORECASE | re.VERBOSE,
)
ENERGY = re.compile(
    rf"(?:energy\b|(?<![a-z])e(?=\s*[=:(\[]))\s*(?:[(\[]\s*(?P<before>[km]?ev)\s*[)\]])?[^\d:=]{{0,20}}[:=\s]\s*"
    rf"(?P<value>{NUMBER})\s*(?P<unit>[km]?ev\b)?",
    re.IGNORECASE,
)
VALUE = re.compile(
    rf"[\s,;/|]*(?:and\s+|lambda\s*_?2\s*[:=]?\s*)?(?P<value>{NUMBER})\s*(?P<unit>{UNIT})?", re.IGNORECASE
)
ANODE = re.compile(
    rf"""(?:anode|target|tube|radiation|x-?rays?|wave[\s_-]*length|source)[\s_a-z]{{0,12}}[^a-z0-9]{{1,5}}
      (?P<element>{ELEMENT}|copper|molybdenum|cobalt|silver|chromium|iron)(?![a-z])
      (?P<line>[\s_-]*k[\s_-]*(?:alpha|α|a)[\s_-]*[1₁])?
    | (?<![a-z_])(?P<named>{ELEMENT})[\s_-]*k[\s_-]*(?:alpha|α|a)(?P<first>[\s_-]*[1₁])?(?![a-z0-9])
    | (?<![a-z])(?P<before>{ELEMENT}|copper|molybdenum|cobalt|silver|chromium)[\s-]+(?:anode|tube|target|radiation)""",
    re.IGNORECASE | re.VERBOSE,
)
ELEMENTS = {"copper": "Cu", "molybdenum": "Mo", "cobalt": "Co", "silver": "Ag", "chromium": "Cr", "iron": "Fe"}
BETA = re.compile(
    rf"(?:k[\s_-]?)?(?:beta|β)[\s_-]*(?:filter\w*|\d?\s*(?:wave-?length)?\s*[:=,;\s]\s*{NUMBER})", re.IGNORECASE
)
OTHER_ENERGY = re.compile(r"threshold|resolution|gap|window|cut-?off|discriminat|excitation|level", re.IGNORECASE)
DOUBLET = 0.03  # relative: Kα2 is longer than Kα1 by less, for tungsten too
MOST_LINES = 2000  # of a header: more are remarks between the rows
ALIKE = 0.005  # relative: Kα1 and Kα2 of one anode are closer (but for Mo and heavier), Kα and Kβ are not


def stated_wavelength(name: str, header: Iterable[str]) -> float | None:
    """Return the wavelength in Å that `header` lines state (``wavelength = 0.4127 Å``), or None where none does.

    A length wins over an energy, and that over the name of the anode. Where Kα1 and Kα2 are both stated, or an anode
    is, it is their weighted mean; Kβ is no answer. A value with a unit that is not understood leaves the question open.

    Raises:
        UserError: with the `name` of the file, when the header states wavelengths that contradict each other.
    """
    lines = [BETA.sub(" ", " ".join(line[:500].split())) for line in islice(header, MOST_LINES)]
    lines = [line for line in lines if not re.search(r"beta|β", line, re.IGNORECASE)]
    found = [value for line in lines for value in _lengths(line)]
    if None in found:
        return None
    usable = _usable(value for value in found if value is not None)
    usable = usable or _usable(value for line in lines for value in _energies(line))
    if not usable:
        return _of_anode(lines)
    return _one(name, usable)


def _one(name: str, usable: list[float]) -> float:
    """Return the wavelength that several stated ones mean, all in Å."""
    for first in usable:
        for second in usable:
            if first < second and (mean := mean_wavelength(first, second)) != first:
                return mean
    if max(usable) / min(usable) > 1 + ALIKE:
        stated = ", ".join(f"{value:g}" for value in usable)
        raise UserError(f"{name} states several wavelengths, {stated} Å", "several_wavelengths")
    return usable[0]


def _usable(values: Iterable[float]) -> list[float]:
    """Return the different values, in Å, that a diffractometer uses."""
    return [value for value in dict.fromkeys(values) if SHORTEST_WAVELENGTH <= value <= LONGEST_WAVELENGTH]


def _lengths(line: str) -> list[float | None]:
    """Return the wavelengths in Å that one line states; None for one in a unit that is not understood."""
    match = KEY.search(line)
    while match is not None and match["values"] is None:
        match = KEY.search(line, match.start() + 1)
    if match is None:
        return []
    before = (match["bracket"] or match["bare"] or "").strip().lower()
    found: list[float | None] = []
    place = match.start("values")
    while (value := VALUE.match(line, place)) is not None:
        after = (value.group(3) or "").lower()
        foreign = after in WORDS or after.capitalize() in ANODES or after.startswith(("lambda", "wave"))
        bracketed = (value["unit"] or "").startswith(("(", "["))
        long = len(after) > 4 and after not in ANGSTROM and not bracketed
        unit = before if not after or foreign or long else after
        length = _in_angstrom(_number(value["value"]), unit)
        if found and (length is None or found[0] is None or not found[0] < length < (1 + DOUBLET) * found[0]):
            break  # a number behind the wavelength that is no Kα2, such as a ratio
        found.append(length)
        place = value.end("value") if foreign or long else value.end()
    return found + _lengths(line[place:])


def _in_angstrom(number: float, unit: str) -> float | None:
    """Return a wavelength in Å, None where `unit` is no unit of one."""
    unit = unit.replace("μ", "µ")
    if unit in ENERGIES:
        return HC / (number * ENERGIES[unit]) if number > 0 else None
    if not unit or unit in ANGSTROM:
        return number
    return number * LENGTHS[unit] if unit in LENGTHS else None


def _energies(line: str) -> list[float]:
    """Return the wavelengths in Å that the photon energies of one line have: ``λ = hc / E``."""
    if OTHER_ENERGY.search(line):
        return []
    found = [(_number(match["value"]), match["unit"] or match["before"] or "") for match in ENERGY.finditer(line)]
    kev = [number * ENERGIES[unit.lower()] for number, unit in found if unit.lower() in ("kev", "ev")]
    return [HC / energy for energy in kev if energy > 0]


def _of_anode(lines: list[str]) -> float | None:
    """Return the wavelength in Å of the only anode that is named: Kα1 where that is said, else the mean of Kα."""
    found = set()
    for match in (match for line in lines for match in ANODE.finditer(line)):
        element = (match["element"] or match["named"] or match["before"]).lower()
        line = "1" if match["line"] or match["first"] else ""
        found.add(f"{ELEMENTS.get(element, element.capitalize())}Ka{line}")
    if len({name[:2] for name in found}) != 1:
        return None
    return parse_wavelength(min(found, key=len))


def _number(text: str) -> float:
    """Return the number that `text` begins with, with a decimal point or comma."""
    return float(re.match(r"[\d.,]+(?:e[+-]?\d+)?", text, re.IGNORECASE)[0].rstrip(",").replace(",", "."))  # type: ignore[index]
