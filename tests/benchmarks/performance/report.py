"""How a page of measurements is put together."""

import platform
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from xtal.settings import cores


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        simulated: crystals whose patterns are computed.
        queries: held-out patterns that are searched for.
        batch: patterns in a batch.
        most: vectors in the largest gallery.
        crystals: of each size that networks see.
    """

    simulated: int
    queries: int
    batch: int
    most: int
    crystals: int

    def up_to(self, most: int) -> Self:
        """Return the same with another largest gallery."""
        return replace(self, most=most)


def today() -> str:
    """Return the date."""
    return f"{datetime.now(UTC):%Y-%m-%d}"


def machine() -> str:
    """Name the processor, its cores, and how busy the machine is."""
    found = Path("/proc/cpuinfo")
    names = [line.split(":")[1].strip() for line in found.read_text().splitlines() if line.startswith("model name")]
    load = Path("/proc/loadavg").read_text().split()[0]
    return f"{names[0] if names else platform.machine()}, {cores()} cores, load {load} at the start"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def milliseconds(work: Callable[[], object], repeats: int = 3) -> float:
    """Return the least processor's time of a few runs: other programs only ever add to it."""
    least = float("inf")
    for _ in range(repeats):
        begun = time.process_time()
        work()
        least = min(least, time.process_time() - begun)
    return 1000 * least


def of(values: ArrayLike) -> str:
    """Write a time with as many digits as mean something."""
    value = float(np.median(values))
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


def spread(ratios: ArrayLike) -> str:
    """Write the median of ratios with their quartiles."""
    low, middle, high = np.percentile(ratios, [25, 50, 75])
    return f"**{middle:.2g}** [{low:.2g}, {high:.2g}]"
