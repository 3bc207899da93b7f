"""What every embedder offers: patterns and crystals as vectors in one space, in which 1 is the product of equals."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from xtal.crystals import Crystal
from xtal.patterns import Lines
from xtal.physics import LineTable


class Embedder(Protocol):
    """Maps patterns and crystals into one space in which a dot product measures likeness."""

    name: str
    """Short name on the command line, for example ``profile``."""
    model_id: str
    """SHA-256 (hex) of everything that decides the vectors: weights, settings, code version."""
    dimension: int
    """Length of a vector."""

    def embed_patterns(self, lines: Sequence[Lines]) -> NDArray[np.float32]:
        """Return (B, dimension) vectors of B measured patterns, given the lines found in each."""
        ...

    def embed_crystals(self, crystals: Sequence[Crystal], lines: LineTable) -> NDArray[np.float32]:
        """Return (S, dimension) vectors of S crystals with their computed lines."""
        ...
