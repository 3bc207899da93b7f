"""The rigid parts that frameworks consist of: metals, clusters, linkers, molecules and ions."""

from xtal.crystals.parts.cut import Parts, Piece, cut
from xtal.crystals.parts.identity import colours, graph_of, part_key
from xtal.crystals.parts.matching import Match, best_match, superpose
from xtal.crystals.parts.orbits import orbits
from xtal.crystals.parts.part import Part
from xtal.crystals.parts.shape import rotors, shape_symmetry
from xtal.crystals.parts.valence import Bonding, bonding, charge, smiles

__all__ = [
    "Bonding",
    "Match",
    "Part",
    "Parts",
    "Piece",
    "best_match",
    "bonding",
    "charge",
    "colours",
    "cut",
    "graph_of",
    "orbits",
    "part_key",
    "rotors",
    "shape_symmetry",
    "smiles",
    "superpose",
]
