"""What an entry is, for people: name, metals, linkers, space group and cell, and what is doubtful about it."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import gemmi
import numpy as np
from numpy.typing import NDArray

from search.frameworks.entry import EntryId
from search.frameworks.names import Common, Likely, bare_name, named_by_composition, named_by_refcode, refcode
from search.verdict.lookalikes import ALIKE, likeness
from xtal.crystals import Crystal, amounts_of, impossible_pairs

if TYPE_CHECKING:
    from indexer.storage import Index
    from xtal.crystals.parts import Parts as Apart
    from xtal.crystals.parts import Piece

REMEMBERED = 2**15  # entries, by their rows: some 0.3 kB each, and 4 to 30 ms to look at again
CARBON = 6
SINGLE = 1.28  # Å: no carbon with two neighbours farther than this is without a third one
MOST_LINKERS = 4  # kinds that are named
MOST_ATOMS = 3000  # in the primitive cell: beyond, taking it apart takes seconds


@dataclass(frozen=True)
class Parts:
    """What an entry consists of.

    Attributes:
        linkers: by name, else as SMILES, else by formula; the commonest first.
        doubts: what speaks against the entry itself, in words.
    """

    linkers: tuple[str, ...]
    doubts: tuple[str, ...]


@dataclass(frozen=True)
class Setting:
    """Space group (short Hermann-Mauguin symbol) and conventional cell: a, b, c in Å and α, β, γ in degrees."""

    space_group: str
    cell: tuple[float, ...]


@dataclass(frozen=True)
class Details:
    """All that is told of one entry."""

    entry: EntryId
    setting: Setting
    parts: Parts


class Describer:
    """Describes entries of one index, each once; safe to use from several threads."""

    def __init__(self, index: "Index") -> None:
        self._index = index
        self.parts = lru_cache(REMEMBERED)(lambda row: parts_of(index.crystal(row)))
        self.setting = lru_cache(REMEMBERED)(lambda row: setting_of(index.crystal(row)))
        self._named = lru_cache(REMEMBERED)(self._name)

    def rows_named(self, wanted: Collection[str]) -> NDArray[np.int64]:
        """Return the entries (R,) that bear one of some names, with or without the metals that these state."""
        return np.array([row for row in range(len(self._index)) if self._may_be(row, wanted)], np.int64)

    def _may_be(self, row: int, wanted: Collection[str]) -> bool:
        """Whether an entry bears one of some names; lines are compared for those only that may."""
        known, likely = self._candidates(row)
        allowed = [known.name] if known is not None else [one.name for one in likely]
        return any(_is_one(name, wanted) for name in allowed) and _is_one(self.name(row), wanted)

    def _candidates(self, row: int) -> tuple[Common | None, list[Likely]]:
        """Return the framework of an entry by its refcode, and else the names by its composition and volume."""
        entries = self._index.entries
        known = named_by_refcode(str(entries.ids[row]))
        if known is not None:
            return known, []
        formula, atoms, volume = entries.formulas[row], entries.n_atoms[row], entries.volume[row]
        return None, named_by_composition(str(formula), int(atoms), float(volume))

    def name(self, row: int) -> str:
        """Return the common name of an entry, "" where it has none."""
        return self._named(int(row))

    def name_of(self, entry: str) -> str:
        """Return the same by the entry's id; "" where the index holds none of that id."""
        row = self._index.entries.rows.get(entry)
        return "" if row is None else self.name(row)

    def _name(self, row: int) -> str:
        """Name an entry by its refcode, else by composition, volume and lines; see `names`.

        Its lines must be those of an entry whose refcode has the name. Where the index holds no such entry, the name
        must be the only one that the composition and volume allow.
        """
        known, likely = self._candidates(row)
        if known is not None:
            return known.name
        seen = [(one, rows) for one in likely if (rows := self._rows_of(one.framework.refcodes))]
        best = max(((self._likeness(row, rows), -one.off, one.name) for one, rows in seen), default=(0.0, 0.0, ""))
        if best[0] >= ALIKE:
            return best[2]
        unseen = [one.name for one in likely if not self._rows_of(one.framework.refcodes)]
        return unseen[0] if len({bare_name(name) for name in unseen}) == 1 and not seen else ""

    def _rows_of(self, families: Sequence[str]) -> list[int]:
        """Return the entries of some families of refcodes."""
        return [row for family in families for row in self._families.get(family, ())]

    @cached_property
    def _families(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for row, entry in enumerate(self._index.entries.ids):
            if code := refcode(str(entry))[:6]:
                found.setdefault(code, []).append(row)
        return found

    def _likeness(self, row: int, rows: Sequence[int]) -> float:
        """Return how alike the lines of an entry and the likest of others are; 2 where they are one structure."""
        group = self._index.entries.group
        if (group[rows] == group[row]).any():
            return 2.0
        return float(likeness(self._index, [row], rows).max())

    def room(self, row: int) -> float:
        """Return Å³ per metal atom of an entry, per atom where it has none."""
        entries = self._index.entries
        amounts = amounts_of(str(entries.formulas[row]))
        metals = sum(amounts[metal] for metal in metals_of(str(entries.formulas[row])))
        each = metals / sum(amounts.values()) if metals else 1.0
        return float(entries.volume[row] / (entries.n_atoms[row] * each))

    def alike(self, rows: Sequence[int]) -> NDArray[np.bool_]:
        """Return (B, B) which of some entries look alike, or are one structure."""
        group = self._index.entries.group[list(rows)]
        return (likeness(self._index, rows, rows) >= ALIKE) | (group[:, None] == group)

    def details(self, row: int) -> Details:
        """Return all that is told of an entry; a large one takes some tenths of a second."""
        return Details(EntryId.of(str(self._index.entries.ids[row])), self.setting(row), self.parts(row))


def _is_one(name: str, wanted: Collection[str]) -> bool:
    return name in wanted or bare_name(name) in wanted


def metals_of(formula: str) -> tuple[str, ...]:
    """Return the metals of a formula."""
    return tuple(symbol for symbol in amounts_of(formula) if gemmi.Element(symbol).is_metal)


def parts_of(crystal: Crystal) -> Parts:
    """Take a primitive cell apart, and look for what is wrong with it."""
    doubts = []
    if pairs := impossible_pairs(crystal):
        doubts.append(f"{pairs} pairs of its atoms overlap: a disorder listed in full")
    if count := int((crystal.occupancies < 1).sum()):
        doubts.append(f"{count} of its {len(crystal)} sites are partly occupied")
    if pairs or len(crystal) > MOST_ATOMS:
        return Parts((), tuple(doubts))
    apart = _cut(crystal)
    if bare := bare_carbons(apart):
        doubts.append(f"{bare} of its carbon atoms lack hydrogen")
    return Parts(_linkers(apart, whole=not bare), tuple(doubts))


def _cut(crystal: Crystal) -> "Apart":
    from xtal.crystals.parts import cut

    return cut(crystal)


def bare_carbons(apart: "Apart") -> int:
    """Return how many carbon atoms have two neighbours alone, at distances that leave room for a hydrogen."""
    bonds, numbers = apart.bonds, apart.crystal.numbers
    neighbours = np.bincount(bonds.first, minlength=len(numbers))
    nearest = np.full(len(numbers), np.inf)
    np.minimum.at(nearest, bonds.first, bonds.length)
    return int(((numbers == CARBON) & (neighbours == 2) & (nearest > SINGLE)).sum())


def linkers_of_atoms(crystal: Crystal) -> list[str]:
    """Return for each atom the linker that it is of, by name, else as SMILES or formula; "" for those of nodes."""
    words = [""] * len(crystal)
    if len(crystal) <= MOST_ATOMS and not impossible_pairs(crystal):
        apart = _cut(crystal)
        for piece, name in _named_linkers(apart, whole=not bare_carbons(apart)):
            for atom in piece.atoms.tolist():
                words[atom] = name
    return words


def _linkers(apart: "Apart", whole: bool) -> tuple[str, ...]:
    """Name the molecules with carbon that are bound to metals, the commonest first."""
    from collections import Counter

    found = Counter((piece.part.key, name) for piece, name in _named_linkers(apart, whole))
    return tuple(dict.fromkeys(name for (_, name), _ in found.most_common()))[:MOST_LINKERS]


def _named_linkers(apart: "Apart", whole: bool) -> "Iterator[tuple[Piece, str]]":
    """Yield the molecules with carbon that are bound to metals, with what they are called.

    Where hydrogens are missing, so that the crystal is not `whole`, their number tells nothing.
    """
    from generate.knowledge.survey import heavy_graph, lacks_hydrogen, named_graph
    from xtal.crystals.parts import smiles

    words = dict[str, str]()
    for piece in apart.pieces:
        part = piece.part
        if piece.endless or not (part.numbers == CARBON).any() or not part.donors.any():
            continue
        if part.key not in words:
            formula = part.key.partition("-")[0]
            named = named_graph(heavy_graph(part.numbers, part.bonds), formula)
            known = named is not None and not (whole and lacks_hydrogen(named, formula))
            words[part.key] = named.names[0] if named and known else smiles(part) or formula
        yield piece, words[part.key]


def setting_of(crystal: Crystal) -> Setting:
    """Return the space group and the conventional cell."""
    from xtal.crystals.conventional import conventional

    made = conventional(crystal)
    return Setting(made.group.hm.replace(" ", ""), tuple(round(float(value), 4) for value in made.cell))
