"""A pattern with what is found in it before it is compared with anything."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from xtal.patterns.background import background
from xtal.patterns.linefinder import find_lines
from xtal.patterns.pattern import Lines, Pattern


@dataclass(frozen=True, eq=False)
class Sample:
    """A pattern, its background (M,) and its lines."""

    pattern: Pattern
    under: NDArray[np.float64]
    lines: Lines

    @classmethod
    def of(cls, pattern: Pattern) -> Self:
        """Find background and lines."""
        under = background(pattern)
        return cls(pattern, under, find_lines(pattern, under=under))
