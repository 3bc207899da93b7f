"""The wavelength that the header of a text file states in words."""

import re
from collections.abc import Iterable

from xtal.errors import UserError
from xtal.patterns import mean_wavelength
from xtal.patterns.pattern import LONGEST_WAVELENGTH, SHORTEST_WAVELENGTH

UNITS = {"m": 1e10, "nm": 10.0, "pm": 0.01}  # Å in one of each; anything else, and nothing, means Å
UNIT = r"(?:Å|angstroms?|a|nm|pm|m)"
STATED = re.compile(
    rf"(?:wave\s*-?length|lambda|λ)\s*(?:[12])?\s*[(\[]?\s*(?P<before>{UNIT})?\s*[)\]]?\s*(?:is\b)?\s*[:=,;\s]\s*"
    rf"[\"']?(?P<value>\d*\.?\d+(?:e[+-]?\d+)?)(?:\(\d+\))?\s*(?P<after>{UNIT}\b)?",
    re.IGNORECASE,
)
ALIKE = 0.005  # relative: Kα1 and Kα2 of one anode are closer (but for Mo and heavier), Kα and Kβ are not


def stated_wavelength(name: str, header: Iterable[str]) -> float | None:
    """Return the wavelength in Å that `header` lines state (``wavelength = 0.4127 Å``), or None where none does.

    Where Kα1 and Kα2 are both stated it is their weighted mean; Kβ is no answer.

    Raises:
        UserError: with the `name` of the file, when the header states wavelengths that contradict each other.
    """
    found = [value for line in header if not re.search(r"beta|β", line, re.IGNORECASE) for value in _values(line)]
    usable = [value for value in dict.fromkeys(found) if SHORTEST_WAVELENGTH <= value <= LONGEST_WAVELENGTH]
    if not usable:
        return None
    if len(usable) == 2 and (mean := mean_wavelength(*sorted(usable))) != min(usable):
        return mean
    if max(usable) / min(usable) > 1 + ALIKE:
        raise UserError(
            f"{name} states several wavelengths, {', '.join(f'{value:g}' for value in usable)} Å; "
            "say which one: --wavelength"
        )
    return usable[0]


def _values(line: str) -> list[float]:
    """Return the wavelengths in Å that one line states; its start is enough, and keeps the search quick."""
    return [
        float(match["value"]) * UNITS.get((match["after"] or match["before"] or "").lower(), 1.0)
        for match in STATED.finditer(" ".join(line[:500].split()))
    ]
