"""Element lists and chemical formulas as people type them."""

import re
from collections.abc import Iterator

import gemmi

from xtal.crystal import HIGHEST_NUMBER, format_formula, reduced
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
    plain = re.sub(r"[\s_{}]", "", text)
    if not plain:
        return None
    if not re.fullmatch(r"(?:[A-Z][a-z]?(?:\d+\.?\d*)?)+", plain):
        raise UserError(f"{text!r} is no formula; write symbols with counts and no brackets, for example Zn4C24H12O13")
    amounts: dict[str, float] = {}
    for symbol, count in re.findall(r"([A-Z][a-z]?)(\d+\.?\d*)?", plain):
        amounts[_symbol(symbol)] = amounts.get(symbol, 0.0) + float(count or 1)
    first = ("C", "H") if "C" in amounts else ()
    order = sorted(amounts, key=lambda s: (s not in first, s))
    return format_formula(reduced({s: amounts[s] for s in order}))


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
