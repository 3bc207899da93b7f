"""The words of the page, as HTML. Everything that comes from a file, a database or a person is escaped."""

import re
from html import escape
from typing import TYPE_CHECKING

from ui.inputs import Loaded, wavelength_choices
from ui.library import Library
from ui.show.lines import count_words

if TYPE_CHECKING:
    from search.engine import Engine
    from search.solution import Solution

OFFERED = 5  # wavelengths beside the message that one is missing, from 1
LONGEST_NAME = 150  # bytes of a file's name before its suffix; file systems take 255 with it


def error_html(text: str) -> str:
    """Return a message that something must be mended."""
    return f'<div class="xs-message xs-error" role="alert">{escape(text)}</div>'


def no_wavelength_html(text: str) -> str:
    """Return the message that a wavelength is missing, with the usual ones to choose; see `assets/picks.js`."""
    buttons = "".join(
        f'<button type="button" data-pick="{value}">{escape(label.partition(" (")[0])}</button>'
        for label, value in wavelength_choices()[1:OFFERED]
    )
    return (
        f'<div class="xs-message xs-error xs-no-wavelength" role="alert">{escape(text)}'
        f'<span class="xs-picks">{buttons}</span></div>'
    )


def notice_html(text: str) -> str:
    """Return a message worth knowing, or nothing for no text."""
    return f'<div class="xs-message" role="status">{escape(text)}</div>' if text else ""


def pattern_facts(loaded: Loaded, lines: int, edited: bool = False) -> str:
    """Return name, wavelength, range, size and number of lines of a pattern; the wavelength in use always shows."""
    pattern = loaded.pattern
    first, last = pattern.two_theta[0], pattern.two_theta[-1]
    name = f'<b title="{escape(loaded.source.name)}">{escape(loaded.source.name)}</b>'
    wavelength = f'<span class="xs-lambda">λ = {pattern.wavelength:.5f} Å <small>{loaded.origin}</small></span>'
    size = f"<span>{len(pattern):,} points</span><span>{count_words(lines, edited)}</span>"
    return f"{name}{wavelength}<span>2θ {first:.2f}–{last:.2f}°</span>{size}"


def answer_facts(solution: "Solution", engine: "Engine") -> str:
    """Return how many structures were searched in which time, and whether that was earlier."""
    again = " when first asked" if solution.cached else ""
    duration = _duration(solution.answer.timings.total)
    return f"<span>{len(engine):,} structures searched in {duration}{again}</span>"


def formats_html() -> str:
    """Return which files can be dropped."""
    from xtal.readers import SUFFIXES

    return "Reads " + " ".join(suffix.removeprefix(".") for suffix in SUFFIXES)


def library_html(library: Library) -> str:
    """Return the state of the index: its size, how far its build is, or why there is none."""
    name, progress = f"Index <b>{escape(library.index_name)}</b>", library.progress
    if library.engine is not None:
        return f'<span class="xs-ready">{name} · {len(library.engine):,} structures</span>'
    if progress.error:
        return f'<div class="xs-message xs-error" role="alert">{escape(progress.error)}</div>'
    count = f" {progress.done:,}" if progress.done else ""
    bar = "<progress></progress>"
    if progress.total:
        count = f" {progress.done:,} of {progress.total:,}"
        bar = f'<progress value="{progress.done / progress.total:.4f}"></progress>'
    return f'<div class="xs-building" role="status"><span>{name} · {escape(progress.stage)}{count}</span>{bar}</div>'


def file_name(identifier: str, suffix: str = ".cif") -> str:
    """Return a safe name for a file about an entry or a pattern."""
    letters = re.sub(r"[^\w.-]+", "_", identifier).strip("._").encode()[:LONGEST_NAME]
    return letters.decode(errors="ignore") + suffix


def _duration(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
