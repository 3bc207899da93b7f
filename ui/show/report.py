"""One answer as a page of its own, which needs nothing else: for a notebook, a colleague, a supplement."""

import base64
import io
from datetime import UTC, datetime
from html import escape
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from ui.show.candidates import candidates_html
from ui.show.verdict import verdict_html
from ui.view import View
from xtal.patterns import two_theta_from_q
from xtal.patterns.segments import broken

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = (10.0, 4.6)  # inches
DOTS = 130  # per inch
STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; color: #1f2937; max-width: 1000px; margin: 24px auto; padding: 0 16px; }
h1 { font-size: 20px; } h2 { font-size: 16px; margin-top: 24px; } img { max-width: 100%; }
.xs-verdict { border-left: 4px solid #b7791f; background: #fdf7ea; padding: 6px 16px; }
.xs-verdict h2 { margin: 6px 0; } .xs-match { border-color: #2f855a; background: #eef8f2; } .xs-share { display: none; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: left; padding: 4px 8px; border-bottom: 1px solid #dfe3e8; }
tr[aria-selected="true"] { background: #e8f0fb; }
pre { font-size: 12px; background: #f4f6f8; padding: 12px; overflow: auto; }
small { color: #5b6675; }
"""


def report_html(view: View, index_name: str, cif: str, moment: datetime | None = None) -> str:
    """Return a self-contained HTML page with verdict, reasons, figure, tables and CIF of one answer.

    Args:
        view: what the page shows; it must hold an answer.
        index_name: that was searched.
        cif: text of the selected structure.
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
    parts = (
        f"<h1>{name}</h1><p>{facts}</p>",
        verdict_html(view.solution, view.threshold),
        f"<h2>Pattern and {escape(view.selected) or 'no structure'}</h2>",
        f'<img alt="Pattern and calculated profile" src="data:image/png;base64,{_figure(view)}">',
        f"<h2>Hits</h2>{view.table}",
        _section("Candidates", candidates_html(view.solution, view.candidate)),
        _section("Refinement", "" if view.refined is None else view.refinement),
        _section(f"Structure: {escape(view.selected)}", f"<pre>{escape(cif)}</pre>" if cif else ""),
        f"<p><small>Xtalscout {version('xtalscout')}, {made}. Similarity is a cosine of fingerprints, no probability;"
        " the probability in the verdict is calibrated. Fit is one minus the profile R value.</small></p>",
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{name}: Xtalscout</title>'
        f"<style>{STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def _section(title: str, content: str) -> str:
    return f"<h2>{title}</h2>{content}" if content else ""


def _figure(view: View) -> str:
    """Return the overlay as a PNG in base64; drawn without pyplot, whose state threads would share."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, dpi=DOTS, layout="constrained")
    FigureCanvasAgg(figure)
    _draw(figure.add_subplot(), view)
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return base64.b64encode(file.getvalue()).decode("ascii")


def _draw(axes: "Axes", view: View) -> None:
    """Draw measured and calculated profile, ticks, difference, and what is not explained."""
    overlay, loaded = view.overlay, view.loaded
    if loaded is None:
        return
    two_theta, measured = loaded.pattern.two_theta, loaded.pattern.intensity
    axes.plot(*broken(two_theta, measured), color="#1f2937", lw=1, label=view.given)
    top = float(measured.max())
    if overlay is not None:
        axes.plot(*broken(two_theta, overlay.calculated), color="#d62828", lw=0.8, label="Calculated")
        axes.vlines(overlay.ticks, -0.08 * top, -0.04 * top, color="#2f855a", lw=0.6, label=f"Lines of {view.selected}")
        if view.answer is not None and view.answer.edited:
            edited = two_theta_from_q(view.answer.lines.q, loaded.pattern.wavelength)
            axes.vlines(edited, -0.04 * top, -0.01 * top, color="#1f2937", lw=0.6, label="Edited lines")
        base = -0.12 * top - float(overlay.difference.max())
        axes.plot(*broken(two_theta, overlay.difference + base), color="#3e6eb0", lw=0.8, label="Difference")
    if view.unexplained:
        places = np.interp(view.unexplained, two_theta, measured) + 0.03 * top
        axes.plot(view.unexplained, places, "v", color="#d97706", ms=6, label="Not explained")
    axes.set(xlabel="2θ (°)", ylabel="Intensity", xlim=(two_theta[0], two_theta[-1]))
    axes.set_yticks([])
    axes.legend(frameon=False, fontsize=8, ncols=5, loc="upper right")
