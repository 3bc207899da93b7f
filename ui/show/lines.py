"""The lines that a pattern is searched with, as a person edits them: one less, one more, and the table of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xtal.errors import UserError
from xtal.patterns import Lines, Pattern

SAME = 0.005  # degrees 2θ: closer lines are one
LARGEST = 1e300  # intensity; larger whole numbers would be infinite
COLUMNS = (
    ("2θ (°)", "Where the peak stands"),
    ("d (Å)", "Lattice spacing"),
    ("Intensity (%)", "Area as measured, relative to the strongest peak"),
    ("Width (°)", "Full width at half maximum"),
    ("", "Remove the peak"),
)
BELONGING = "They belong to this measurement and stay with it when the wavelength changes or the file is dropped again."
UNEXPLAINED = (
    '<i class="xs-strange" role="img" title="Not explained by the selected hit" aria-label="not explained"></i>'
)


def without_line(pattern: Pattern, lines: Lines, place: str) -> Lines:
    """Return all lines but the one at `place`, text of degrees 2θ as `lines_html` writes it; `lines` if there is none.

    Raises:
        UserError: it is the only one.
    """
    from search.edited_lines import measured_lines

    table = measured_lines(lines, pattern.wavelength)
    kept = table[[_place(row) != place for row in table]]
    if len(kept) == len(table):
        return lines  # it was removed before
    if not len(kept):
        raise UserError("a search needs at least one peak, and this is the last one; add another before removing it")
    return _made(pattern, kept)


def with_line(pattern: Pattern, lines: Lines, place: str, height: str) -> Lines:
    """Return the lines and one more, which gets the usual width of the pattern's lines.

    Args:
        pattern: that they belong to.
        lines: so far.
        place: degrees 2θ, as typed.
        height: area in per cent of the strongest line, as typed.

    Raises:
        UserError: what was typed is no number, or no line can stand there.
    """
    from search.edited_lines import measured_lines

    new = [_typed("2θ", place), np.nan, _typed("intensity", height), np.nan]
    table = measured_lines(lines, pattern.wavelength)
    if (np.abs(table[:, 0] - new[0]) < SAME).any():
        raise UserError(f"there is a peak at {new[0]:g}° already; remove it first to change its intensity")
    return _made(pattern, np.vstack([table, new]))


def carried_lines(lines: Lines, before: Pattern, now: Pattern) -> Lines | None:
    """Return the lines of a pattern as lines of the same measurement read again; None where it is another measurement.

    They stay at the points of the measurement where they stand: with another wavelength these keep their angles, or
    their q where the file has an axis of q.
    """
    from search.edited_lines import measured_lines

    if not np.array_equal(before.intensity, now.intensity):
        return None
    if before.wavelength == now.wavelength and np.array_equal(before.two_theta, now.two_theta):
        return lines
    place, _, area, width = measured_lines(lines, before.wavelength).T
    low, middle, high = (
        np.interp(at, before.two_theta, now.two_theta) for at in (place - width / 2, place, place + width / 2)
    )
    spread = np.where(high > low, high - low, np.nan)  # NaN, also of a width that is not known, is the usual one
    return _made(now, np.column_stack([middle, place, area, spread]))


def given_lines(pattern: Pattern, rows: Any) -> Lines | None:
    """Return the lines that a program gives as ``[[two_theta, intensity], ...]``; None for None.

    Raises:
        UserError: they are something else, or cannot be used.
    """
    from search.edited_lines import lines_at

    if rows is None:
        return None
    if not isinstance(rows, list) or not all(_is_pair(row) for row in rows):
        raise UserError(
            f"lines must be a list of pairs [two_theta, intensity], both finite numbers, got {str(rows)[:100]!r}"
        )
    return lines_at(pattern, [row[0] for row in rows], [row[1] for row in rows])


def lines_html(
    lines: Lines | None, wavelength: float, edited: bool, stale: bool, unexplained: Sequence[float] = ()
) -> str:
    """Return the table of lines with a button for each that removes it; a hint where there is no pattern.

    Args:
        lines: to show, or None.
        wavelength: Å.
        edited: whether a person changed them.
        stale: whether the answer shown is that of other lines.
        unexplained: degrees 2θ of lines that the selected hit lacks; they are marked.
    """
    from search.edited_lines import measured_lines

    if lines is None:
        return '<p class="xs-empty">The peaks of a pattern are listed here.</p>'
    table = measured_lines(lines, wavelength)
    strange = np.asarray(unexplained, float)
    marked = (np.abs(table[:, :1] - strange) < SAME).any(axis=1)
    rows = "".join(_row(row, bool(mark), first=n == 0) for n, (row, mark) in enumerate(zip(table, marked, strict=True)))
    head = "".join(f'<th scope="col" title="{hint}">{name}</th>' for name, hint in COLUMNS)
    return (
        f'<p class="xs-remark" role="status">{_words(len(lines), edited, stale)}</p><div class="xs-scroll">'
        f'<table class="xs-hits xs-lines"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'
    )


def count_words(count: int, edited: bool) -> str:
    """Return how many peaks were found, or how many lines there are once they were edited."""
    return f"{count} {'edited peak' if edited else 'peak'}{'' if count == 1 else 's'}{'' if edited else ' found'}"


def _words(count: int, edited: bool, stale: bool) -> str:
    if stale:
        return f"<b>{count_words(count, edited)}, not searched with yet.</b> The answer is still that of other peaks."
    if edited:
        return f"<b>{count_words(count, edited)}.</b> {BELONGING}"
    return f"{count_words(count, edited)}. Remove those that are not the sample's, add those that are missing."


def _row(row: NDArray[np.float64], strange: bool, first: bool) -> str:
    place, spacing, area, width = row
    mark = UNEXPLAINED if strange else ""
    known = f"{width:.3f}" if np.isfinite(width) else "–"
    remove = (
        f'<button type="button" data-remove="{_place(row)}" tabindex="{0 if first else -1}" title="Remove this peak" '
        f'aria-label="Remove the peak at {place:.3f}°">×</button>'
    )
    cells = (f"{mark}{place:.3f}", f"{spacing:.4f}", f"{area:.1f}", known, remove)
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _place(row: NDArray[np.float64]) -> str:
    """Return the text that names a line: a number in the table could be another line's by the time it is clicked."""
    return f"{row[0]:.6f}"


def _made(pattern: Pattern, table: NDArray[np.float64]) -> Lines:
    from search.edited_lines import lines_at

    return lines_at(pattern, table[:, 0], table[:, 2], table[:, 3])


def _typed(name: str, text: str) -> float:
    """Return a number; `lines_at` says what is wrong with one that is none of a line."""
    try:
        return float(text)
    except ValueError:
        said = f"{text.strip()[:40]!r} is no number" if text.strip() else "nothing was typed"
        raise UserError(f"{said} for the {name} of the peak; type one, for example 28.44") from None


def _is_pair(row: Any) -> bool:
    numbers = isinstance(row, list | tuple) and len(row) == 2
    return numbers and all(type(value) in (int, float) and abs(value) < LARGEST for value in row)  # NaN is not less
