"""Answers as programs get them: plain values that JSON knows, the same names as ``--json`` on the command line."""

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from generate.candidate import Candidate
    from search.cache import HistoryEntry
    from search.cache.history import Record
    from search.frameworks import Describer
    from search.solution import Solution
    from search.solve import Solver

SHORT = 8  # digits of a key that name an answer


def solution_data(solution: "Solution", describer: "Describer | None") -> dict[str, Any]:
    """Return an answer: verdict, frameworks, hits, candidates with CIF text, notes, and the id of all of it.

    Args:
        solution: the answer.
        describer: of the index that gave it; None where that is not at hand.
    """
    from search.console import as_data
    from search.frameworks import framework_data, frameworks

    return {
        "id": solution.key[:SHORT],
        "key": solution.key,
        "verdict": asdict(solution.verdict),
        "frameworks": [framework_data(row) for row in frameworks(solution.answer, solution.verdict, describer)],
        **as_data(solution.answer),
        "candidates": candidates_data(solution.candidates),
        "notes": list(solution.notes),
        "cached": solution.cached,
        "seconds": solution.seconds,
    }


def compared_data(solver: "Solver", solution: "Solution", asked: str) -> dict[str, Any]:
    """Return ``is_it``: whether the sample is what is asked for, and why; nothing where nothing is asked.

    Raises:
        UserError: nothing is known by that name.
    """
    from search.frameworks.asked import compare

    if not asked.strip() or solver.describer is None:
        return {}
    found = compare(asked, solver.engine, solver.judge, solver.describer, solution.answer, solution.verdict)
    return {"is_it": found.data()}


def candidates_data(candidates: "Sequence[Candidate]") -> list[dict[str, Any]]:
    """Return generated crystals with the texts of their CIFs; numbers that JSON lacks (infinity) are left out."""
    from generate.cif import candidate_cif
    from generate.console import candidate_rows
    from models.ccsg.denoiser import NAME

    return [
        {name: value for name, value in row.items() if not _endless(value)}
        | {"cif": candidate_cif(candidate, NAME, candidate.crystal.formula)}
        for row, candidate in zip(candidate_rows(candidates), candidates, strict=True)
    ]


def record_data(record: "Record", describer: "Describer | None") -> dict[str, Any]:
    """Return a remembered answer with when (UTC) and by which models and index it was made."""
    made = {"created": record.created.isoformat(), "label": record.label, "origin": asdict(record.origin)}
    return {**solution_data(record.solution, describer), **made}


def entry_data(entry: "HistoryEntry") -> dict[str, Any]:
    """Return one line of the history."""
    return {"id": entry.short_id, **asdict(entry), "created": entry.created.isoformat()}


def _endless(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)
