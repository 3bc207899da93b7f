"""Unit cells as HTML: how probable each is, and what the first one's space group may be."""

from html import escape
from math import exp
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xtal.physics.indexing import IndexedCell, Indexing

INVITATION = (
    '<p class="xs-empty">“Find unit cells” looks for the cells that explain the places of the lines, whether any '
    "structure is known or not: within half a minute, on a machine's first use within one and a half.</p>"
)
COLUMNS = (
    ("System", "Crystal system and centring of the conventional cell"),
    ("Probability", "That this lattice is the right one"),
    ("a (Å)", ""),
    ("b (Å)", ""),
    ("c (Å)", ""),
    ("α (°)", ""),
    ("β (°)", ""),
    ("γ (°)", ""),
    ("V (Å³)", "Volume of the primitive cell"),
    ("M20", "Figure of merit of de Wolff, over at most twenty lines"),
)
LEAST = 0.005  # probability of a space group that is named
LIKELY = "The first cell is likely."
AMBIGUOUS = "<b>Ambiguous</b>: several cells may explain this pattern."
NONE = "<p><b>Ambiguous</b>: no cell explains the lines. A wider range of angles or a longer measurement may help.</p>"
HALF = "Where the lines of a larger cell are too weak to be seen, half or a quarter of it explains as much."


def cells_html(indexing: "Indexing | None") -> str:
    """Return the table of cells and what is to be said of it; before it is asked for, what it would do."""
    if indexing is None:
        return INVITATION
    if not indexing.cells:
        return NONE
    head = "".join(f'<th scope="col" title="{escape(title)}">{escape(name)}</th>' for name, title in COLUMNS)
    body = "".join(_row(cell) for cell in indexing.cells)
    likely = [group for group in indexing.groups if exp(group.ln_probability) >= LEAST]
    groups = ", ".join(f"{escape(group.symbol)} ({exp(group.ln_probability):.0%})" for group in likely)
    said = f"{AMBIGUOUS if indexing.ambiguous else LIKELY} {HALF}"
    return (
        f'<div class="xs-wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        f"<p>{said}</p><p>Space groups of the first cell: {groups or 'none'}.</p>"
    )


def _row(cell: "IndexedCell") -> str:
    from xtal.crystals import cell_parameters

    lengths, angles = cell_parameters(cell.conventional)
    values = (
        f"{cell.system} {cell.centring}",
        f"{cell.probability:.0%}",
        *(f"{x:.3f}" for x in lengths),
        *(f"{x:.2f}" for x in angles),
        f"{cell.volume:.1f}",
        f"{cell.merit:.1f}",
    )
    first, *rest = values
    return f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(value)}</td>" for value in rest)}</tr>'
