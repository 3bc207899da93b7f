"""A series as a figure: the patterns as a map, beside it the shares of the phases and the volumes of their cells."""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from search.paper.figure import DOTS, FONT, STYLE, checked_kind, styles
from search.paper.series import SeriesScan, courses, in_order, labels
from xtal.errors import UserError
from xtal.figure import COLOURS
from xtal.patterns import q_from_two_theta

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (6.7, 4.2)  # inches
MOST_NAMED = 20  # scans whose names stand beside the map
MOST_DRAWN = 6  # phases
COLUMNS = 700  # of the map


def series_bytes(scans: Sequence[SeriesScan], suffix: str) -> bytes:
    """Return the figure of two scans or more as a file of this suffix, ``.svg``, ``.pdf`` or ``.png``.

    Raises:
        UserError: the suffix is another one, or there are fewer scans.
    """
    kind = checked_kind(suffix)
    if len(scans) < 2:
        raise UserError(f"a series needs two scans or more, got {len(scans)}")
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    file = io.BytesIO()
    undated: dict[str, Any] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with styles, rc_context(STYLE):
        figure = Figure(figsize=SIZE, layout="constrained")
        FigureCanvasAgg(figure)
        _draw(figure, in_order(scans))
        figure.savefig(file, format=kind[1:], dpi=DOTS, metadata=undated.get(kind))
    return file.getvalue()


def _draw(figure: "Figure", scans: list[SeriesScan]) -> None:
    left, middle, right = figure.subplots(1, 3, sharey=True, width_ratios=[2.2, 1, 1])
    number = np.arange(1, len(scans) + 1)
    _map(left, scans)
    found = courses(scans)[:MOST_DRAWN]
    for place, course in enumerate(found):
        style: dict[str, Any] = {"color": COLOURS[place % len(COLOURS)], "lw": 0.8, "marker": "o", "ms": 2.2}
        middle.plot(100 * course.share, number, label=course.name, **style)
        first = course.volume[np.isfinite(course.volume)][0]
        right.plot(100 * (course.volume / first - 1), number, **style)
    for at, scan in zip(number, scans, strict=True):
        if not scan.phases:
            middle.plot(0, at, "x", color="#8a93a0", ms=3)
    middle.set(xlabel="Share by weight (%)", xlim=(-5, 105))
    right.set_xlabel("Cell volume, change (%)")
    right.axvline(0, color="#8a93a0", lw=0.4)
    if len(scans) <= MOST_NAMED:
        left.set_yticks(number, labels(scans))
    else:
        left.set_ylabel("Scan")
    if found:
        figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=FONT - 0.5, handlelength=1.4)


def _map(axes: "Axes", scans: list[SeriesScan]) -> None:
    """Draw the patterns, first scan at the top, as square roots over what all scans have in common at least once."""
    wavelength = scans[0].pattern.wavelength
    first = max(_angle(scan, 0, wavelength) for scan in scans)
    last = min(_angle(scan, -1, wavelength) for scan in scans)
    if last <= first:
        raise UserError("the scans of this series have no angles in common; draw scans of one range together")
    grid = np.linspace(first, last, COLUMNS)
    rows = np.array([_row(scan, grid, wavelength) for scan in scans])
    extent = (first, last, len(scans) + 0.5, 0.5)
    axes.imshow(rows, aspect="auto", extent=extent, cmap="magma_r", interpolation="nearest")
    axes.set_xlabel(f"2θ (°), λ = {wavelength:.5g} Å")


def _angle(scan: SeriesScan, place: int, wavelength: float) -> float:
    """Return an end of a scan in degrees at the wavelength of the map."""
    q = float(q_from_two_theta(scan.pattern.two_theta[[place]], scan.pattern.wavelength)[0])
    return float(2 * np.degrees(np.arcsin(min(1.0, q * wavelength / (4 * np.pi)))))


def _row(scan: SeriesScan, grid: NDArray[np.float64], wavelength: float) -> NDArray[np.float64]:
    """Return √ intensity at the angles of the map, from 0 to 1."""
    pattern = scan.pattern
    q = q_from_two_theta(grid, wavelength)
    root = np.sqrt(np.interp(q, q_from_two_theta(pattern.two_theta, pattern.wavelength), pattern.intensity))
    return (root - root.min()) / max(float(np.ptp(root)), 1e-30)
