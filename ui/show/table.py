"""The table of hits, as HTML. Everything that comes from a file or a database is escaped."""

import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from search.frameworks.described import metals_of
from search.frameworks.entry import EntryId
from search.verdict import percent
from xtal.crystals import as_written
from xtal.errors import UserError

if TYPE_CHECKING:
    from search.answer import Hit
    from search.frameworks import Framework

MISSING = '<span title="Too far down the shortlist to be fitted">–</span>'
SORTS = '<button type="button" class="xs-sort">{}</button>'  # `assets/table.js` sorts by the column
COLUMNS = (
    ("#", "Rank by the probability; 1 is the likeliest"),
    (
        "Likely",
        "Calibrated probability that the sample holds this framework, or one whose pattern looks the same. It weighs "
        "the fit, the peaks that are explained or not, and the other frameworks; the table is ordered by it",
    ),
    (
        "Structure",
        "Common name where it has one, and the best entry of it; click a row for its other entries and details",
    ),
    ("Metal and linkers", "Linkers by name or as SMILES, taken from the atoms of the entry"),
    ("Formula", "Reduced formula of that entry"),
)


def hits_table(rows: Sequence["Framework"] | None, selected: int, details: str = "") -> str:
    """Return the table of frameworks; that of the entry of rank `selected` is open. Without any, a sentence.

    Args:
        rows: the likeliest first; None before a search.
        selected: rank of the entry that is shown.
        details: HTML on that entry.
    """
    if rows is None:
        return '<p class="xs-empty">The frameworks that fit best appear here after a search.</p>'
    if not rows:
        return (
            '<p class="xs-empty">No structure of this index passes the filter. Loosen the elements or the formula.</p>'
        )
    body = [_framework(row, number, selected, details) for number, row in enumerate(rows, 1)]
    return table_html(COLUMNS, body, "xs-frameworks")


def table_html(
    columns: Sequence[tuple[str, str]], rows: Sequence[str], kind: str = "", caption: str = "", sorts: bool = False
) -> str:
    """Return a table whose rows can be chosen, with a legend of its columns below.

    Args:
        columns: heading and explanation of each; headings are ours and not escaped.
        rows: of `row_html`.
        kind: class of its own, for the style sheet.
        caption: HTML above it.
        sorts: whether a press on a heading sorts by its column.
    """
    heading = SORTS if sorts else "{}"
    head = "".join(f'<th scope="col" title="{escape(hint)}">{heading.format(name)}</th>' for name, hint in columns)
    above = f"<caption>{caption}</caption>" if caption else ""
    return (
        f'<table class="xs-hits {kind}" role="grid">{above}<thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table>{legend_html(columns)}"
    )


def legend_html(columns: Sequence[tuple[str, str]]) -> str:
    """Return what each column means, folded up: by touch and with the keyboard no hint of a heading is reached."""
    terms = "".join(f"<dt>{name}</dt><dd>{escape(hint)}</dd>" for name, hint in columns if name)
    return f'<details class="xs-legend-of"><summary>What the columns mean</summary><dl>{terms}</dl></details>'


def row_html(cells: Sequence[str], rank: int, selected: bool, kind: str = "") -> str:
    """Return a row of cells of HTML; the selected one, or else the first, is reached with the tabulator."""
    state, stop = ("true", 0) if selected else ("false", 0 if rank == 1 else -1)
    row = "".join(f"<td>{cell}</td>" for cell in cells)
    named = f' class="{kind}"' if kind else ""
    return f'<tr data-rank="{rank}" tabindex="{stop}" aria-selected="{state}"{named}>{row}</tr>'


def formula_html(formula: str) -> str:
    """Write a formula as chemists do, its counts lowered: ``O4Zn`` -> ``ZnO<sub>4</sub>``."""
    try:
        text = as_written(formula)
    except UserError:
        text = formula
    return re.sub(r"([\d.]+)", r"<sub>\1</sub>", escape(text))


def entry_html(entry: str) -> str:
    """Return what an entry is called; its whole id shows at a look."""
    return f'<span class="xs-id" title="{escape(entry)}">{escape(EntryId.of(entry).words)}</span>'


def _framework(row: "Framework", number: int, selected: int, details: str) -> str:
    """Return the row of a framework, and where it is open those of its other entries and the details of one."""
    first, more = row.first, row.hits[1:]
    others = f' <span class="xs-more">+ {len(more)}</span>' if more else ""
    entry = f"{entry_html(first.id)}{_doubt(first.overlaps)}"
    cells = (
        f"{number}",
        chance(row.probability),
        f"{_bold(row.name)}{entry}{others}",
        f'<span class="xs-made-of">{_made_of(row)}</span>',
        _formula(first.formula),
    )
    opened = any(hit.rank == selected for hit in row.hits)
    rows = [row_html(cells, first.rank, first.rank == selected, "xs-open" if opened else "")]
    if opened:
        names = [*row.names[1:], *[""] * len(more)]
        rows += [_member(hit, name, hit.rank == selected) for hit, name in zip(more, names, strict=False)]
        rows.append(f'<tr class="xs-details"><td colspan="{len(COLUMNS)}">{details}</td></tr>' if details else "")
    return "".join(rows)


def _member(hit: "Hit", name: str, selected: bool) -> str:
    """Return the row of a further entry of a framework."""
    entry = f"{_bold(name)}{entry_html(hit.id)}{_doubt(hit.overlaps)}"
    metals = f'<span class="xs-made-of">{escape(", ".join(metals_of(hit.formula)))}</span>'
    return row_html(("", "", entry, metals, _formula(hit.formula)), hit.rank, selected, "xs-member")


def _bold(name: str) -> str:
    return f'<b class="xs-name">{escape(name)}</b> ' if name else ""


def _made_of(row: "Framework") -> str:
    """Return metals and linkers of a framework."""
    parts = (", ".join(row.metals), ", ".join(row.linkers))
    return " · ".join(escape(part) for part in parts if part)


def _formula(formula: str) -> str:
    return f'<span class="xs-formula" title="{escape(formula)}">{formula_html(formula)}</span>'


def _doubt(overlaps: int) -> str:
    """Return a mark where the entry itself is doubtful."""
    if not overlaps:
        return ""
    words = f"{overlaps} pairs of its atoms overlap: a disorder listed in full"
    return f' <span class="xs-doubt" role="img" aria-label="{words}" title="{words}">⚠</span>'


def chance(probability: float) -> str:
    """Return a probability on a bar of its length."""
    share = 100 * min(max(probability, 0.0), 1.0)
    return f'<span class="xs-bar" style="--share:{share:.1f}%">{percent(probability)}</span>'


def bar(value: float | None, words: str = "") -> str:
    """Return a number of 0 to 1, or `words` for it, on a bar of its length."""
    if value is None:
        return MISSING
    share = 100 * min(max(value, 0.0), 1.0)
    return f'<span class="xs-bar" style="--share:{share:.1f}%">{words or f"{value:.3f}"}</span>'
