"""One answer as a page of its own, which needs nothing else: for a notebook, a colleague, a supplement."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from typing import TYPE_CHECKING

from ui.paper.shown import judged_profile, shown_profile
from ui.show.candidates import candidates_html
from ui.show.texts import file_name
from ui.show.verdict import verdict_html
from ui.view import View

if TYPE_CHECKING:
    from search.engine import Engine
    from search.paper import FittedProfile

STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; color: #1f2937; max-width: 1000px; margin: 24px auto; padding: 0 16px; }
h1 { font-size: 20px; } h2 { font-size: 16px; margin-top: 24px; } img { width: 100%; }
.xs-verdict { border-left: 4px solid #b7791f; background: #fdf7ea; padding: 6px 16px; }
.xs-verdict h2 { margin: 6px 0; } .xs-match { border-color: #2f855a; background: #eef8f2; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: left; padding: 4px 8px; border-bottom: 1px solid #dfe3e8; }
tr[aria-selected="true"] { background: #e8f0fb; }
td:nth-child(2) { white-space: nowrap; } dt { font-size: 11px; color: #5b6675; } dd { margin: 0; }
.xs-facts-of { display: grid; grid-template-columns: repeat(auto-fill, minmax(180px, 1fr)); }
.xs-facts-of { gap: 4px 16px; margin: 4px 0; }
small { color: #5b6675; }
@page { size: A4; margin: 15mm; }
@media print {
  body { font-size: 10pt; max-width: none; margin: 0; padding: 0; } table { font-size: 8.5pt; }
  .file, details { display: none; }
  figure, tr, .xs-verdict { break-inside: avoid; } h2 { break-after: avoid; }
}
figure { margin: 0; }
"""


def report_html(
    view: View, index_name: str, cif: str, engine: "Engine | None" = None, moment: datetime | None = None
) -> str:
    """Return a self-contained HTML page with verdict, reasons, figures and tables of one answer.

    The first figure is of what the verdict speaks of; where another structure was selected, one of it follows.

    Args:
        view: what the page shows; it must hold an answer.
        index_name: that was searched.
        cif: text of the selected structure, to be saved from the page.
        engine: that answered.
        moment: to date it with, by default now.
    """
    if view.solution is None or view.loaded is None:
        raise ValueError("a report needs an answer")
    pattern, name = view.loaded.pattern, escape(view.loaded.source.name)
    made = f"{(moment or datetime.now(UTC)):%Y-%m-%d %H:%M} UTC"
    facts = (
        f"λ = {pattern.wavelength:.5f} Å ({escape(view.loaded.origin)}), 2θ {pattern.two_theta[0]:.2f} to "
        f"{pattern.two_theta[-1]:.2f}°, {len(pattern):,} points; index {escape(index_name)}"
    )
    unlinked = replace(view.solution, key="")  # its address opens on the machine that answered alone
    parts = (
        f"<h1>{name}</h1><p>{facts}</p>",
        verdict_html(unlinked, view.threshold, view.rows, view.compared),
        *_figures(engine, view),
        f"<h2>Hits</h2>{view.table}",
        _section("Candidates", candidates_html(view.solution, view.candidate)),
        _section("Refinement", "" if view.refined is None else view.refinement),
        _file(json.loads(view.scene)["title"] if view.scene else view.selected, cif),
        f"<p><small>Xtalscout {version('xtalscout')}, {made}. Similarity is a cosine of fingerprints, no probability;"
        " the probability in the verdict is calibrated. Fit is one minus the profile R value.</small></p>",
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}: Xtalscout</title>'
        f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def _section(title: str, content: str) -> str:
    return f"<h2>{title}</h2>{content}" if content else ""


def _file(name: str, cif: str) -> str:
    """Return a link that saves the CIF, which the page holds."""
    if not cif:
        return ""
    data = base64.b64encode(cif.encode("utf-8")).decode("ascii")
    link = f'<a download="{file_name(name)}" href="data:chemical/x-cif;base64,{data}">Structure as CIF</a>'
    return f'<p class="file">{link}: {escape(name)}</p>'


def _figures(engine: "Engine | None", view: View) -> list[str]:
    """Return the figure of what was judged, and that of what is selected where it is something else."""
    judged, shown = judged_profile(engine, view), shown_profile(engine, view)
    if judged is None or shown is None:
        return []
    same = [phase.name for phase in judged.phases] == [phase.name for phase in shown.phases]
    return [_figure(judged), *([] if same and not shown.refined else [_figure(shown)])]


def _figure(profile: "FittedProfile") -> str:
    """Return one figure for print, which needs no other file."""
    from search.paper import figure_bytes

    title = escape(" + ".join(phase.name for phase in profile.phases) or "no structure")
    title = f"{title}, refined" if profile.refined else title
    data = base64.b64encode(figure_bytes(profile, ".svg")).decode("ascii")
    image = f'<img alt="Pattern and {title}" src="data:image/svg+xml;base64,{data}">'
    return f"<h2>Pattern and {title}</h2><figure>{image}</figure>"
