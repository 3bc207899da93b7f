"""The table of hits, as HTML. Everything that comes from a file or a database is escaped."""

import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search.answer import Hit

MISSING = '<span title="Too far down the shortlist to be fitted">–</span>'
COLUMNS = (
    (
        "#",
        "Rank by the fit, which forgives texture and weighs how far the cell had to be strained; near ties are settled "
        "reflection by reflection; 1 is best",
    ),
    ("Structure", "Identifier in the index"),
    ("Formula", "Reduced formula"),
    ("Similarity", "Cosine of the two fingerprints; 1 is identical, and it is no probability"),
    ("Fit", "Share of the measured intensity above the background that the fitted profile reproduces (1 - R)"),
    ("Zero shift", "Fitted offset of the 2θ scale"),
    ("Cell scale", "Size of the measured cell relative to the entry's, a mean over its edges"),
    ("Copies", "Entries of the index that hold this same structure"),
)


def hits_table(hits: Sequence["Hit"] | None, selected: int) -> str:
    """Return the table of `hits`; the row of rank `selected` is marked. Without hits, a sentence."""
    if hits is None:
        return '<p class="xs-empty">Ranked structures appear here after a search.</p>'
    if not hits:
        return (
            '<p class="xs-empty">No structure of this index passes the filter. Loosen the elements or the formula.</p>'
        )
    return table_html(COLUMNS, [row_html(_cells(hit), hit.rank, hit.rank == selected) for hit in hits])


def table_html(columns: Sequence[tuple[str, str]], rows: Sequence[str], kind: str = "", caption: str = "") -> str:
    """Return a table whose rows can be chosen.

    Args:
        columns: heading and explanation of each; headings are ours and not escaped.
        rows: of `row_html`.
        kind: class of its own, for the style sheet.
        caption: HTML above it.
    """
    head = "".join(f'<th scope="col" title="{escape(hint)}">{name}</th>' for name, hint in columns)
    above = f"<caption>{caption}</caption>" if caption else ""
    return (
        f'<table class="xs-hits {kind}" role="grid">{above}<thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>"
    )


def row_html(cells: Sequence[str], rank: int, selected: bool) -> str:
    """Return a row of cells of HTML; the selected one, or else the first, is reached with the tabulator."""
    state, stop = ("true", 0) if selected else ("false", 0 if rank == 1 else -1)
    row = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr data-rank="{rank}" tabindex="{stop}" aria-selected="{state}">{row}</tr>'


def formula_html(formula: str) -> str:
    """Write a formula with its counts lowered: ``Zn4O`` -> ``Zn<sub>4</sub>O``."""
    return re.sub(r"([\d.]+)", r"<sub>\1</sub>", escape(formula))


def _cells(hit: "Hit") -> tuple[str, ...]:
    return (
        f"{hit.rank}",
        f'<span class="xs-id" title="{escape(hit.name)}">{escape(hit.id)}</span>{_doubt(hit)}',
        f'<span class="xs-formula" title="{escape(hit.formula)}">{formula_html(hit.formula)}</span>',
        bar(hit.similarity),
        bar(hit.fit),
        MISSING if hit.zero_shift is None else f"{hit.zero_shift:+.3f}°",
        MISSING if hit.scale is None else f"{hit.scale:.4f}",
        f"{hit.group_size}",
    )


def _doubt(hit: "Hit") -> str:
    """Return a mark where the entry itself is doubtful."""
    if not hit.overlaps:
        return ""
    words = f"{hit.overlaps} pairs of its atoms overlap: a disorder listed in full"
    return f' <span class="xs-doubt" role="img" aria-label="{words}" title="{words}">⚠</span>'


def bar(value: float | None) -> str:
    """Return a number of 0 to 1 on a bar of its length."""
    if value is None:
        return MISSING
    share = 100 * min(max(value, 0.0), 1.0)
    return f'<span class="xs-bar" style="--share:{share:.1f}%">{value:.3f}</span>'
