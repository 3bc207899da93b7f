"""Pictures of a generation benchmark, as in figure 3 of the XtalNet paper."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from generate.benchmark.benchmark import RMSE_EDGES, Curve, GenerationBenchmark
from generate.benchmark.matching import STRICT
from xtal.crystals import Crystal
from xtal.crystals.sketch import draw_crystal
from xtal.figure import COLOURS

RESOLUTION = 150  # dots per inch


def plot_benchmark(result: GenerationBenchmark, path: Path) -> None:
    """Draw match rate against candidates for each way and tolerance, and the histogram of the best rmse."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.8), layout="constrained")
    rates, histogram = figure.subplots(1, 2)
    ways = list(dict.fromkeys(curve.way for curve in result.curves))
    for curve in (c for c in result.curves if c.subset == "all"):
        _draw_rate(rates, curve, COLOURS[ways.index(curve.way) % len(COLOURS)])
    rates.set(xlabel="candidates", ylabel="queries matched (%)", ylim=(0, 100))
    rates.xaxis.get_major_locator().set_params(integer=True)
    rates.grid(alpha=0.3)
    rates.legend(fontsize="x-small")
    own = next(c for c in result.curves if c.way == "generated" and c.tolerance == STRICT.name and c.subset == "all")
    histogram.stairs(own.histogram, RMSE_EDGES, fill=True, color=COLOURS[0])
    histogram.set(xlabel="best rmse, (V/N)^(1/3)", ylabel="queries", title="generated, strict")
    words = f"{result.queries} held-out crystals of {Path(result.choice.source).name}, {result.request.method} sampler"
    figure.suptitle(f"{words}, {result.request.steps} steps", fontsize="medium")
    figure.savefig(path, dpi=RESOLUTION)


def _draw_rate(panel: Any, curve: Curve, colour: str) -> None:
    """Draw one curve: the strict tolerance as a line, the others dashed and dotted, named once per way."""
    style = {"strict": "-", "loose": "--"}.get(curve.tolerance, ":")
    label = f"{curve.way}, {curve.tolerance}" if curve.way == "generated" or style == "-" else None
    panel.plot(np.arange(1, len(curve.percent) + 1), curve.percent, style, color=colour, label=label)


def plot_trajectory(stages: Sequence[tuple[str, Crystal]], path: Path) -> None:
    """Draw a crystal at several (title, crystal) stages of its denoising, as `xtal.crystals.sketch` draws it."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2.4 * len(stages), 2.8), layout="constrained")
    for panel, (title, crystal) in zip(figure.subplots(1, len(stages)), stages, strict=True):
        draw_crystal(panel, crystal)
        panel.set_title(title, fontsize="small")
    figure.savefig(path, dpi=RESOLUTION)
