"""A series of scans, as of a sample that is heated or reacts: how phases and cells change from scan to scan."""

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search.paper.profile import named

if TYPE_CHECKING:
    from search.engine import Engine
    from search.solution import Solution
    from xtal.patterns import Pattern

BREATH = 0.1  # ln of the volume, between two scans: what a flexible framework does is another phase
UNSTRAINED = np.zeros(9)
HEAD = (
    *("scan", "file", "verdict", "phase", "formula", "probability", "share", "volume"),
    *("a", "b", "c", "alpha", "beta", "gamma"),
)


@dataclass(frozen=True, eq=False)
class SeenPhase:
    """A phase in one scan.

    Attributes:
        id: of the entry that fits this scan best.
        name: common one with the id, or the id alone.
        formula: reduced.
        probability: that it is in the sample; calibrated.
        share: by weight, of the phases named; an estimate.
        cell: (6,) a, b, c in Å and α, β, γ in degrees of the conventional cell, as fitted by the search.
        volume: Å³, of the conventional cell.
        primitive: Å³, volume of the primitive cell: the same whatever setting an entry has.
    """

    id: str
    name: str
    formula: str
    probability: float
    share: float
    cell: NDArray[np.float64]
    volume: float
    primitive: float


@dataclass(frozen=True, eq=False)
class SeriesScan:
    """One scan: the `file` as it was named, its `pattern`, the word of its `verdict`, and its `phases`."""

    file: str
    pattern: "Pattern"
    verdict: str
    phases: tuple[SeenPhase, ...]


def scan_of(engine: "Engine", solution: "Solution", file: str) -> SeriesScan:
    """Return what an answer tells of a scan; after no match it has no phase."""
    from search.refinement.start import strained
    from search.verdict import WORDS

    answer, verdict = solution.answer, solution.verdict
    found = [(phase.hit, phase.probability, phase.share) for phase in verdict.phases]
    if verdict.kind == "match":
        found = [(answer.hits[0], verdict.probability, 1.0)]
    phases = []
    for hit, probability, share in found:
        crystal = engine.crystal(hit.id)
        structure = strained(crystal, np.array(hit.parameters or (0.0,) * 9))
        volume, bare = (float(abs(np.linalg.det(each.lattice))) for each in (structure, strained(crystal, UNSTRAINED)))
        primitive = crystal.volume * volume / bare
        phases.append(
            SeenPhase(hit.id, named(engine, hit), hit.formula, probability, share, structure.cell, volume, primitive)
        )
    return SeriesScan(file, answer.pattern, WORDS[verdict.kind], tuple(phases))


def in_order(scans: Sequence[SeriesScan]) -> list[SeriesScan]:
    """Return scans by the numbers in their names: scan2 before scan10."""
    return sorted(scans, key=lambda scan: natural(scan.file))


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Return a key that sorts names as people number them, capitals among small letters."""
    parts = re.split(r"(\d+)", name.casefold())
    return tuple((1, int(part), "") if part.isdecimal() else (0, 0, part) for part in parts)


def series_csv(scans: Sequence[SeriesScan]) -> str:
    """Return a row for each phase of each scan, numbered from 1; a scan without a phase has one row."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(HEAD)
    for number, scan in enumerate(in_order(scans), 1):
        start = [number, _harmless(scan.file), scan.verdict]
        rows = [
            [p.id, p.formula, f"{p.probability:.4f}", f"{p.share:.4f}", f"{p.volume:.2f}", *_cell(p)]
            for p in scan.phases
        ]
        table.writerows([*start, *row] for row in rows or [[""] * (len(HEAD) - len(start))])
    return text.getvalue()


def _cell(phase: SeenPhase) -> list[str]:
    return [f"{value:.4f}" for value in phase.cell[:3]] + [f"{value:.3f}" for value in phase.cell[3:]]


def _harmless(text: str) -> str:
    """Quote what a spreadsheet would run as a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


@dataclass(frozen=True, eq=False)
class Course:
    """One phase along a series of N scans.

    `share` (N,) is by weight, 0 where it is absent; `volume` (N,) is that of the primitive cell in Å³, or NaN.
    """

    name: str
    share: NDArray[np.float64]
    volume: NDArray[np.float64]


def courses(scans: Sequence[SeriesScan]) -> list[Course]:
    """Return every phase along the scans as they are given, that with the largest mean share first.

    Entries of one formula whose cells have nearly one volume are one phase: an index holds a framework several times,
    and another of its entries may fit the next scan better. It is called by the entry that fits most often.
    """
    followed: list[dict[int, SeenPhase]] = []
    for number, scan in enumerate(scans):
        for phase in scan.phases:
            same = (one for one in followed if number not in one and _alike(next(reversed(one.values())), phase))
            course = next(same, None)
            if course is None:
                followed.append({number: phase})
            else:
                course[number] = phase
    found = [_course(one, len(scans)) for one in followed]
    return sorted(found, key=lambda course: -course.share.mean())


def _alike(one: SeenPhase, other: SeenPhase) -> bool:
    return one.formula == other.formula and abs(np.log(one.primitive / other.primitive)) < BREATH


def _course(seen: dict[int, SeenPhase], count: int) -> Course:
    share, volume = np.zeros(count), np.full(count, np.nan)
    for number, phase in seen.items():
        share[number], volume[number] = phase.share, phase.primitive
    name, _ = Counter(phase.name for phase in seen.values()).most_common(1)[0]
    return Course(name, share, volume)


def labels(scans: Sequence[SeriesScan]) -> list[str]:
    """Return the names of the files without folder and suffix."""
    return [PurePath(scan.file).stem for scan in scans]
