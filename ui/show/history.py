"""The list of earlier answers, as HTML. Everything in it is escaped."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING

from search.frameworks.entry import EntryId
from search.verdict import WORDS, percent

if TYPE_CHECKING:
    from search.cache import Cache, HistoryEntry

LISTED = 50
EVERYTHING = "all"


def history_html(cache: "Cache | None", search: str = "", name: Callable[[str], str] = lambda _: "") -> str:
    """Return the latest answers, newest first, or why there are none.

    Args:
        cache: where they are kept; None before the index is ready.
        search: words that an answer must hold.
        name: returns the common name of an entry, "" where it has none.
    """
    if cache is None:
        return '<p class="xs-empty">Answers are listed here once the index is ready.</p>'
    entries = cache.history(LISTED, search.strip())
    notice = f'<p class="xs-remark">{escape(cache.notice)}</p>' if cache.notice else ""
    if not entries:
        words = "No answer holds these words." if search.strip() else "Answers are kept here and open at a click."
        return f'{notice}<p class="xs-empty">{words}</p>'
    return notice + _list(entries, name) + _forget_all(len(cache))


def _list(entries: Sequence["HistoryEntry"], name: Callable[[str], str]) -> str:
    now = datetime.now(UTC)
    rows = "".join(_row(entry, now, i == 0, name(entry.top_hit or "")) for i, entry in enumerate(entries))
    return f'<ul class="xs-list" role="listbox" aria-label="Earlier answers">{rows}</ul>'


def _row(entry: "HistoryEntry", now: datetime, first: bool, common: str = "") -> str:
    name, hit = escape(entry.source or entry.label or "pattern"), escape(entry.top_hit or "no hit")
    called = escape(common or EntryId.of(entry.top_hit or "no hit").words)
    word, dot = WORDS.get(entry.kind, entry.kind), "miss" if entry.kind == "miss" else "match"
    made = f", {entry.candidates} generated" if entry.candidates else ""
    edited = ", edited peaks" if entry.edited else ""
    filters = f'<span class="xs-filters">{escape(entry.filters)}</span>' if entry.filters else ""
    forget = (
        f'<button type="button" data-forget="{entry.short_id}" data-ask="Forget the answer to {name}?" '
        f'title="Forget this answer" aria-label="Forget the answer to {name}">×</button>'
    )
    return (
        f'<li data-rank="{entry.short_id}" role="option" tabindex="{0 if first else -1}" aria-selected="false">'
        f'<span class="xs-what"><b title="{name}">{name}</b><time>{_moment(entry.created, now)}</time></span>'
        f'<span class="xs-who"><i class="xs-dot xs-{dot}"></i>{word}, {percent(entry.probability)}: '
        f'<span title="{hit}">{called}</span>{edited}{made}</span>{filters}{forget}</li>'
    )


def _moment(created: datetime, now: datetime) -> str:
    """Return the local time of today's answers, and the day of older ones."""
    local = created.replace(tzinfo=UTC).astimezone()
    return f"{local:%H:%M}" if local.date() == now.astimezone().date() else f"{local:%d %b %Y}"


def _forget_all(kept: int) -> str:
    ask = f"Forget all {kept} answers? They cannot be brought back."
    return (
        f'<p class="xs-share"><button type="button" data-forget="{EVERYTHING}" data-ask="{ask}">'
        f"Forget all {kept}</button></p>"
    )
