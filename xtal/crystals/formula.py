"""Element lists and chemical formulas as people type them."""

import re
from collections.abc import Iterator

import gemmi
import numpy as np
from numpy.typing import NDArray

from xtal.crystals.crystal import HIGHEST_NUMBER, format_formula, reduced
from xtal.errors import UserError


def parse_elements(text: str) -> frozenset[str] | None:
    """Read element symbols separated by anything (``Zn, C H O`` or ``ZnCHO``); None when the text is blank."""
    if not text.strip():
        return None
    found = frozenset(symbol for word in re.findall(r"[A-Za-z]+", text) for symbol in _symbols(word))
    if not found:
        raise UserError(f"{text!r} holds no element symbol; write symbols such as Zn, C, H, O")
    return found


def parse_formula(text: str) -> str | None:
    """Read a formula without brackets (``Zn4 C24 H12 O13``), reduce it and bring it in Hill order; None for a blank."""
    amounts = amounts_of(text)
    return format_formula(reduced(amounts)) if amounts else None


def atoms_of_formula(text: str, units: int = 1) -> NDArray[np.int64]:
    """(N,) atomic numbers, ascending, of so many formula units, as they are written: ``ZnO`` and 2 give 8, 8, 30, 30.

    Raises:
        UserError: the text is no formula, is blank, or a count is no whole number.
    """
    amounts = amounts_of(text)
    counts = {symbol: units * amount for symbol, amount in amounts.items()}
    if not counts or any(abs(count - round(count)) > 1e-9 for count in counts.values()):
        raise UserError(f"{text!r} x {units} is no whole number of atoms; write the contents of one cell: Zn4C24H12O13")
    numbers = [gemmi.Element(symbol).atomic_number for symbol in counts]
    return np.sort(np.repeat(numbers, [round(count) for count in counts.values()])).astype(np.int64)


def amounts_of(text: str) -> dict[str, float]:
    """Read the atoms of a formula without brackets, by element in Hill order; none for a blank text."""
    plain = re.sub(r"[\s_{}]", "", text)
    if plain and not re.fullmatch(r"(?:[A-Z][a-z]?(?:\d+\.?\d*)?)+", plain):
        raise UserError(f"{text!r} is no formula; write symbols with counts and no brackets, for example Zn4C24H12O13")
    amounts: dict[str, float] = {}
    for symbol, count in re.findall(r"([A-Z][a-z]?)(\d+\.?\d*)?", plain):
        amounts[_symbol(symbol)] = amounts.get(symbol, 0.0) + float(count or 1)
    first = ("C", "H") if "C" in amounts else ()
    return {s: amounts[s] for s in sorted(amounts, key=lambda s: (s not in first, s))}


def _symbols(word: str) -> Iterator[str]:
    """Split a word at its capitals; a word without any is one symbol typed in lower case."""
    parts = re.findall(r"[A-Z][a-z]?", word)
    if "".join(parts) != word:
        parts = [word.capitalize()]
    return map(_symbol, parts)


def _symbol(text: str) -> str:
    """Return the symbol when an element with X-ray form factors has it; deuterium is hydrogen, as in `Crystal`."""
    element = gemmi.Element(text)
    if element.name != text or not 1 <= element.atomic_number <= HIGHEST_NUMBER:
        raise UserError(f"{text!r} is no element symbol; write symbols such as Zn, C, H, O")
    return str(gemmi.Element(element.atomic_number).name)
