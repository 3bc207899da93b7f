"""The rigid parts that frameworks consist of: metals, clusters, linkers, molecules and ions."""

from xtal.crystals.parts.cut import Parts, Piece, cut
from xtal.crystals.parts.identity import colours, graph_of, part_key
from xtal.crystals.parts.part import Part

__all__ = ["Part", "Parts", "Piece", "colours", "cut", "graph_of", "part_key"]
