"""Frameworks built from known ones, dressed and settled by the pattern: which group is where, and which linker how."""

from pathlib import Path

import generate.solving.cost
from generate.known.dressing.dresser import SETTLED, THOROUGH, THOROUGHLY, Attempt, Dresser
from generate.known.dressing.settle import bonded_as
from generate.known.dressing.undressed import Undressed, undressed
from xtal.compiled import forget_older

__all__ = ["SETTLED", "THOROUGH", "THOROUGHLY", "Attempt", "Dresser", "Undressed", "bonded_as", "undressed"]

forget_older(Path(__file__).parent, Path(generate.solving.cost.__file__).parent)
