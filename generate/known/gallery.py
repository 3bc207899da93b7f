"""Known crystals that a generation may begin from, found by their fingerprints."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from indexer.storage import Index
from models.embedder import Embedder
from xtal.crystals import Crystal
from xtal.errors import UserError
from xtal.physics import LineTable, crystal_lines

EMBEDDED = 512  # crystals embedded at once


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

    def of_formula(self, formula: str) -> Self:
        """Return the known crystals of one reduced formula."""
        rows = np.flatnonzero(self.formulas == formula)
        return type(self)(
            self.ids[rows], self.vectors[rows], self.formulas[rows], lambda row: self.crystal(int(rows[row]))
        )

    def named(self, id_: str) -> Neighbour:
        """Return the crystal of this id; UserError when there is none."""
        found = np.flatnonzero(self.ids == id_)
        if not len(found):
            raise UserError(
                f"no crystal {id_!r} among the {len(self.ids)} known ones; choose auto, none or an id of theirs"
            )
        return Neighbour(id_, 1.0, self.crystal(int(found[0])))
