"""A refinement as HTML: how well it fits, each phase, and what must be known to read the numbers."""

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search.refinement.run import Refined

INVITATION = (
    '<p class="xs-empty">“Refine” adjusts cell, line shape, displacements and texture of the structure shown to the '
    "whole pattern (Rietveld), within half a minute.</p>"
)


def refined_html(refined: "Refined | None") -> str:
    """Return the tables and remarks of a refinement; without one, what it would do."""
    from xtal.refinement.table import fit_rows, phase_rows

    if refined is None:
        return INVITATION
    found = refined.found
    before = ("Rwp of the search's fit", f"{refined.r_wp_before:.1%}")
    parts = [_table("Fit", [*fit_rows(found), before])]
    for number, phase in enumerate(found.phases, 1):
        parts.append(_table(phase.structure.name or f"Phase {number}", phase_rows(phase)))
    remarks = "".join(f"<li>{escape(sentence[:1].upper() + sentence[1:])}.</li>" for sentence in found.remarks)
    steps = escape(", ".join(found.steps))
    how = f"<p><small>{escape(found.program)}, {found.seconds:.1f} s; set free in turn: {steps}.</small></p>"
    return f'<div class="xs-refined">{"".join(parts)}</div><ul class="xs-remarks">{remarks}</ul>{how}'


def _table(title: str, rows: list[tuple[str, str]]) -> str:
    body = "".join(f'<tr><th scope="row">{escape(name)}</th><td>{escape(text)}</td></tr>' for name, text in rows)
    return f"<table><caption>{escape(title)}</caption><tbody>{body}</tbody></table>"
