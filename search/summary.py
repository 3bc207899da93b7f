"""Several answers at a glance: one row for each pattern, with the best of what was generated for it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search.frameworks import Describer
    from search.solution import Solution

HEAD = ("file", "verdict", "likely", "found", "formula", "fit", "generated", "fit")
NUMBERS = {2, 5, 7}  # columns that stand to the right


def summary_table(answers: Sequence[tuple[str, "Solution"]], describer: "Describer | None") -> str:
    """Return a table of answers for people; what is generated is a proposal, not verified, and it says so.

    Each answer stands with its file; entries are called as the `describer` of their index calls them.
    """
    cells = [HEAD, *(_cells(*each, describer) for each in answers)]
    solutions = [solution for _, solution in answers]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rows = [
        "  ".join(_aligned(column, cell, widths[column]) for column, cell in enumerate(row)).rstrip() for row in cells
    ]
    made = sum(1 for solution in solutions if solution.candidates)
    missed = sum(1 for solution in solutions if solution.verdict.kind == "miss")
    said = f"{len(solutions)} patterns, {missed} without a match"
    return "\n".join([*rows, f"{said}, crystals generated for {made}: proposals, not verified" if made else said])


def _cells(file: str, solution: "Solution", describer: "Describer | None") -> tuple[str, ...]:
    from search.frameworks import spoken_of
    from search.verdict import WORDS, percent

    made, verdict = solution.candidates, solution.verdict
    phases = [phase.hit for phase in verdict.phases] or list(solution.answer.hits[:1])  # what the verdict speaks of
    return (
        file,
        WORDS[verdict.kind],
        percent(verdict.probability),
        " + ".join(spoken_of(solution.answer, verdict, describer)),
        phases[0].formula if phases else "",
        "" if not phases or phases[0].fit is None else f"{phases[0].fit:.3f}",
        made[0].crystal.formula if made else "",
        f"{made[0].fit:.3f}" if made else "",
    )


def _aligned(column: int, cell: str, width: int) -> str:
    return cell.rjust(width) if column in NUMBERS else cell.ljust(width)
