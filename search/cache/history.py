"""What was asked before: a list of the cached queries, and all of them as a file."""

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from generate.candidate import Candidate
from search.cache.key import Origin
from search.solution import Solution
from xtal.crystals import write_cif
from xtal.errors import UserError


@dataclass(frozen=True)
class HistoryEntry:
    """One cached query in a list.

    Attributes:
        key: that the cache files it under.
        created: when it was answered, UTC.
        source: file name of the pattern.
        label: what the user called it.
        index: name of the index searched.
        kind: ``match``, ``match_and_more``, ``other_state`` or ``miss``.
        probability: that the first hit is right.
        top_hit: name of what the verdict speaks of, its first phase or the first hit; None when there was none.
        candidates: how many crystals were generated.
        edited: whether a person edited the lines that it was searched with.
        filters: what restricted it or was known of the sample, in words; "" where nothing was.
    """

    key: str
    created: datetime
    source: str
    label: str
    index: str
    kind: str
    probability: float
    top_hit: str | None
    candidates: int
    edited: bool = False
    filters: str = ""

    @property
    def short_id(self) -> str:
        """First 8 digits of the key, enough to name it."""
        return self.key[:8]


@dataclass(frozen=True, eq=False)
class Record:
    """A cached solution with what the cache knows of it: when it was made (UTC), how, and by what."""

    solution: Solution
    created: datetime
    label: str
    settings: str
    origin: Origin


def as_utc(moment: datetime) -> datetime:
    """Return a moment as the cache writes it, UTC without a zone; one without a zone is taken as local time."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def write_records(records: Iterable[Record], path: Path) -> int:
    """Write records as JSON Lines, one query per line with its hits and candidates (CIF text); return how many.

    Raises:
        UserError: the file exists.
    """
    if path.exists():
        raise UserError(f"{path} exists and is left alone; choose another name or move it away")
    count = 0
    unfinished = path.with_name(f"{path.name}.part")
    with unfinished.open("w", encoding="utf-8") as file:
        for record in records:
            file.write(json.dumps(_as_data(record), ensure_ascii=False, allow_nan=False) + "\n")
            count += 1
    unfinished.rename(path)
    return count


def _as_data(record: Record) -> dict[str, Any]:
    """Return a record as JSON takes it."""
    solution, pattern, lines = record.solution, record.solution.answer.pattern, record.solution.answer.lines
    return _finite(
        {
            "key": solution.key,
            "created": record.created.isoformat(),
            "label": record.label,
            "settings": json.loads(record.settings),
            "origin": asdict(record.origin),
            "pattern": {
                "source": pattern.source,
                "wavelength": pattern.wavelength,
                "two_theta": pattern.two_theta.tolist(),
                "intensity": pattern.intensity.tolist(),
                "sigma": None if pattern.sigma is None else pattern.sigma.tolist(),
            },
            "lines": {"q": lines.q.tolist(), "intensity": lines.intensity.tolist(), "q_range": list(lines.q_range)},
            "verdict": asdict(solution.verdict),
            "hits": [asdict(hit) for hit in solution.answer.hits],
            "candidates": [_candidate(candidate) for candidate in solution.candidates],
            "notes": list(solution.notes),
            "seconds": solution.seconds,
            "timings": asdict(solution.answer.timings),
        }
    )


def _candidate(candidate: Candidate) -> dict[str, Any]:
    """Return a candidate as JSON takes it: its crystal as the text of a CIF."""
    data = {name: value for name, value in vars(candidate).items() if name != "crystal"}
    return {"name": candidate.crystal.name, **data, "cif": write_cif(candidate.crystal, ["generated, not verified"])}


def _finite(value: Any) -> Any:
    """Replace infinity and NaN, which JSON does not know, by null."""
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
