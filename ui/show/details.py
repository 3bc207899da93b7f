"""What is known of the entry that is shown, as HTML: source, cell, doubts, and how it was fitted."""

from html import escape
from typing import TYPE_CHECKING

from search.verdict import percent

if TYPE_CHECKING:
    from search.answer import Hit
    from search.frameworks import Details


def details_html(hit: "Hit", details: "Details | None", exact: float | None = None) -> str:
    """Return the details of a hit.

    Args:
        hit: that is shown.
        details: of its entry; None where its index is not at hand.
        exact: probability that it is the very structure, of the first hit of an answer.
    """
    rows = [*([] if details is None else _entry(details)), *_fit(hit, exact)]
    terms = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in rows)
    doubts = (
        "" if details is None else "".join(f'<p class="xs-warning">⚠ {escape(d)}</p>' for d in details.parts.doubts)
    )
    return f'{doubts}<dl class="xs-facts-of">{terms}</dl>'


def _entry(details: "Details") -> list[tuple[str, str]]:
    """Return what is told of the entry itself."""
    entry, setting = details.entry, details.setting
    a, b, c, *angles = setting.cell
    badges = "".join(f' <span class="xs-badge">{escape(badge)}</span>' for badge in entry.badges)
    if entry.link:
        words = f"CSD {entry.refcode}" if entry.refcode else entry.link.removeprefix("https://")
        source = f'<a href="{escape(entry.link)}" target="_blank" rel="noreferrer noopener">{escape(words)}</a>{badges}'
    else:
        source = f"{escape(entry.words)}{badges}"
    named = entry.words != entry.id
    rows = [
        ("Entry", source),
        *([("Its id in the index", f"<code>{escape(entry.id)}</code>")] if named else []),
        ("Space group", escape(setting.space_group)),
        ("Cell of the entry", f"{a:.3f} {b:.3f} {c:.3f} Å, {' '.join(f'{angle:.2f}' for angle in angles)}°"),
    ]
    if details.parts.linkers:
        rows.append(("Linkers", escape("; ".join(details.parts.linkers))))
    return rows


def _fit(hit: "Hit", exact: float | None) -> list[tuple[str, str]]:
    """Return how the entry was fitted."""
    rows = []
    if exact is not None:
        rows.append(("This very structure", percent(exact)))
    if hit.fit is not None:
        rows.append(("Profile fit, 1 − R", f"{hit.fit:.2f}"))
    if hit.scale is not None:
        longer = f"{hit.scale - 1:+.2%}".replace("%", " %").replace("-", "−")
        rows.append(("Cell of the sample", f"{longer} against the entry's, mean of the edges"))
    if hit.zero_shift is not None:
        rows.append(("Zero shift", f"{hit.zero_shift:+.3f}° 2θ".replace("-", "−")))
    rows.append(("Similarity of fingerprints", f"{hit.similarity:.2f}"))
    if hit.group_size > 1:
        rows.append(("Entries of this structure", f"{hit.group_size} in the index"))
    return rows
