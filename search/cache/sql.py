# ruff: noqa: S608 - the names of tables and columns are this program's own; everything else is a parameter
"""The statements on the cache's tables."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from duckdb import DuckDBPyConnection as Connection

from generate.candidate import Candidate
from search.answer import Hit
from search.cache.asked import filters_of
from search.cache.history import HistoryEntry, Record
from search.cache.rows import Entry, PatternRow, QueryRow, Row, decoded, names
from xtal.errors import UserError
from xtal.patterns import Pattern

SHORTEST_PREFIX = 4
TABLES = ("queries", "patterns", "hits", "candidates")
Ranked = TypeVar("Ranked", Hit, Candidate)
# edited peaks stand in the JSON of the settings; within a text of that JSON, a " would have a \ before it
HISTORY = """
    SELECT key, created, phases, source, label, index_name, kind, probability, top.name,
        (SELECT count(*) FROM candidates WHERE candidates.key = queries.key),
        contains(settings, '"lines": {') AS edited, settings
    FROM queries LEFT JOIN (SELECT key AS top_key, name, id, formula FROM hits WHERE rank = 1) AS top ON top_key = key
    WHERE contains(lower(concat_ws(' ', source, label, index_name, kind, top.name, top.id, top.formula, phases,
        CASE WHEN edited THEN 'edited peaks' END)), lower(?))
    ORDER BY created DESC, queries.rowid DESC LIMIT ?
"""


def count(connection: Connection) -> int:
    """Return the number of queries."""
    row = connection.execute("SELECT count(*) FROM queries").fetchone()
    return 0 if row is None else int(row[0])


def keys(connection: Connection) -> list[str]:
    """Return the keys of all queries, oldest first."""
    return [key for (key,) in connection.execute("SELECT key FROM queries ORDER BY created, rowid").fetchall()]


def latest(connection: Connection, limit: int, search: str) -> list[HistoryEntry]:
    """Return the latest queries that hold the words `search`, newest first."""
    rows = connection.execute(HISTORY, [search, limit]).fetchall()
    return [
        _named(HistoryEntry(*(key, created.replace(tzinfo=UTC), *rest, filters_of(settings))), phases)
        for key, created, phases, *rest, settings in rows
    ]


def _named(entry: HistoryEntry, phases: str) -> HistoryEntry:
    """Return an entry with the first of the phases that its verdict speaks of, where it speaks of any."""
    spoken_of = json.loads(phases)
    return replace(entry, top_hit=spoken_of[0]["hit"]["name"]) if spoken_of else entry


def put(connection: Connection, entries: Sequence[Entry], forgotten: Sequence[str]) -> None:
    """Write solutions of different keys, and remove those of the keys `forgotten` before."""
    _remove(connection, forgotten)
    for table in TABLES:
        _insert(connection, table, [row for entry in entries for row in entry.rows[table]])


def _insert(connection: Connection, table: str, rows: list[list[Any]]) -> None:
    """Write rows in one statement with a list for each column, which takes least time."""
    if rows:
        values = [list(column) for column in zip(*rows, strict=True)]
        connection.execute(f"INSERT INTO {table} SELECT {', '.join(['unnest(?)'] * len(values))}", values)


def _remove(connection: Connection, keys: Sequence[str]) -> None:
    """Remove the queries of these keys."""
    if keys:
        for table in TABLES:
            connection.execute(f"DELETE FROM {table} WHERE key IN (SELECT unnest(?))", [list(keys)])


def forget(connection: Connection, condition: str, *values: str | int | datetime) -> int:
    """Remove the queries of a condition with its parameters; return how many."""
    rows = connection.execute(f"SELECT key FROM queries WHERE {condition}", list(values)).fetchall()
    _remove(connection, [key for (key,) in rows])
    return len(rows)


def record(connection: Connection, key: str, pattern: Pattern | None = None) -> Record | None:
    """Read one solution, or None when there is none of this key; its pattern only where it is not given."""
    queries = _rows(connection, "queries", QueryRow, key)
    if not queries:
        return None
    query = queries[0]
    if pattern is None:
        pattern = _rows(connection, "patterns", PatternRow, key)[0].pattern(query.source)
    hits, candidates = _rows(connection, "hits", Hit, key), _rows(connection, "candidates", Candidate, key)
    solution = query.solution(pattern, _ranked(hits), _ranked(candidates))
    return Record(solution, query.created.replace(tzinfo=UTC), query.label, query.settings, query.origin)


def resolved(connection: Connection, prefix: str) -> str:
    """Return the one key that begins so."""
    prefix = prefix.strip().lower()
    if not re.fullmatch(f"[0-9a-f]{{{SHORTEST_PREFIX},64}}", prefix):
        raise UserError(f"a query is named by at least {SHORTEST_PREFIX} hexadecimal digits of its key, got {prefix!r}")
    found = connection.execute("SELECT key FROM queries WHERE starts_with(key, ?) ORDER BY key LIMIT 5", [prefix])
    keys = [key for (key,) in found.fetchall()]
    if len(keys) > 1:
        raise UserError(f"{prefix} names several queries: {', '.join(key[:12] for key in keys)}; give more digits")
    if not keys:
        raise UserError(f"no query {prefix} in the cache; look at the history for those that are there")
    return str(keys[0])


def _rows(connection: Connection, table: str, row: type[Row], key: str) -> list[Row]:
    """Read the rows of one key."""
    found = connection.execute(f"SELECT {names(row)} FROM {table} AS t WHERE t.key = ?", [key]).fetchall()
    return [decoded(row, values) for values in found]


def _ranked(rows: list[Ranked]) -> tuple[Ranked, ...]:
    """Return hits or candidates best first; a table keeps no order, and sorting here takes no time."""
    return tuple(sorted(rows, key=lambda row: row.rank))
