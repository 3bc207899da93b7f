"""Known crystals that a generation may begin from, found by their fingerprints."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from gemmi import Element
from numpy.typing import NDArray

from indexer.storage import Index
from models.embedder import Embedder
from xtal.crystals import HIGHEST_NUMBER, Crystal
from xtal.crystals.linkers import METALS
from xtal.errors import UserError
from xtal.physics import LineTable, crystal_lines

EMBEDDED = 512  # crystals embedded at once
AMOUNT = re.compile(r"([A-Z][a-z]?)([0-9.]*)")


@dataclass(frozen=True)
class Neighbour:
    """A known crystal like the one that is looked for; `similarity` is the cosine of their fingerprints."""

    id: str
    similarity: float
    crystal: Crystal


@dataclass(frozen=True, eq=False)
class Gallery:
    """S known crystals by fingerprint.

    Attributes:
        ids: (S,) names.
        vectors: (S, D) unit vectors.
        formulas: (S,) reduced, in Hill order.
        crystal: returns the crystal of a row, in a primitive cell.
    """

    ids: NDArray[np.str_]
    vectors: NDArray[np.float32]
    formulas: NDArray[np.str_]
    crystal: Callable[[int], Crystal]

    @classmethod
    def of_index(cls, index: Index) -> Self:
        """Use the structures of an index."""
        formulas = index.entries.formulas.astype(np.str_)
        return cls(
            index.entries.ids.astype(np.str_), index.vectors.reconstruct_n(0, len(index)), formulas, index.crystal
        )

    @classmethod
    def of_crystals(cls, crystals: Sequence[Crystal], embedder: Embedder) -> Self:
        """Embed crystals, named by their names."""
        vectors = [np.empty((0, embedder.dimension), np.float32)]
        for first in range(0, len(crystals), EMBEDDED):
            some = crystals[first : first + EMBEDDED]
            vectors.append(embedder.embed_crystals(some, LineTable.stack([crystal_lines(c) for c in some])))
        names, formulas = np.array([(c.name, c.reduced_formula) for c in crystals]).reshape(-1, 2).T
        return cls(names, np.concatenate(vectors), formulas, crystals.__getitem__)

    def nearest(self, vector: NDArray[np.float32], count: int) -> list[Neighbour]:
        """Return the `count` crystals most like a pattern's fingerprint (D,), best first."""
        similarity = self.vectors @ vector
        rows = np.argsort(-similarity, kind="stable")[:count]
        return [Neighbour(str(self.ids[row]), float(similarity[row]), self.crystal(int(row))) for row in rows]

    def alike(self, numbers: NDArray[np.integer], count: int) -> list[Neighbour]:
        """Return the `count` crystals most like atoms (N,) in composition, best first; their `similarity` is 0.

        Amounts are compared per metal atom, all metals taken for one element; those of the same metals come first.
        """
        wanted = np.bincount(numbers, minlength=HIGHEST_NUMBER + 1).astype(np.float64)
        apart = np.abs(_per_metal(self._amounts) - _per_metal(wanted[None])).sum(axis=1)
        others = ((self._amounts[:, METALS] > 0) != (wanted[METALS] > 0)).any(axis=1)
        rows = np.lexsort((apart, others))[:count]
        return [Neighbour(str(self.ids[row]), 0.0, self.crystal(int(row))) for row in rows]

    @cached_property
    def _amounts(self) -> NDArray[np.float64]:
        """(S, 99) atoms of each element in the formulas."""
        amounts = np.zeros((len(self.formulas), HIGHEST_NUMBER + 1))
        for row, formula in zip(amounts, self.formulas.tolist(), strict=True):
            for symbol, count in AMOUNT.findall(formula):
                row[Element(symbol).atomic_number] = float(count or 1)
        return amounts

    @classmethod
    def joined(cls, galleries: Sequence[Self]) -> Self:
        """Put several galleries, of the same fingerprints, after each other."""
        ends = np.cumsum([0, *(len(gallery.ids) for gallery in galleries)])

        def crystal(row: int) -> Crystal:
            """Return the crystal of the gallery that holds the row."""
            which = int(np.searchsorted(ends, row, "right")) - 1
            return galleries[which].crystal(row - int(ends[which]))

        ids, vectors, formulas = (
            np.concatenate([getattr(g, name) for g in galleries]) for name in ("ids", "vectors", "formulas")
        )
        return cls(ids, vectors, formulas, crystal)

    def of_formula(self, formula: str) -> Self:
        """Return the known crystals of one reduced formula."""
        return self._of(np.flatnonzero(self.formulas == formula))

    def without(self, formula: str) -> Self:
        """Return the known crystals of all other reduced formulas."""
        return self._of(np.flatnonzero(self.formulas != formula))

    def _of(self, rows: NDArray[np.int64]) -> Self:
        return type(self)(
            self.ids[rows], self.vectors[rows], self.formulas[rows], lambda row: self.crystal(int(rows[row]))
        )

    def alone(self) -> Self:
        """Return the same with all crystals in memory, not in the files of an index."""
        crystals = [self.crystal(row) for row in range(len(self.ids))]
        return replace(self, crystal=crystals.__getitem__)

    def named(self, id_: str) -> Neighbour:
        """Return the crystal of this id; UserError when there is none."""
        found = np.flatnonzero(self.ids == id_)
        if not len(found):
            raise UserError(
                f"no crystal {id_!r} among the {len(self.ids)} known ones; choose auto, none or an id of theirs"
            )
        return Neighbour(id_, 1.0, self.crystal(int(found[0])))


def _per_metal(amounts: NDArray[np.float64]) -> NDArray[np.float64]:
    """(S, 99) amounts of other elements for one atom of metal; without metals as they are."""
    metal = amounts[:, METALS].sum(axis=1, keepdims=True)
    return np.where(METALS, 0, amounts) / np.where(metal > 0, metal, 1)
