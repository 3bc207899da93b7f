"""Frameworks built from known ones, dressed and settled by the pattern: which group is where, and which linker how."""

from generate.known.dressing.dresser import SETTLED, THOROUGH, THOROUGHLY, Attempt, Dresser
from generate.known.dressing.settle import bonded_as
from generate.known.dressing.undressed import Undressed, undressed

__all__ = ["SETTLED", "THOROUGH", "THOROUGHLY", "Attempt", "Dresser", "Undressed", "bonded_as", "undressed"]
