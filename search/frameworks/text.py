"""Frameworks and what was compared, as text for a terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from search.frameworks.entry import EntryId
from search.frameworks.group import Framework
from search.verdict import percent

if TYPE_CHECKING:
    from search.answer import Hit
    from search.frameworks.asked import Compared

HEAD = ("", "likely", "framework", "best entry", "metals", "entries", "formula")
NUMBERS = {0, 5}  # columns that stand to the right


def framework_table(rows: Sequence[Framework]) -> str:
    """Return frameworks as a table, the likeliest first, with how the best entry of the first was fitted."""
    if not rows:
        return "no structure found"
    cells = [HEAD, *(_cells(number, row) for number, row in enumerate(rows, 1))]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(c.rjust(w) if n in NUMBERS else c.ljust(w) for n, (c, w) in enumerate(zip(row, widths, strict=True)))
        for row in cells
    ]
    doubts = [
        f"  {hit.id}: {hit.overlaps} pairs of its atoms overlap" for row in rows for hit in row.hits if hit.overlaps
    ]
    return "\n".join([*(line.rstrip() for line in lines), *_fitted(rows[0].first), *doubts])


def compared_text(compared: "Compared") -> str:
    """Return the answer to “is it this?” with what speaks for and against it."""
    return "\n".join([compared.headline, *(f"  - {reason}" for reason in compared.reasons)])


def _cells(number: int, row: Framework) -> tuple[str, ...]:
    first = row.first
    metals = ", ".join(row.metals)
    name = row.name or EntryId.of(first.id).phase or "-"
    return (f"{number}", percent(row.probability), name, first.id, metals, f"{len(row.hits)}", first.formula)


def _fitted(hit: "Hit") -> list[str]:
    """Return one line on the fit of a hit; none where it was not fitted."""
    if hit.fit is None or hit.scale is None or hit.zero_shift is None:
        return []
    copies = f", {hit.group_size} entries of this structure" if hit.group_size > 1 else ""
    return [
        f"  {hit.id}: fit {hit.fit:.2f}, similarity {hit.similarity:.2f}, cell {hit.scale - 1:+.2%}, "
        f"zero {hit.zero_shift:+.3f}°{copies}"
    ]
