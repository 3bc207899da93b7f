"""Powder diffraction figures: 2θ to the right, intensity upwards, measured dark, calculated red, difference below.

The colours here suit a light page; `assets/style.css` repaints `INK` for a dark one by its exact value.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from search.frameworks.entry import EntryId
from xtal.patterns import Lines, Pattern, two_theta_from_q
from xtal.patterns.segments import broken

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from search.answer import Overlay

INK = "rgb(31, 41, 55)"
RED = "rgb(214, 40, 40)"
BLUE = "rgb(62, 110, 176)"
GREEN = "rgb(47, 133, 90)"
GRID = "rgba(128, 138, 152, 0.22)"
ORANGE = "rgb(217, 119, 6)"
PHASES = (GREEN, "rgb(128, 90, 213)", ORANGE, "rgb(14, 116, 144)")
FAINT = "rgba(128, 138, 152, 0.65)"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
HEIGHT = 430  # px, the same for every figure so that the page does not jump
HEADROOM = 1.06
EDITED = "Edited peaks"
WHOLE, LOWER, UPPER = (0.0, 1.0), (0.0, 0.45), (0.55, 1.0)  # parts of the band of ticks
TICK_BAND = 0.08  # of the height, between profile and difference


def pattern_figure(
    pattern: Pattern, lines: Lines, root: bool = False, given: str = "Measured", edited: bool = False
) -> "go.Figure":
    """Draw a pattern, called `given`, with its found or `edited` lines marked below; `root` draws square roots."""
    import plotly.graph_objects as go

    top = float(_scaled(pattern.intensity, root).max())
    angles = two_theta_from_q(lines.q, pattern.wavelength)
    figure = go.Figure(
        [
            _given(given, pattern.two_theta, pattern.intensity, pattern.wavelength, root),
            _ticks(angles, EDITED if edited else "Peaks found", axis="y2"),
        ]
    )
    _arrange(figure, pattern.two_theta, f"{pattern.source} {root}", root)
    figure.update_layout(
        yaxis={"domain": [0.09, 1], "range": [0, HEADROOM * top]},
        yaxis2=_hidden_axis([0, 0.055], [0, 1]),
    )
    return figure


def bare_figure(pattern: Pattern, root: bool) -> "go.Figure":
    """Draw a pattern of which the angles alone are known."""
    import plotly.graph_objects as go

    intensity = _scaled(pattern.intensity, root)
    figure = go.Figure([_curve(pattern.two_theta, intensity, "Measured", INK, 1.5)])
    _arrange(figure, pattern.two_theta, f"{pattern.source} {root}", root)
    figure.update_layout(yaxis={"range": [0, HEADROOM * float(intensity.max())]}, showlegend=True)
    return figure


def overlay_figure(
    overlay: "Overlay",
    pattern: Pattern,
    title: str,
    root: bool = False,
    given: str = "Measured",
    unexplained: Sequence[float] = (),
    edited: Lines | None = None,
) -> "go.Figure":
    """Draw a pattern, called `given`, the profile calculated for it, the lines as ticks, and the difference.

    With `root` the square roots are drawn, and the difference is that of the roots: every counting error then takes
    the same height. Lines that are `unexplained` (degrees 2θ) are pointed at. The lines that a person `edited` stand
    above those of the structure.
    """
    import plotly.graph_objects as go

    measured, calculated = _scaled(overlay.measured, root), _scaled(overlay.calculated, root)
    difference = measured - calculated if root else overlay.difference
    figure = go.Figure(
        [
            _given(given, overlay.two_theta, overlay.measured, pattern.wavelength, root),
            _curve(overlay.two_theta, calculated, "Calculated", RED, 1.0),
            _curve(overlay.two_theta, _scaled(overlay.background, root), "Background", FAINT, 1.0, dash="dot"),
            *_marks(overlay, title, WHOLE if edited is None else LOWER, root),
            _curve(overlay.two_theta, difference, "Difference", BLUE, 1.0, axis="y3"),
        ]
    )
    if edited is not None:
        figure.add_trace(_ticks(two_theta_from_q(edited.q, pattern.wavelength), EDITED, "y2", INK, UPPER))
    if len(unexplained):
        figure.add_trace(_pointers(np.sort(unexplained), overlay.two_theta, measured))
    _arrange(figure, overlay.two_theta, f"{pattern.source} {root}", root)
    _stack_panels(
        figure, float(max(measured.max(), calculated.max())), float(difference.min()), float(difference.max())
    )
    return figure


def _marks(overlay: "Overlay", title: str, span: tuple[float, float], root: bool) -> list["go.Scatter"]:
    """Return the ticks of a structure; of several phases the profile of each, on the background, and its own ticks."""
    if not overlay.parts:
        return [_ticks(overlay.ticks, f"Reflections of {EntryId.of(title).words}", "y2", span=span)]
    made, height = [], (span[1] - span[0]) / len(overlay.parts)
    for place, part in enumerate(overlay.parts):
        colour, name = PHASES[place % len(PHASES)], EntryId.of(part.name).words
        low = span[1] - (place + 1) * height
        made.append(_curve(overlay.two_theta, _scaled(overlay.background + part.curve, root), name, colour, 1.0))
        made.append(_ticks(part.ticks, f"Reflections of {name}", "y2", colour, (low, low + 0.85 * height)))
    return made


def empty_figure() -> "go.Figure":
    """Draw the axes alone, for a page without a pattern."""
    import plotly.graph_objects as go

    figure = go.Figure()
    _arrange(figure, np.array([5.0, 90.0]), "empty", root=False)
    figure.update_layout(yaxis={"range": [0, 1], "showticklabels": False})
    return figure


def _scaled(intensity: NDArray, root: bool) -> NDArray:
    return np.sqrt(np.clip(intensity, 0, None)) if root else intensity


def _stack_panels(figure: "go.Figure", top: float, low: float, high: float) -> None:
    """Put profile, ticks and difference above one another so that one intensity has one height in all of them.

    Args:
        figure: gets its y axes.
        top: highest intensity.
        low: least difference.
        high: greatest difference.
    """
    share = (high - low) / (high - low + HEADROOM * top)
    bottom = max((1 - TICK_BAND) * share, 0.12)
    half = HEADROOM * top * bottom / (1 - TICK_BAND - bottom) / 2
    middle = (low + high) / 2
    figure.update_layout(
        yaxis={"domain": [bottom + TICK_BAND, 1], "range": [0, HEADROOM * top]},
        yaxis2=_hidden_axis([bottom + 0.02, bottom + 0.065], [0, 1]),
        yaxis3=_hidden_axis([0, bottom], [middle - half, middle + half]),
    )


def _given(name: str, two_theta: NDArray, intensity: NDArray, wavelength: float, root: bool) -> "go.Scatter":
    """Return the curve of the pattern itself; pointing at it tells 2θ, ``d = λ / 2 sin θ`` and the intensity itself."""
    trace = _curve(two_theta, _scaled(intensity, root), name, INK, 1.5)
    spacing = wavelength / (2 * np.sin(np.radians(two_theta) / 2))
    _, spacing, intensity = broken(two_theta, spacing, intensity)
    trace.customdata = np.column_stack([spacing, intensity]).astype(np.float32)
    trace.hovertemplate = (
        "2θ %{x:.3f}°<br>d %{customdata[0]:.4f} Å<br>%{customdata[1]:,.4~g}<extra>" + name.lower() + "</extra>"
    )
    return trace


def _curve(
    x: NDArray, y: NDArray, name: str, colour: str, width: float, dash: str = "solid", axis: str = "y"
) -> "go.Scatter":
    import plotly.graph_objects as go

    x, y = broken(x, y)
    return go.Scatter(
        x=np.asarray(x, np.float32),
        y=np.asarray(y, np.float32),
        name=name,
        mode="lines",
        line={"color": colour, "width": width, "dash": dash},
        hovertemplate="%{y:,.4~g}<extra>" + name.lower() + "</extra>",
        yaxis=axis,
    )


def _ticks(
    angles: NDArray, name: str, axis: str, colour: str = GREEN, span: tuple[float, float] = WHOLE
) -> "go.Scatter":
    """Return one short upright stroke per angle, as a single broken line: thousands of markers would be slow."""
    import plotly.graph_objects as go

    known = np.asarray(angles, np.float32)
    known = known[np.isfinite(known)]
    gaps = np.full_like(known, np.nan)
    return go.Scatter(
        x=np.column_stack([known, known, gaps]).ravel(),
        y=np.tile(np.array([*span, np.nan], np.float32), len(known)),
        name=name,
        mode="lines",
        line={"color": colour, "width": 1},
        hoverinfo="skip",
        yaxis=axis,
    )


def _pointers(angles: NDArray, two_theta: NDArray, height: NDArray) -> "go.Scatter":
    """Return a triangle over each of the lines at `angles`, above the curve of this `height`."""
    import plotly.graph_objects as go

    top = float(height.max())
    places = np.interp(angles, two_theta, height) + 0.03 * top
    return go.Scatter(
        x=np.asarray(angles, np.float32),
        y=np.asarray(places, np.float32),
        name="Not explained",
        mode="markers",
        marker={"symbol": "triangle-down", "size": 10, "color": ORANGE},
        hovertemplate="peak at %{x:.3f}°<extra>not explained</extra>",
    )


def _hidden_axis(domain: list[float], span: list[float]) -> dict[str, Any]:
    """Return a y axis without labels; its zero line shows where it has one."""
    return {
        "domain": domain,
        "range": span,
        "showticklabels": False,
        "showgrid": False,
        "zeroline": span[0] < 0,
        "zerolinecolor": GRID,
        "fixedrange": True,
    }


def _arrange(figure: "go.Figure", two_theta: NDArray, revision: str, root: bool) -> None:
    """Set axes, legend and margins. Figures of one `revision` keep the reader's zoom."""
    axis = {"gridcolor": GRID, "zeroline": False, "linecolor": FAINT, "ticks": "outside", "tickcolor": FAINT}
    figure.update_layout(
        template="none",
        height=HEIGHT,
        margin={"l": 66, "r": 14, "t": 30, "b": 46},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": FONT, "size": 12, "color": INK},
        hovermode="x",
        dragmode="zoom",
        uirevision=revision,
        legend={"orientation": "h", "x": 0, "y": 1.01, "xanchor": "left", "yanchor": "bottom", "font": {"size": 12}},
        xaxis={
            **axis,
            "title": {"text": "2θ (°)", "standoff": 6},
            "range": [float(two_theta[0]), float(two_theta[-1])],
            "anchor": "free",
            "position": 0,
        },
        yaxis={
            **axis,
            "title": {"text": "√ Intensity" if root else "Intensity", "standoff": 8},
            "rangemode": "nonnegative",
        },
    )
