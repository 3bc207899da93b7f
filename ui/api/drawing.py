"""An answer as a figure for print, or as columns of numbers, for programs."""

import base64
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from xtal.errors import UserError

if TYPE_CHECKING:
    from search.engine import Engine
    from search.solution import Solution

KINDS = ("svg", "pdf", "png", "csv")


def figure_data(engine: "Engine", solution: "Solution", kind: str) -> dict[str, Any]:
    """Return what the verdict of an answer speaks of as a file of one of `KINDS`; UserError for another kind."""
    from search.paper import figure_bytes, of_solution

    if kind not in KINDS:
        raise UserError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    stem = PurePath(solution.answer.pattern.source).stem or "pattern"
    profile = of_solution(engine, solution, stem)
    content = profile.csv().encode("utf-8") if kind == "csv" else figure_bytes(profile, f".{kind}")
    data = base64.b64encode(content).decode("ascii")
    return {
        "name": f"{stem}.{kind}",
        "structures": [p.name for p in profile.phases],
        "r_wp": profile.r_wp,
        "data": data,
    }
