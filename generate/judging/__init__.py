"""How likely generated crystals are right, by those whose truth is known."""

from generate.judging.chance import Chance, chances
from generate.judging.order import ordered

__all__ = ["Chance", "chances", "ordered"]
