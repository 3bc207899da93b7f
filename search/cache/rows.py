"""Solutions as rows of tables: dataclasses whose fields are columns, arrays as compressed bytes."""

import json
import zlib
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from generate.candidate import Candidate
from search.answer import Answer, Hit, Phase, Timings
from search.cache.key import Origin
from search.solution import Solution
from search.verdict import Verdict
from xtal.crystals import Crystal, CrystalTable
from xtal.crystals.packed import from_bytes
from xtal.patterns import Lines, Pattern

if TYPE_CHECKING:
    from search.verdict import Kind

Row = TypeVar("Row")

# DuckDB would pack long values of 2,048 rows together (zstd) and unpack them all to read one: 200 ms instead of 15 ms
TYPES = {
    str: "TEXT",
    int: "BIGINT",
    float: "DOUBLE",
    float | None: "DOUBLE",
    datetime: "TIMESTAMP",
    bytes: "BLOB USING COMPRESSION uncompressed",
    bytes | None: "BLOB USING COMPRESSION uncompressed",
    tuple[float, ...]: "DOUBLE[]",
    tuple[str, ...]: "TEXT[]",
    Crystal: "STRUCT(name TEXT, data BLOB)",
}


@dataclass(frozen=True)
class PatternRow:
    """The pattern of a query, in a table of its own: one that was just asked for need not be read again."""

    wavelength: float
    two_theta: bytes
    intensity: bytes
    sigma: bytes | None

    @classmethod
    def of(cls, pattern: Pattern) -> "PatternRow":
        """Pack a pattern without its source."""
        sigma = None if pattern.sigma is None else _packed(pattern.sigma)
        return cls(pattern.wavelength, _packed(pattern.two_theta), _packed(pattern.intensity), sigma)

    def pattern(self, source: str) -> Pattern:
        """Unpack the pattern."""
        sigma = None if self.sigma is None else _unpacked(self.sigma)
        return Pattern(_unpacked(self.two_theta), _unpacked(self.intensity), self.wavelength, sigma, source)


@dataclass(frozen=True)
class QueryRow:
    """One answered query without its pattern, hits and candidates; `created` is UTC."""

    key: str
    created: datetime
    source: str
    label: str
    lines_q: bytes
    lines_intensity: bytes
    lines_width: bytes | None
    lines_from: float
    lines_to: float
    settings: str
    embedder_id: str
    denoiser_id: str
    index_name: str
    build_id: str
    kind: str
    probability: float
    exact: float | None
    phases: str
    unexplained: tuple[float, ...]
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    seconds: float
    lines_seconds: float
    search_seconds: float
    rerank_seconds: float

    @classmethod
    def of(cls, solution: Solution, settings: str, origin: Origin, label: str) -> "QueryRow":
        """Describe a solution that was computed just now."""
        lines, verdict = solution.answer.lines, solution.verdict
        return cls(
            key=solution.key,
            created=datetime.now(UTC).replace(tzinfo=None),
            source=solution.answer.pattern.source,
            label=label,
            lines_q=_packed(lines.q),
            lines_intensity=_packed(lines.intensity),
            lines_width=None if lines.width is None else _packed(lines.width),
            lines_from=lines.q_range[0],
            lines_to=lines.q_range[1],
            settings=settings,
            embedder_id=origin.embedder_id,
            denoiser_id=origin.denoiser_id,
            index_name=origin.index,
            build_id=origin.build_id,
            kind=verdict.kind,
            probability=verdict.probability,
            exact=verdict.exact,
            phases=json.dumps([asdict(phase) for phase in verdict.phases]),
            unexplained=verdict.unexplained,
            reasons=verdict.reasons,
            notes=solution.notes,
            seconds=solution.seconds,
            lines_seconds=solution.answer.timings.lines,
            search_seconds=solution.answer.timings.search,
            rerank_seconds=solution.answer.timings.rerank,
        )

    @property
    def origin(self) -> Origin:
        """What computed it."""
        return Origin(self.embedder_id, self.denoiser_id, self.index_name, self.build_id)

    @property
    def verdict(self) -> Verdict:
        """The verdict as it was given."""
        phases = tuple(_phase(raw) for raw in json.loads(self.phases))
        kind = cast("Kind", self.kind)
        return Verdict(kind, self.probability, self.reasons, self.exact, phases, self.unexplained)

    def solution(self, pattern: Pattern, hits: tuple[Hit, ...], candidates: tuple[Candidate, ...]) -> Solution:
        """Put the solution together again."""
        width = None if self.lines_width is None else _unpacked(self.lines_width)
        measured = (self.lines_from, self.lines_to)
        lines = Lines(_unpacked(self.lines_q), _unpacked(self.lines_intensity), width, measured)
        timings = Timings(self.lines_seconds, self.search_seconds, self.rerank_seconds)
        return Solution(
            key=self.key,
            answer=Answer(pattern, lines, hits, timings, edited=bool(json.loads(self.settings).get("lines"))),
            verdict=self.verdict,
            candidates=candidates,
            notes=self.notes,
            seconds=self.seconds,
            cached=True,
        )


@dataclass(frozen=True, eq=False)
class Entry:
    """One solution as the rows of the tables, by their names; encoded, so that nobody has to wait for that."""

    key: str
    rows: dict[str, list[list[Any]]]

    @classmethod
    def of(cls, solution: Solution, settings: str, origin: Origin, label: str) -> "Entry":
        """Describe a solution that was computed just now."""
        key = solution.key
        rows = {
            "queries": [encoded(QueryRow.of(solution, settings, origin, label))],
            "patterns": [[key, *encoded(PatternRow.of(solution.answer.pattern))]],
            "hits": [[key, *encoded(hit)] for hit in solution.answer.hits],
            "candidates": [[key, *encoded(candidate)] for candidate in solution.candidates],
        }
        return cls(key, rows)


def _phase(raw: dict[str, Any]) -> Phase:
    """Return a phase that `asdict` took apart."""
    hit = Hit(**{**raw["hit"], "parameters": tuple(raw["hit"]["parameters"])})
    return Phase(**{**raw, "hit": hit, "alike": tuple(raw["alike"]), "lines": tuple(raw["lines"])})


def columns(row: type) -> str:
    """Return the column definitions, in SQL, of a dataclass."""
    return ", ".join(f'"{field.name}" {TYPES[field.type]}' for field in fields(row))  # type: ignore[index]


def names(row: type) -> str:
    """Return the column names, in SQL, of a dataclass."""
    return ", ".join(f'"{field.name}"' for field in fields(row))


def encoded(row: Any) -> list[Any]:
    """Return the values of a dataclass as DuckDB takes them."""
    return [_encoded(field.type, getattr(row, field.name)) for field in fields(row)]


def decoded(row: type[Row], values: tuple[Any, ...]) -> Row:
    """Return the dataclass of the values that `encoded` wrote."""
    return row(*(_decoded(field.type, value) for field, value in zip(fields(row), values, strict=True)))  # type: ignore[arg-type]


def _encoded(kind: Any, value: Any) -> Any:
    """Return one value as DuckDB takes it; numpy's numbers become Python's."""
    if kind is Crystal:
        return {"name": value.name, "data": CrystalTable.from_crystals([value]).payload(0)}
    if isinstance(value, tuple):
        return list(value)
    return kind(value) if kind in (int, float) else value


def _decoded(kind: Any, value: Any) -> Any:
    """Return one value as it was."""
    if kind is Crystal:
        return from_bytes(value["data"], value["name"])
    return tuple(value) if isinstance(value, list) else value


def _packed(array: NDArray[np.floating]) -> bytes:
    """Return an array as compressed bytes: little-endian float64; level 1 takes a millisecond and halves the size."""
    return zlib.compress(np.asarray(array, dtype="<f8").tobytes(), 1)


def _unpacked(data: bytes) -> NDArray[np.float64]:
    """Return the array that `_packed` wrote."""
    return np.frombuffer(zlib.decompress(data), dtype="<f8")
