"""Lattices and space groups from a powder pattern alone."""

from xtal.physics.indexing.cell import GroupGuess, IndexedCell

__all__ = ["GroupGuess", "IndexedCell"]
