"""The verdict on a pattern, as HTML: one word, one probability, and the reasons."""

import math
import re
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

from search.verdict import WORDS, percent
from ui.show.lines import count_words
from ui.show.table import formula_html

if TYPE_CHECKING:
    from search.answer import Hit, Phase
    from search.frameworks import Framework
    from search.frameworks.asked import Compared
    from search.solution import Solution

WHOLE = 0.999  # by weight: a share that needs no words
LINK = 8  # digits of a key that name an answer


def verdict_html(
    solution: "Solution", threshold: float, rows: Sequence["Framework"] = (), compared: "Compared | None" = None
) -> str:
    """Return the banner of a solution.

    Args:
        solution: what a pattern was answered with.
        threshold: probability that a match needs.
        rows: its frameworks.
        compared: the answer to “is it …?”; None where nothing was asked.
    """
    match = solution.verdict.kind != "miss"
    reasons = "".join(f"<li>{escape(_spaced(reason))}</li>" for reason in solution.verdict.reasons)
    return (
        f'<section class="xs-verdict xs-{"match" if match else "miss"}" aria-label="Verdict" role="status">'
        f"<h2>{solution.verdict.headline}</h2><p>{_meaning(solution, threshold, rows)}</p>"
        f"{_edited(solution)}<ul>{reasons}</ul>{_compared(compared)}{_link(solution)}</section>"
    )


def summary(solution: "Solution") -> str:
    """Return the verdict in a few plain words."""
    word = WORDS[solution.verdict.kind]
    return f"{word}, {percent(solution.verdict.probability)} likely"


def _compared(compared: "Compared | None") -> str:
    """Return the answer to “is it …?” with what speaks for or against it."""
    if compared is None:
        return ""
    reasons = "".join(f"<li>{escape(_spaced(reason))}</li>" for reason in compared.reasons)
    kind = "match" if compared.yes else "miss"
    return f'<div class="xs-compared xs-{kind}"><h3>{escape(compared.headline)}</h3><ul>{reasons}</ul></div>'


def _spaced(text: str) -> str:
    """Set off the sign of every percentage, as `percent` does."""
    return re.sub(r"(?<=\d)%", " %", text)


def _meaning(solution: "Solution", threshold: float, rows: Sequence["Framework"]) -> str:
    verdict, hits = solution.verdict, solution.answer.hits
    names = {hit.group: row.name_of(hit) for row in reversed(rows) for hit in reversed(row.hits)}
    if verdict.phases:
        return "; ".join(_phase(phase, names.get(phase.hit.group, "")) for phase in verdict.phases) + "."
    if not hits:
        return "Nothing in this index could be compared with the pattern."
    first = _named(hits[0], names.get(hits[0].group, ""))
    if verdict.kind == "miss":
        need = f" A match needs {percent(math.ceil(100 * threshold) / 100)}." if threshold else ""
        return f"The best hit is {first}.{need}"
    return f"{first}, or a structure with the same lines."


def _named(hit: "Hit", name: str) -> str:
    """Return a hit by its common name, id and formula."""
    if name:
        return f"<b>{escape(name)}</b> ({escape(hit.id)}, {formula_html(hit.formula)})"
    return f"<b>{escape(hit.id)}</b> ({formula_html(hit.formula)})"


def _phase(phase: "Phase", name: str) -> str:
    """Return one phase with its probability and share."""
    named = f"{_named(phase.hit, name)} {percent(phase.probability)} likely"
    return named if phase.share > WHOLE else f"{named}, about {phase.share:.0%} by weight"


def _edited(solution: "Solution") -> str:
    """Say that a person edited the lines, or nothing."""
    if not solution.answer.edited:
        return ""
    return f'<p class="xs-edited">Searched with {count_words(len(solution.answer.lines), True)}.</p>'


def _link(solution: "Solution") -> str:
    """Return the address under which the answer opens again; an answer that is not kept has none."""
    if not solution.key:
        return ""
    query = f"?answer={solution.key[:LINK]}"
    return (
        f'<p class="xs-share"><a href="{query}" title="Opens this answer again on this machine">{query}</a>'
        f'<button type="button" data-copy="{query}" title="Copy the address of this answer">Copy link</button></p>'
    )
