"""Searches whose truth is known: patterns of index entries, asked with the entry in the index and taken out of it."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from search.engine import Engine
from search.verdict.evidence import FEATURES, Evidence, features
from search.verdict.lookalikes import lookalikes
from xtal.patterns import Pattern
from xtal.patterns.treatments import TREATMENTS
from xtal.physics import SEVERITIES
from xtal.physics.simulate import simulate_all

ORDINARY = 1.0  # severity
CHUNK = 100  # patterns searched at a time: as often does the progress move
Progress = Callable[[str, int, int | None], None]


class Removed(IntEnum):
    """What a search was not allowed to find: nothing, the entry's group, or all that looks like it."""

    NOTHING = 0
    GROUP = 1
    LOOKALIKES = 2


@dataclass(frozen=True, eq=False)
class Trials:
    """T searches with their evidence and their truth.

    Attributes:
        severity: (T,) of the artefacts; NaN for measured patterns.
        processed: (T,) whether a program had its hands on the pattern, see `xtal.patterns.treatments`.
        removed: (T,) `Removed`.
        features: (T, F) see `search.verdict.evidence`; NaN where there was no evidence.
        right: (T,) the first hit is of the right group.
        alike: (T,) the first hit is of the right group or looks like it.
        second_half: (T,) of the formulas: one half measures what was fitted to the other.
    """

    severity: NDArray[np.float64]
    processed: NDArray[np.bool_]
    removed: NDArray[np.int64]
    features: NDArray[np.float64]
    right: NDArray[np.bool_]
    alike: NDArray[np.bool_]
    second_half: NDArray[np.bool_]

    def __len__(self) -> int:
        """Return the number of searches."""
        return len(self.severity)

    def take(self, chosen: NDArray) -> Self:
        """Return the chosen searches."""
        return type(self)(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})

    @classmethod
    def join(cls, parts: "Sequence[Trials]") -> Self:
        """Put searches one after the other."""
        return cls(**{f.name: np.concatenate([getattr(part, f.name) for part in parts]) for f in fields(cls)})


def simulated_trials(engine: Engine, rows: NDArray[np.int64], seed: int, progress: Progress) -> Trials:
    """Ask for patterns of the entries `rows` (B,) at every severity, with nothing, groups or look-alikes removed.

    Patterns of ordinary severity are asked for once more as programs export them, each by one of the treatments.
    """
    crystals = [engine.index.crystal(int(row)) for row in rows]
    alike = lookalikes(engine.index, rows)
    total = len(rows) * (len(SEVERITIES) + 1) * len(Removed)
    treatments = list(TREATMENTS.values())[1:]

    def searched(patterns: Sequence[Pattern], severity: float, processed: bool) -> Trials:
        """Ask for all patterns of one kind."""
        return ask(engine, patterns, rows, alike, severity, lambda n: progress("searching", n, total), processed)

    parts = [searched(simulate_all(crystals, level, seed + n), level, False) for n, level in enumerate(SEVERITIES)]
    ordinary = simulate_all(crystals, ORDINARY, seed + len(SEVERITIES))
    exported = [treatments[n % len(treatments)](pattern) for n, pattern in enumerate(ordinary)]
    return Trials.join([*parts, searched(exported, ORDINARY, True)])


def ask(
    engine: Engine,
    patterns: Sequence[Pattern],
    rows: NDArray[np.int64],
    alike: Sequence[NDArray[np.int64]],
    severity: float,
    done: Callable[[int], None] = lambda _: None,
    processed: bool = False,
) -> Trials:
    """Search for patterns (B,) of the entries `rows` (B,), with nothing, groups or what looks `alike` removed."""
    group = engine.index.entries.group
    nothing = [np.empty(0, np.int64)] * len(rows)
    left_out = {
        Removed.NOTHING: nothing,
        Removed.GROUP: [np.flatnonzero(group == group[row]) for row in rows],
        Removed.LOOKALIKES: alike,
    }
    half = np.array([second_half(engine.index.entries.formulas[row]) for row in rows])
    parts = []
    for removed, without in left_out.items():
        found = list(_first_hits(engine, patterns, without, done))
        first = np.array([row for row, _ in found])
        right = (first >= 0) & (group[first] == group[rows])
        looks = np.array([row in family for row, family in zip(first, alike, strict=True)])
        evidence = np.array([numbers for _, numbers in found])
        size = len(rows)
        kind = (np.full(size, severity), np.full(size, processed), np.full(size, removed))
        parts.append(Trials(*kind, evidence, right, looks, half))
    return Trials.join(parts)


def second_half(formula: str) -> bool:
    """Assign a reduced formula to one of two halves for good, whatever the seed."""
    return hashlib.sha256(f"verdict {formula}".encode()).digest()[0] % 2 == 1


def _first_hits(
    engine: Engine, patterns: Sequence[Pattern], without: Sequence[NDArray[np.int64]], done: Callable[[int], None]
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Yield the row of the first hit of each pattern, -1 without one, and the features (F,) of the evidence on it."""
    for start in range(0, len(patterns), CHUNK):
        part = slice(start, start + CHUNK)
        for answer in engine.query(patterns[part], k=1, without=without[part]):
            evidence = Evidence.of(answer, engine.index)
            numbers = np.full(len(FEATURES), np.nan) if evidence is None else features(evidence)
            yield (answer.hits[0].row if answer.hits else -1), numbers
            done(1)
