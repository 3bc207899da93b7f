"""What type symbols and labels of atom sites mean: elements and, on mixed sites, their shares."""

import re

import gemmi
from gemmi import cif

from xtal.crystals.crystal import HIGHEST_NUMBER
from xtal.crystals.disorder import FULLEST
from xtal.errors import UserError

SYMBOLS = {gemmi.Element(z).name: z for z in range(1, HIGHEST_NUMBER + 1)} | {"D": 1}

LONGEST = 100  # characters; five species with charges and uncertain shares take 90
AMOUNT = r"[\d.]+(?:\(\d+\))?"  # a share and its uncertainty
PART = re.compile(rf"\s*[+,;&/]\s*(?=(?:{AMOUNT})?\s*[(\[]?[A-Z])")  # between species, not before a charge
RUN_ON = re.compile(r"(?:[A-Z][a-z]?[01]?\.\d+){2,}")  # Si0.75Al0.25
ONE_OF_RUN = re.compile(r"[A-Z][a-z]?[01]?\.\d+")
PORTION = re.compile(rf"{AMOUNT}\s*[(\[]?[A-Z]")
SHARED = re.compile(
    r"([\d.]*)(?:\(\d+\))?\s*[(\[]?([A-Z][^\s()\[\]:*]*?)[)\]]?(?:\s*[:*]?\s*([01]?\.\d+)(?:\(\d+\))?)?"
)
WATER = re.compile(r"(?i:wat(?:er)?)(?![a-z])|[HD](?:\d+O|O[HD])(?![a-z])")  # the oxygen of water, as minerals and H3O
VACANT = re.compile(r"Va|(?i:vac|vacancy|vacant)")
SEPARATOR = re.compile(r"[^A-Za-z0-9+*'\"]+")

Species = tuple[tuple[int, float], ...]  # atomic number and share of each element on a site; none for a vacancy


def species(word: str, typed: bool, present: frozenset[str]) -> Species:
    """Return the elements of a site and their shares.

    Args:
        word: a type symbol (``Zn2+``, ``Zn3f2``, ``H2O``, ``'0.75Si + 0.25Al'``) or a label (``Zn1A``, ``Mof_Zn1``).
        typed: whether it is a type symbol.
        present: the elements of the chemical formula, which decide where two may be meant.

    Raises:
        UserError: a word that names no element, or may name two.
    """
    text = cif.as_string(word).strip()
    if len(text) > LONGEST:
        raise UserError(f"{text[:LONGEST]} names no element")
    parts = _parts(text) if typed else [text]
    if len(parts) == 1 and not (typed and PORTION.match(text)):
        return () if VACANT.fullmatch(text) else ((_element(text, typed, present), 1.0),)
    found: dict[int, float] = {}
    for part in parts:
        share, symbol = _share(part, word)
        if not VACANT.fullmatch(symbol):
            number = _element(symbol, typed, present)
            found[number] = found.get(number, 0.0) + share
    total = sum(found.values())
    if total > FULLEST:
        raise UserError(f"the shares of {word} sum to {total:g}; they may sum to 1")
    return tuple((number, share / max(total, 1.0)) for number, share in found.items())


def _parts(text: str) -> list[str]:
    """Return the species of a type symbol: ``0.75Si`` and ``0.25Al`` of both ways to write them."""
    return ONE_OF_RUN.findall(text) if RUN_ON.fullmatch(text) else PART.split(text)


def _share(part: str, word: str) -> tuple[float, str]:
    """Return the share and the symbol of one species of a mixed site."""
    found = SHARED.fullmatch(part)
    try:
        return float((found and (found[1] or found[3])) or "none"), found[2] if found else ""
    except ValueError:
        raise UserError(f"{word} names several elements without a share for each, as in '0.75Si + 0.25Al'") from None


def _element(text: str, typed: bool, present: frozenset[str]) -> int:
    """Return the atomic number that one symbol or label means.

    ``CA1`` as a label may be carbon or calcium; the elements `present` in the chemical formula decide, or nothing does.
    Programs for adsorption put the framework's name in front: ``Mof_Zn1``.
    """
    first, *others = SEPARATOR.split(text) if text else [""]
    letters = _letters(first)
    if letters in SYMBOLS and not (typed and WATER.match(text)):
        if typed or len(letters) == 1 or not present or letters in present:
            return SYMBOLS[letters]
    elif named := next((SYMBOLS[found] for part in others if (found := _letters(part)) in SYMBOLS), 0):
        return named
    elif len(letters) > 2 and not WATER.match(text) and any(map(_letters, others)):
        return _element("_".join(others), typed, present)
    if WATER.match(text) and (typed or letters.lower() in ("wat", "water")):
        return SYMBOLS["O"]
    readings = [s for s in (letters[:2].capitalize(), letters[:1].capitalize()) if s in SYMBOLS and s]
    readings = list(dict.fromkeys(readings))
    if typed and re.fullmatch("[A-Z][a-z]{2,}", letters):
        readings = []  # a word, not a symbol
    if len(readings) == 2 and (not typed or letters not in SYMBOLS):
        known = [symbol for symbol in readings if symbol in present]
        if len(known) == 1:
            readings = known
        elif not typed and letters[1].isupper():
            raise UserError(f"label {text} may mean two elements; the file needs _atom_site_type_symbol")
    if not readings:
        raise UserError(f"{text} names no element from H to {gemmi.Element(HIGHEST_NUMBER).name}")
    return SYMBOLS[readings[0]]


def _letters(text: str) -> str:
    """Return the letters that a text begins with."""
    return re.match("[A-Za-z]*", text)[0]  # type: ignore[index]
