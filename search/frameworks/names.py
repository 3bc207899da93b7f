"""The names by which chemists call frameworks, and how an entry may be recognised as one of them.

An entry has a name when its refcode belongs to the family of one. It may have one when it has the composition (without
hydrogen, which many entries lack) and the volume per formula unit: then its lines must agree too, for MIL-53(In) and
MFM-300(In) do in both (`search.frameworks.described`). With another metal it is named after both.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

import gemmi

from xtal.crystals import amounts_of
from xtal.shipped import whole

NAMES = Path(__file__).parent / "data" / "names.tsv"
REFCODE = re.compile(r"([A-Z]{6})(\d\d)?(?![A-Za-z0-9])")
SAME_VOLUME = 0.05  # of the volume per formula unit: temperature and what is in the pores change less
SAME_WITH_ANOTHER_METAL = 0.08
HYDROGEN = "H"
NEAREST = 4  # names proposed for one that is unknown


@dataclass(frozen=True)
class Common:
    """A framework that has a name.

    Attributes:
        name: the usual one.
        aliases: further ones.
        formula: of the bare framework, with brackets as chemists write it.
        volume: Å³ per such formula; None where the refcode alone tells.
        refcodes: families (six letters) in the Cambridge Structural Database.
        others: metals with which the same framework is known.
        source: DOI of a paper that calls it so, or that its structure is from.
    """

    name: str
    aliases: tuple[str, ...]
    formula: str
    volume: float | None
    refcodes: tuple[str, ...]
    others: tuple[str, ...]
    source: str

    @property
    def spellings(self) -> tuple[str, ...]:
        """Every name, as it is compared."""
        return tuple(map(plain, (self.name, *self.aliases)))


@cache
def table() -> tuple[Common, ...]:
    """Return every framework that has a name here."""
    text = whole(NAMES).read_text(encoding="utf-8")
    return tuple(
        Common(
            row["name"],
            tuple(filter(None, row["aliases"].split("|"))),
            row["formula"],
            float(row["volume"]) if row["volume"] else None,
            tuple(row["refcodes"].split()),
            tuple(row["others"].split()),
            row["source"],
        )
        for row in csv.DictReader(text.splitlines(), delimiter="\t")
    )


def refcode(entry: str) -> str:
    """Return the refcode that an entry's id begins with, with its two digits; "" where there is none."""
    found = REFCODE.match(entry)
    return found.group(0) if found else ""


@dataclass(frozen=True)
class Likely:
    """A name that an entry has by its composition and volume; `off` is by how much, 1 more with another metal."""

    off: float
    name: str
    framework: Common


def named_by_refcode(entry: str) -> Common | None:
    """Return the framework to whose family of refcodes an entry belongs; None where it belongs to none."""
    return _families().get(refcode(entry)[:6])


@cache
def _families() -> Mapping[str, Common]:
    return {code: one for one in table() for code in one.refcodes}


def common_name(entry: str, formula: str, n_atoms: int, volume: float | None) -> str:
    """Return the name of an entry of which nothing else is known, "" where it has none or may have several.

    Args:
        entry: its id.
        formula: reduced, Hill order.
        n_atoms: in the primitive cell.
        volume: Å³ of the primitive cell; None where it is not known.
    """
    framework = named_by_refcode(entry)
    if framework is not None:
        return framework.name
    likely = [] if volume is None else named_by_composition(formula, n_atoms, volume)
    return likely[0].name if len({bare_name(one.name) for one in likely}) == 1 else ""


def named_by_composition(formula: str, n_atoms: int, volume: float) -> list[Likely]:
    """Return the names that an entry has by its composition and volume, the nearest first; see `common_name`."""
    return sorted(_by_composition(formula, n_atoms, volume), key=lambda one: (one.off, one.name))


def _by_composition(formula: str, n_atoms: int, volume: float) -> Iterator[Likely]:
    """Yield each framework that has the composition and volume of an entry."""
    amounts = amounts_of(formula)
    metals, rest = _parted(amounts)
    total, cell = sum(metals.values()), n_atoms / sum(amounts.values())
    if not total or not rest:
        return
    each = volume / (cell * total)  # Å³ per metal atom
    for one in _by_elements().get(frozenset(rest), ()):
        own_metals, own_rest, own_total = _composition(one.formula)
        if one.volume is None or any(abs(rest[s] / total - own_rest[s] / own_total) > 1e-3 for s in rest):
            continue
        off = abs(each * own_total / one.volume - 1)
        same = all(abs(metals.get(s, 0) / total - n / own_total) < 1e-3 for s, n in own_metals.items())
        if same and off < SAME_VOLUME:
            yield Likely(off, one.name, one)
        elif not same and off < SAME_WITH_ANOTHER_METAL and metals.keys() <= {*own_metals, *one.others}:
            yield Likely(1 + off, f"{bare_name(one.name)} ({', '.join(metals)})", one)


@cache
def _by_elements() -> Mapping[frozenset[str], tuple[Common, ...]]:
    """Every framework, by its elements without metals and hydrogen."""
    found: dict[frozenset[str], tuple[Common, ...]] = {}
    for one in table():
        elements = frozenset(_composition(one.formula)[1])
        found[elements] = (*found.get(elements, ()), one)
    return found


@cache
def _composition(formula: str) -> tuple[dict[str, float], dict[str, float], float]:
    metals, rest = _parted(amounts_of(formula))
    return metals, rest, sum(metals.values())


def _parted(amounts: dict[str, float]) -> tuple[dict[str, float], dict[str, float]]:
    """Return the metals of a composition, and the rest without hydrogen."""
    metals = {s: n for s, n in amounts.items() if gemmi.Element(s).is_metal}
    return metals, {s: n for s, n in amounts.items() if s not in metals and s != HYDROGEN}


def bare_name(name: str) -> str:
    """Return a name without the metals that it states: ``UiO-66 (Hf)``, ``MIL-53(Al)`` or ``Co-MOF-74``."""
    return re.sub(r"\s*\([A-Z][a-z]?(, [A-Z][a-z]?)*\)$|^[A-Z][a-z]-(?=MOF-)", "", name)


def find_common(text: str) -> tuple[Common, ...]:
    """Return the frameworks of a name; case, blanks, hyphens and brackets do not count."""
    wanted = plain(text)
    return tuple(one for one in table() if wanted in one.spellings)


def nearest_names(text: str) -> tuple[str, ...]:
    """Return names that are spelled nearly alike."""
    known = {spelling: one.name for one in table() for spelling in one.spellings}
    return tuple(dict.fromkeys(known[near] for near in get_close_matches(plain(text), known, NEAREST)))


def plain(text: str) -> str:
    """Return a name as it is compared."""
    return re.sub(r"[\s\-‐–_()\[\],.]", "", text).casefold()
