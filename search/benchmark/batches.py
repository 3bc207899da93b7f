"""Patterns that are asked for together: what a worker is given, and what one search is given here.

They are simulated where they are asked for. Batches are of one size wherever that is, for a fingerprint differs in its
last digits with the size of the batch that it is computed in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from search.engine import Engine
from xtal.patterns import Pattern
from xtal.physics.simulate import simulate_all

SIZE = 25  # patterns: some seconds of work


class Batch(Protocol):
    """Patterns."""

    def patterns(self, engine: Engine) -> Sequence[Pattern]:
        """Return them; an engine has the crystals that they are of."""

    def __len__(self) -> int:
        """Return their number."""


@dataclass(frozen=True, eq=False)
class Given:
    """Patterns that are there."""

    own: Sequence[Pattern]

    def patterns(self, _engine: Engine) -> Sequence[Pattern]:
        """Return them."""
        return self.own

    def __len__(self) -> int:
        """Return their number."""
        return len(self.own)


@dataclass(frozen=True, eq=False)
class Simulated:
    """Patterns of entries.

    Attributes:
        rows: (B,) of the entries.
        first: number of the first of them among all that are asked for; with the seed it decides what is random.
        severity: of the artefacts.
        seed: of these.
    """

    rows: NDArray[np.int64]
    first: int
    severity: float
    seed: int

    def patterns(self, engine: Engine) -> list[Pattern]:
        """Measure the entries."""
        crystals = [engine.index.crystal(int(row)) for row in self.rows]
        return simulate_all(crystals, self.severity, self.seed, first=self.first)

    def __len__(self) -> int:
        """Return their number."""
        return len(self.rows)


def parts(count: int) -> Iterator[slice]:
    """Cut so many into batches."""
    return (slice(first, first + SIZE) for first in range(0, count, SIZE))


def given(patterns: Sequence[Pattern]) -> Iterator[Given]:
    """Cut patterns into batches."""
    return (Given(patterns[part]) for part in parts(len(patterns)))


def simulated(rows: NDArray[np.int64], severity: float, seed: int) -> Iterator[Simulated]:
    """Cut patterns of entries (B,) into batches."""
    return (Simulated(rows[part], part.start, severity, seed) for part in parts(len(rows)))
