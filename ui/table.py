"""The table of hits, as HTML. Everything that comes from a file or a database is escaped."""

import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from ui.viewer import ASSETS

if TYPE_CHECKING:
    from search.answer import Hit

MISSING = '<span title="Too far down the shortlist to be fitted">–</span>'
COLUMNS = (
    ("#", "Rank by the fit, which forgives texture and weighs how far the cell had to be strained; 1 is best"),
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
    head = "".join(f'<th scope="col" title="{escape(hint)}">{name}</th>' for name, hint in COLUMNS)
    body = "".join(_row(hit, hit.rank == selected) for hit in hits)
    return f'<table class="xs-hits" role="grid"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'


def formula_html(formula: str) -> str:
    """Write a formula with its counts lowered: ``Zn4O`` -> ``Zn<sub>4</sub>O``."""
    return re.sub(r"([\d.]+)", r"<sub>\1</sub>", escape(formula))


def table_script() -> str:
    """Return the JavaScript that turns clicks and arrow keys into the ``select`` event."""
    return (ASSETS / "table.js").read_text(encoding="utf-8")


def _row(hit: "Hit", selected: bool) -> str:
    cells = (
        f"{hit.rank}",
        f'<span class="xs-id" title="{escape(hit.name)}">{escape(hit.id)}</span>',
        f'<span class="xs-formula" title="{escape(hit.formula)}">{formula_html(hit.formula)}</span>',
        bar(hit.similarity),
        bar(hit.fit),
        MISSING if hit.zero_shift is None else f"{hit.zero_shift:+.3f}°",
        MISSING if hit.scale is None else f"{hit.scale:.4f}",
        f"{hit.group_size}",
    )
    state = "true" if selected else "false"
    row = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr data-rank="{hit.rank}" tabindex="{0 if selected or hit.rank == 1 else -1}" aria-selected="{state}">{row}</tr>'


def bar(value: float | None) -> str:
    """Return a number of 0 to 1 on a bar of its length."""
    if value is None:
        return MISSING
    share = 100 * min(max(value, 0.0), 1.0)
    return f'<span class="xs-bar" style="--share:{share:.1f}%">{value:.3f}</span>'
