"""The fitted profile as a figure for print: measured, calculated, indices, ticks and difference, in one column or two.

Drawn without pyplot, whose state threads would share. Letters become outlines in SVG and embedded TrueType in PDF, so
that they look the same everywhere.
"""

import io
import re
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from search.paper.indices import label
from search.paper.profile import FittedProfile, Marks
from xtal.crystals import as_written
from xtal.errors import UserError
from xtal.figure import COLOURS, SUFFIXES
from xtal.patterns.segments import broken

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SIZE = (6.7, 3.7)  # inches: two columns of a journal, 170 mm
DOTS = 600  # per inch, of a PNG
FONT = 7.5  # points
INK, RED, SLATE, ORANGE, GREY = "#000000", "#d62828", "#5b6675", "#d97706", "#8a93a0"
MOST_LABELS = 14
LEAST_AREA = 0.01  # of the strongest peak: fainter ones get no label
CLOSE = 0.018  # of the range: labels nearer than this would cover each other
ROOM = 0.16  # of the height, above the highest peak, for its indices
TICKS = 0.045  # of the height, for the ticks of a phase
STYLE = {
    "font.family": "DejaVu Sans",  # comes with matplotlib
    "font.size": FONT,
    "mathtext.fontset": "dejavusans",
    "svg.fonttype": "path",
    "svg.hashsalt": "xtalscout",
    "pdf.fonttype": 42,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "xtick.direction": "in",
}
styles = Lock()  # matplotlib keeps its styles in one place for all threads


def figure_bytes(profile: FittedProfile, suffix: str) -> bytes:
    """Return the figure as a file of this suffix, ``.svg``, ``.pdf`` or ``.png``, at print size (170 mm wide).

    Raises:
        UserError: the suffix is another one.
    """
    kind = checked_kind(suffix)
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    file = io.BytesIO()
    undated: dict[str, Any] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
    with styles, rc_context(STYLE):
        figure = Figure(figsize=SIZE, layout="constrained")
        FigureCanvasAgg(figure)
        draw(figure, profile)
        figure.savefig(file, format=kind[1:], dpi=DOTS, metadata=undated.get(kind))
    return file.getvalue()


def checked_kind(suffix: str) -> str:
    """Return a suffix in small letters; UserError where no figure ends so."""
    kind = suffix.lower()
    if kind not in SUFFIXES:
        raise UserError(f"the figure must end in {', '.join(SUFFIXES)}, got {suffix!r}")
    return kind


def draw(figure: "Figure", profile: FittedProfile) -> None:
    """Draw a profile into an empty figure."""
    axes = figure.add_subplot()
    two_theta, top = profile.two_theta, float(max(profile.observed.max(), profile.calculated.max()))
    axes.plot(*broken(two_theta, profile.observed), color=INK, lw=0.7, label="Observed")
    bottom = -0.03 * top
    if profile.phases:
        axes.plot(*broken(two_theta, profile.calculated), color=RED, lw=0.6, label="Calculated")
        axes.plot(*broken(two_theta, profile.background), color=GREY, lw=0.6, ls=":", label="Background")
        for number, phase in enumerate(profile.phases):
            colour = COLOURS[number % len(COLOURS)]
            axes.vlines(
                phase.ticks, bottom - TICKS * top, bottom - 0.01 * top, color=colour, lw=0.5, label=_title(phase)
            )
            bottom -= TICKS * top
        base = bottom - 0.03 * top - float(profile.difference.max())
        axes.plot(*broken(two_theta, profile.difference + base), color=SLATE, lw=0.6, label="Difference")
        bottom = base + float(profile.difference.min())
        _name_peaks(axes, profile, top)
    if profile.unexplained:
        places = np.interp(profile.unexplained, two_theta, profile.observed) + 0.03 * top
        axes.plot(profile.unexplained, places, "v", color=ORANGE, ms=3.5, label="Not explained", ls="none")
    axes.set(xlabel="2θ (°)", ylabel="Intensity", xlim=(two_theta[0], two_theta[-1]))
    axes.set_ylim(bottom - 0.03 * top, (1 + ROOM) * top)
    axes.set_yticks([])
    axes.set_title(profile.name, loc="left", fontsize=FONT + 1.5)
    axes.set_title(_facts(profile), loc="right", fontsize=FONT)
    axes.legend(frameon=False, fontsize=FONT - 0.5, loc="upper right", handlelength=1.4, borderaxespad=0.3)


def _title(phase: Marks) -> str:
    """Return the name of a phase, and its formula with small numbers."""
    formula = re.sub(r"\d+(?:\.\d+)?", r"$_{\g<0>}$", as_written(phase.formula))
    return f"{phase.name} {formula}".strip().replace("$$", "")


def _facts(profile: FittedProfile) -> str:
    """Return agreement and wavelength; what was not refined says so."""
    facts = [f"λ = {profile.wavelength:.5g} Å"]
    if profile.phases:
        how = "Rietveld" if profile.refined else "fitted, not refined"
        facts.insert(0, f"$R_{{wp}}$ = {profile.r_wp:.1%} ({how})")
    return ",  ".join(facts)


def _name_peaks(axes: "Axes", profile: FittedProfile, top: float) -> None:
    """Write the indices of the strongest peaks above them, where there is room."""
    curve = np.maximum(profile.observed, profile.calculated)
    reach = CLOSE * float(profile.two_theta[-1] - profile.two_theta[0])
    for place, text, number in strongest(profile, reach):
        near = np.abs(profile.two_theta - place) < reach / 3
        height = float(curve[near].max()) if near.any() else float(np.interp(place, profile.two_theta, curve))
        colour = COLOURS[number % len(COLOURS)] if len(profile.phases) > 1 else INK
        axes.text(place, height + 0.02 * top, text, rotation=90, ha="center", va="bottom", color=colour, fontsize=6.5)


def strongest(profile: FittedProfile, reach: float) -> list[tuple[float, str, int]]:
    """Return angle, indices and number of phase of up to `MOST_LABELS` peaks, none within `reach` (°) of another.

    Peaks of several phases are compared by the height of the calculated profile there.
    """
    net = profile.calculated - profile.background
    found: list[tuple[float, float, NDArray[np.int32], int]] = []
    for number, phase in enumerate(profile.phases):
        peaks = phase.peaks
        heights = np.interp(peaks.two_theta, profile.two_theta, net)
        keep = peaks.area > LEAST_AREA * peaks.area.max(initial=0.0)
        found += [
            (float(height), float(place), hkl, number)
            for height, place, hkl in zip(heights[keep], peaks.two_theta[keep], peaks.hkl[keep], strict=True)
        ]
    taken: list[tuple[float, str, int]] = []
    for _, place, hkl, number in sorted(found, key=lambda peak: -peak[0]):
        if len(taken) < MOST_LABELS and all(abs(place - other) > reach for other, _, _ in taken):
            taken.append((place, label(hkl), number))
    return sorted(taken)
