"""Searches whose truth is known: patterns of index entries, asked with the entry in the index and taken out of it."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

from indexer.crew import Crew
from search.benchmark.batches import Simulated, simulated
from search.engine import Engine
from search.verdict.evidence import FEATURES, Evidence, features
from search.verdict.lookalikes import lookalikes
from xtal.patterns import Pattern
from xtal.patterns.treatments import TREATMENTS
from xtal.physics import SEVERITIES

ORDINARY = 1.0  # severity
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


@dataclass(frozen=True, eq=False)
class Sitting:
    """Patterns that are asked for together.

    Attributes:
        batch: of the patterns.
        alike: for each the rows that look like its entry.
        processed: whether programs had their hands on them: each is treated in one of the ways that there are.
    """

    batch: Simulated
    alike: list[NDArray[np.int64]]
    processed: bool


def simulated_trials(crew: Crew[Engine], rows: NDArray[np.int64], seed: int, progress: Progress) -> Trials:
    """Ask for patterns of the entries `rows` (B,) at every severity, with nothing, groups or look-alikes removed.

    Patterns of ordinary severity are asked for once more as programs export them, each by one of the treatments.
    """
    alike = lookalikes(crew.base.index, rows)
    kinds = [(level, seed + n, False) for n, level in enumerate(SEVERITIES)]
    sittings = [
        Sitting(batch, alike[batch.first : batch.first + len(batch)], processed)
        for level, own, processed in [*kinds, (ORDINARY, seed + len(SEVERITIES), True)]
        for batch in simulated(rows, level, own)
    ]
    total = sum(len(sitting.batch) for sitting in sittings) * len(Removed)
    found = []
    for trials in crew.map(ask, sittings):
        found.append(trials)
        progress("searching", len(trials), total)
    return Trials.join(found)


def ask(engine: Engine, sitting: Sitting) -> Trials:
    """Search for the patterns of a sitting with nothing, groups or what looks alike removed."""
    rows, alike, entries = sitting.batch.rows, sitting.alike, engine.index.entries
    patterns = sitting.batch.patterns(engine)
    if sitting.processed:
        patterns = [_treated(pattern, sitting.batch.first + n) for n, pattern in enumerate(patterns)]
    group = entries.group
    left_out = {
        Removed.NOTHING: [np.empty(0, np.int64)] * len(rows),
        Removed.GROUP: [np.flatnonzero(group == group[row]) for row in rows],
        Removed.LOOKALIKES: alike,
    }
    half = np.array([second_half(entries.formulas[row]) for row in rows])
    parts = []
    for removed, without in left_out.items():
        found = list(_first_hits(engine, patterns, without))
        first = np.array([row for row, _ in found])
        right = (first >= 0) & (group[first] == group[rows])
        looks = np.array([row in family for row, family in zip(first, alike, strict=True)])
        evidence = np.array([numbers for _, numbers in found])
        severity, processed = np.full(len(rows), sitting.batch.severity), np.full(len(rows), sitting.processed)
        parts.append(Trials(severity, processed, np.full(len(rows), removed), evidence, right, looks, half))
    return Trials.join(parts)


def second_half(formula: str) -> bool:
    """Assign a reduced formula to one of two halves for good, whatever the seed."""
    return hashlib.sha256(f"verdict {formula}".encode()).digest()[0] % 2 == 1


def _treated(pattern: Pattern, number: int) -> Pattern:
    """Return the pattern with this number among all as one of the programs exports it."""
    treatments = list(TREATMENTS.values())[1:]
    return treatments[number % len(treatments)](pattern)


def _first_hits(
    engine: Engine, patterns: Sequence[Pattern], without: Sequence[NDArray[np.int64]]
) -> Iterator[tuple[int, NDArray[np.float64]]]:
    """Yield the row of the first hit of each pattern, -1 without one, and the features (F,) of the evidence on it."""
    for answer in engine.query(patterns, k=1, without=without):
        evidence = Evidence.of(answer, engine.index)
        numbers = np.full(len(FEATURES), np.nan) if evidence is None else features(evidence)
        yield (answer.hits[0].row if answer.hits else -1), numbers
