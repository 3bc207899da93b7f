"""What a benchmark searches: which entries, seen by which embedder, and which of them it asks for."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property

import gemmi
import numpy as np
from numpy.typing import NDArray

import models
from indexer.crew import Crew, Elsewhere, hired
from indexer.storage import Entries, Index
from indexer.storage.contents import flat_index
from models.cpcp.training.dataset import split_of
from models.embedder import Embedder
from search.cluster import CODE, Ground
from search.engine import Engine
from xtal.crystals import Crystal
from xtal.physics import LineTable

ATOM_BINS = (100, 200, 400)  # the paper's sets end at 100 and 400 atoms per cell
BLOCK = 1000  # crystals embedded at a time
FEWEST = 20  # queries below which the rate of a subset says nothing


@dataclass(frozen=True)
class Chosen:
    """The recipe of an engine that searches some entries of an index, as an embedder sees them.

    Attributes:
        ground: the index.
        only_held_out, most_atoms: see `restricted`.
        embedder: by name; None for the index's own.
    """

    ground: Ground
    only_held_out: bool = False
    most_atoms: int | None = None
    embedder: str | None = None

    def made(self) -> Engine:
        """Return the engine, made once in this process."""
        return self._engine

    @cached_property
    def _engine(self) -> Engine:
        engine = restricted(self.ground.made(), self.only_held_out, self.most_atoms)
        return engine if self.embedder is None else with_embedder(engine, models.load(self.embedder))


@contextmanager
def searchers(
    index: str, where: Elsewhere | None, engine: Engine, only_held_out: bool = False, most_atoms: int | None = None
) -> Iterator[Crew[Engine]]:
    """Offer a crew that searches some entries of an index by name, which `engine` was made of here."""

    def recipe() -> Chosen:
        """Say how the workers make it."""
        return Chosen(Ground.here(index), only_held_out, most_atoms, engine.embedder.name)

    with hired(where, engine, recipe, CODE) as crew:
        yield crew


def held_out(index: Index) -> NDArray[np.int64]:
    """Return the rows whose formulas no model was trained on."""
    return np.array([row for row, f in enumerate(index.entries.formulas) if split_of(f) == "test"], dtype=np.int64)


def with_embedder(engine: Engine, embedder: Embedder) -> Engine:
    """Return an engine that searches the same entries as another embedder sees them; nothing is written."""
    if embedder.model_id == engine.embedder.model_id:
        return engine
    index = engine.index
    vectors = np.concatenate([embedder.embed_crystals(*_block(index, first)) for first in range(0, len(index), BLOCK)])
    contents = replace(index.contents, vectors=flat_index(vectors))
    return Engine(Index(index.manifest, contents), embedder)


def subsets(entries: Entries, rows: NDArray[np.int64], by: str) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield the name and (B,) members of each subset of the queried `rows` (B,): ``atoms`` or ``metal``."""
    found = _by_atoms(entries.n_atoms[rows]) if by == "atoms" else _by_metal(entries.elements[rows])
    return ((name, members) for name, members in found if members.sum() >= FEWEST)


def restricted(engine: Engine, only_held_out: bool, most_atoms: int | None) -> Engine:
    """Return an engine that searches only some entries, as the paper searches only its test split.

    Args:
        engine: searches them all.
        only_held_out: search only entries whose formulas no model was trained on.
        most_atoms: search only entries with at most so many atoms in the primitive cell.
    """
    index = engine.index
    rows = held_out(index) if only_held_out else np.arange(len(index))
    if most_atoms is not None:
        rows = rows[index.entries.n_atoms[rows] <= most_atoms]
    return engine if len(rows) == len(index) else Engine(index.take(rows), engine.embedder)


def _by_atoms(n_atoms: NDArray) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield the bins of atoms per primitive cell."""
    for low, high in zip((0, *ATOM_BINS), (*ATOM_BINS, np.inf), strict=True):
        name = f"{low + 1} to {high} atoms" if np.isfinite(high) else f"more than {low} atoms"
        yield name, (n_atoms > low) & (n_atoms <= high)


def _by_metal(elements: NDArray[np.bool_]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield the metals, the commonest first; a crystal of two metals counts for both."""
    metals = [z for z in range(1, elements.shape[1]) if gemmi.Element(z).is_metal]
    for number in sorted(metals, key=lambda z: -int(elements[:, z].sum())):
        yield gemmi.Element(number).name, elements[:, number]


def _block(index: Index, first: int) -> tuple[list[Crystal], LineTable]:
    """Return the next `BLOCK` crystals of an index and their lines."""
    rows = np.arange(first, min(first + BLOCK, len(index)))
    return [index.crystal(int(row)) for row in rows], index.lines.take(rows)
