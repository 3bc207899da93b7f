"""The verdict on a pattern, as HTML: one word, one probability, and the reasons."""

import math
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from search.frameworks.entry import EntryId
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


def asked_html(name: str) -> str:
    """Return a mark, not seen, from which `assets/verdict.js` takes the name of what is not answered yet."""
    return f'<span hidden data-asked="{name}"></span>' if name else ""


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
    reasons = _reasons(solution.verdict.reasons, solution, rows)
    return (
        f'<section class="xs-verdict xs-{"match" if match else "miss"}" aria-label="Verdict" role="status">'
        f"<h2>{solution.verdict.headline}</h2><p>{_meaning(solution, threshold, rows)}</p>"
        f"{_edited(solution)}<ul>{reasons}</ul>{_compared(compared, solution, rows)}{_link(solution)}</section>"
    )


def summary(solution: "Solution") -> str:
    """Return the verdict in a few plain words."""
    word = WORDS[solution.verdict.kind]
    return f"{word}, {percent(solution.verdict.probability)} likely"


def _compared(compared: "Compared | None", solution: "Solution", rows: Sequence["Framework"]) -> str:
    """Return the answer to “is it …?” with what speaks for or against it."""
    if compared is None:
        return ""
    reasons = _reasons(compared.reasons, solution, rows)
    kind = "match" if compared.yes else "miss"
    return f'<div class="xs-compared xs-{kind}"><h3>{escape(compared.headline)}</h3><ul>{reasons}</ul></div>'


def _reasons(reasons: Sequence[str], solution: "Solution", rows: Sequence["Framework"]) -> str:
    """Return reasons as a list; entries are called as in the table, not by their ids."""
    hits = [*solution.answer.hits, *(phase.hit for phase in solution.verdict.phases)]
    hits += [hit for hit in (solution.answer.rival, solution.answer.excluded) if hit is not None]
    named = {hit.id: name for row in rows for hit in row.hits if (name := row.name_of(hit))}
    called = {hit.id: named.get(hit.id) or EntryId.of(hit.id).words for hit in hits}
    for phase in solution.verdict.phases:  # of these, entries of one name stand beside each other
        called |= {entry: EntryId.of(entry).words for entry in (phase.hit.id, *phase.alike)}
    written = {escape(entry): escape(words) for entry, words in called.items()}
    written |= {f"({escape(hit.formula)})": f"({formula_html(hit.formula)})" for hit in hits}
    return "".join(f"<li>{_replaced(escape(_spaced(reason)), written)}</li>" for reason in reasons)


def _replaced(text: str, written: Mapping[str, str]) -> str:
    """Return a text with some of its words replaced, the longest first and each once."""
    known = "|".join(re.escape(word) for word in sorted(written, key=len, reverse=True))
    return re.sub(rf"(?<!\w)({known})(?!\w)", lambda found: written[found[1]], text) if known else text


def _spaced(text: str) -> str:
    """Set off the sign of every percentage, as `percent` does."""
    return re.sub(r"(?<=\d)%", " %", text)


def _meaning(solution: "Solution", threshold: float, rows: Sequence["Framework"]) -> str:
    verdict, hits = solution.verdict, solution.answer.hits
    names = {hit.group: row.name_of(hit) for row in reversed(rows) for hit in reversed(row.hits)}
    if verdict.phases:
        own = {row.first.id: row.name for row in rows}  # all names that its peaks leave open
        named = ((phase, own.get(phase.hit.id) or names.get(phase.hit.group, "")) for phase in verdict.phases)
        return "; ".join(_phase(phase, name) for phase, name in named) + "."
    if not hits:
        return "No structure of this index comes into question."
    first = _named(hits[0], names.get(hits[0].group, ""))
    if verdict.kind == "miss":
        need = f" A match needs {percent(math.ceil(100 * threshold) / 100)}." if threshold else ""
        return f"The best hit is {first}.{need}"
    return f"{first}, or a structure with the same peaks."


def _named(hit: "Hit", name: str) -> str:
    """Return a hit by its common name, what its entry is called, and formula."""
    called = escape(EntryId.of(hit.id).words)
    if name:
        return f"<b>{escape(name)}</b> ({called}, {formula_html(hit.formula)})"
    return f"<b>{called}</b> ({formula_html(hit.formula)})"


def _phase(phase: "Phase", name: str) -> str:
    """Return one phase with its probability and share."""
    named = f"{_named(phase.hit, name)} {percent(phase.probability)} likely"
    return named if phase.share > WHOLE else f"{named}, about {100 * phase.share:.0f} % by weight"


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
