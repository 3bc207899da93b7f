"""Lattices and space groups from a powder pattern alone; compiled on first use, so import it late."""

from pathlib import Path

from xtal.compiled import forget_older
from xtal.physics.indexing.cell import GroupGuess, IndexedCell, Indexing
from xtal.physics.indexing.groups import space_groups
from xtal.physics.indexing.index import index_pattern, indexing_of

__all__ = ["GroupGuess", "IndexedCell", "Indexing", "index_pattern", "indexing_of", "space_groups"]

forget_older(Path(__file__).parent, Path(__file__).parent / "resolving")
