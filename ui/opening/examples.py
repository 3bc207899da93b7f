"""The bundled examples as buttons, each with a small drawing of its pattern."""

from collections.abc import Sequence
from html import escape

import numpy as np

from ui.inputs import Source
from xtal.patterns import Pattern

WIDTH, HEIGHT = 120, 26  # of a drawing, in units of its own
FOOT = 1.0  # room below the lowest point


def examples_html(sources: Sequence[Source]) -> str:
    """Return one button for each pattern, "" where there is none."""
    if not sources:
        return ""
    buttons = "".join(map(_button, sources))
    return f'<p>or an example, simulated</p><div role="group" aria-label="Examples">{buttons}</div>'


def _button(source: Source) -> str:
    from xtal.readers import read_pattern

    name = escape(source.path.stem)
    curve = f'<path d="{curve_path(read_pattern(source.path))}" vector-effect="non-scaling-stroke"/>'
    drawing = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" aria-hidden="true">{curve}</svg>'
    return f'<button type="button" data-pick="{name}"><span>{name}</span>{drawing}</button>'


def curve_path(pattern: Pattern) -> str:
    """Return a pattern as an SVG path in a box of `WIDTH` by `HEIGHT`: in each column its highest point."""
    columns = np.array_split(pattern.intensity, min(WIDTH, len(pattern)))
    tops = np.array([column.max() for column in columns])
    low, high = tops.min(), tops.max()
    y = HEIGHT - FOOT - (HEIGHT - 2 * FOOT) * (tops - low) / max(high - low, 1e-12)
    x = np.linspace(0, WIDTH, len(tops))
    return "M" + "L".join(f"{a:.4g} {b:.3g}" for a, b in zip(x, y, strict=True))
