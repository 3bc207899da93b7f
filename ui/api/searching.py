"""Searches for programs: a pattern in a file, and what the phases of an answer leave."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ui.api.given import number, options_of, pattern_in, ready, text
from ui.api.reply import compared_data, solution_data
from ui.library import Library

if TYPE_CHECKING:
    from search.solution import Solution

MOST_HITS = 100


def searched(
    library: Library,
    path: Path,
    wavelength: Any,
    elements: Any,
    must: Any,
    formula: Any,
    hits: Any,
    lines: Any,
    is_it: Any = "",
) -> dict[str, Any]:
    """Answer what `Endpoints.search` takes, for a pattern in the file `path`; waits for its turn.

    Raises:
        UserError: the pattern or a value cannot be used, or the index is not ready.
    """
    with library.turns:
        pattern = pattern_in(path, wavelength)
        shown = number("hits", hits, 1, MOST_HITS)
        options = options_of(pattern, elements, must, formula, lines, k=shown, generate="never")
        solver, asked = ready(library), text("is_it", is_it)
        solution = solver.solve(pattern, options)
        return solution_data(solution, solver.describer) | compared_data(solver, solution, asked)


def searched_left(library: Library, solution: "Solution", hits: Any) -> dict[str, Any]:
    """Answer what the phases of a solution leave of its pattern; waits for its turn.

    Raises:
        UserError: no phase is accepted, or the index is not ready.
    """
    from search.options import Options
    from search.phases.left import left_pattern

    with library.turns:
        solver = ready(library)
        rest = left_pattern(solver.engine, solution.answer, solution.verdict)
        options = Options(k=number("hits", hits, 1, MOST_HITS), generate="never")
        return solution_data(solver.solve(rest, options), solver.describer)
