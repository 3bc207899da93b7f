"""Element lists and chemical formulas as people type them."""

import re
from bisect import bisect_left
from collections.abc import Iterator

import gemmi
import numpy as np
from numpy.typing import NDArray

from xtal.crystals.crystal import HIGHEST_NUMBER, format_formula, reduced
from xtal.errors import UserError

TOKEN = re.compile(r"(?:([A-Z][a-z]?)|([()]))(\d+\.?\d*)?")  # symbol or bracket, and how often
GASES = (0, 2, 10, 18, 36, 54, 86, 118)  # atomic numbers: each closes a period
HYDROGEN = (15.5, 0)  # where it stands among groups and periods: after nitrogen, before oxygen
LINKER_NAME = re.compile(r"DC(?![a-z])")  # BDC or NDC: names of linkers, which would read as boron and deuterium


def parse_elements(text: str) -> frozenset[str] | None:
    """Read element symbols separated by anything (``Zn, C H O`` or ``ZnCHO``); None when the text is blank."""
    if not text.strip():
        return None
    found = frozenset(symbol for word in re.findall(r"[A-Za-z]+", text) for symbol in _symbols(word))
    if not found:
        raise UserError(f"{text!r} holds no element symbol; write symbols such as Zn, C, H, O")
    return found


def parse_formula(text: str) -> str | None:
    """Read a formula (``Zn4O(C8H4O4)3``), reduce it and bring it in Hill order; None for a blank."""
    amounts = amounts_of(text)
    return format_formula(reduced(amounts)) if amounts else None


def units_of(text: str) -> int:
    """Return how many reduced formulas one is as it is written: 12 for ``C12H24O12``, 1 for a blank."""
    amounts = amounts_of(text)
    return round(sum(amounts.values()) / sum(reduced(amounts).values())) if amounts else 1


def as_written(formula: str) -> str:
    """Return a formula as chemists write it: ``CaCO3`` and not ``CCaO3``.

    With carbon and hydrogen in Hill order; without, along the groups of the periodic table, from the bottom of each
    (Nomenclature of Inorganic Chemistry, IUPAC 2005, table VI).
    """
    amounts = amounts_of(formula)
    if {"C", "H"} <= amounts.keys():
        return format_formula(amounts)
    return format_formula({symbol: amounts[symbol] for symbol in sorted(amounts, key=_group)})


def _group(symbol: str) -> tuple[float, int]:
    """Return where an element stands: its group, and its period from below."""
    number = gemmi.Element(symbol).atomic_number
    if number == 1:
        return HYDROGEN
    period = bisect_left(GASES, number)
    step, left = number - GASES[period - 1], GASES[period] - number
    return float(step if step <= 2 else max(18 - left, 3)), -period


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
    """Read the atoms of a formula, with or without brackets, by element in Hill order; none for a blank text.

    ``Zr6O4(OH)4(C8H4O4)6`` and ``[Cu3(C9H3O6)2]`` are formulas; ``UiO-66``, ``(Zn`` and ``Zn4O(BDC)3`` are none.
    """
    plain = re.sub(r"[\s_{}]", "", text).replace("[", "(").replace("]", ")")
    if LINKER_NAME.search(plain) or TOKEN.sub("", plain) or "()" in plain:
        raise _no_formula(text)
    groups: list[dict[str, float]] = [{}]  # the whole, then each bracket that is open
    for symbol, bracket, count in TOKEN.findall(plain):
        if bracket == "(" and not count:
            groups.append({})
            continue
        if bracket == "(" or (bracket and len(groups) < 2):
            raise _no_formula(text)
        inner = groups.pop() if bracket else {_symbol(symbol): 1.0}
        for element, amount in inner.items():
            groups[-1][element] = groups[-1].get(element, 0.0) + amount * float(count or 1)
    if len(groups) > 1:
        raise _no_formula(text)
    first = ("C", "H") if "C" in groups[0] else ()
    return {s: groups[0][s] for s in sorted(groups[0], key=lambda s: (s not in first, s))}


def _no_formula(text: str) -> UserError:
    return UserError(f"{text!r} is no formula; write symbols with counts, for example Zn4C24H12O13 or Zn4O(C8H4O4)3")


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
