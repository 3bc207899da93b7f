"""Which entries of an index may be among the phases of a pattern: by fingerprint, and by their own lines alone.

The fingerprint of a mixture resembles none of its phases. So every entry is also asked whether its strongest lines are
there, whatever else is:

    z = (Σ_k w_k P(ln q_k + s) / Σ_k w_k - p) √n,    w_k = √A_k,    n = (Σ w)² / Σ w²,   best s of |s| <= 0.01

with A its line areas within the scan, P(ln q) how much of the pattern stands at q (0 to 1), p the mean of P.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from xtal.patterns import Lines
from xtal.patterns.lorentz import lorentz_polarisation_ratio

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from search.engine import Engine

STRONGEST = 48  # lines of an entry that are looked at
STEP, NEAR, REACH = 0.0005, 0.003, 0.01  # of the grid in ln q; how far a line may lie off; of the scales
REACHED, SCALES = 20, 9  # steps to the farthest scale; scales that are tried
ROOT = 0.25  # power of the area of a found line: a weak one is a line too
FEWEST = 2  # lines within the scan
BLOCK = 2048
RANGES = 2  # scans of one range and wavelength for which the lines stay on their grid: at most 0.4 kB an entry


class Scout:
    """Finds candidates in one index; safe to use from several threads."""

    def __init__(self, engine: "Engine") -> None:
        """Note the strongest lines (S, K) of every entry: half a second for ten thousand."""
        self._engine = engine
        self._seen = lru_cache(RANGES)(self._look)
        lines = engine.index.lines
        self._q = np.zeros((len(lines), STRONGEST), np.float32)
        self._intensity = np.zeros((len(lines), STRONGEST), np.float32)
        for first in range(0, len(lines), BLOCK):
            table = lines.take(np.arange(first, min(first + BLOCK, len(lines))))
            for row in range(len(table)):
                part = slice(table.offsets[row], table.offsets[row + 1])
                intensity = table.intensity[part]
                if len(intensity) > STRONGEST:
                    best = np.argpartition(-intensity, STRONGEST)[:STRONGEST]
                else:
                    best = np.arange(len(intensity))
                self._q[first + row, : len(best)] = table.q[part][best]
                self._intensity[first + row, : len(best)] = intensity[best]

    def candidates(
        self,
        lines: Lines,
        wavelength: float,
        count: int,
        allowed: NDArray[np.int64] | None = None,
        without: Sequence[int] = (),
    ) -> NDArray[np.int64]:
        """Return rows of up to 2 `count` entries, half of them by fingerprint and half by their lines.

        Args:
            lines: found, or what others leave of them.
            wavelength: Å.
            count: of each kind.
            allowed: rows that pass a filter; None lets all pass.
            without: rows that are left out.
        """
        if not len(lines):
            return np.empty(0, np.int64)
        engine = self._engine
        vectors = engine.embedder.embed_patterns([lines])
        alike = engine.nearest(vectors, count, allowed)
        score = self.scores(lines, wavelength)
        score[list(without)] = -np.inf
        if allowed is not None:
            passes = np.zeros(len(score), dtype=bool)
            passes[allowed] = True
            score[~passes] = -np.inf
        best = highest(score, 3 * count)
        best = best[np.isfinite(score[best])]
        group = engine.index.entries.group[best]
        distinct = best[np.sort(np.unique(group, return_index=True)[1])][:count]
        both = np.concatenate([alike, distinct])
        first = np.sort(np.unique(both, return_index=True)[1])
        return both[first][~np.isin(both[first], list(without))]

    def scores(self, lines: Lines, wavelength: float) -> NDArray[np.float64]:
        """Return z (S,) of every entry, see the module's text; -inf where hardly a line lies within the scan."""
        low, high = lines.q_range
        area = lines.intensity / lorentz_polarisation_ratio(lines.q, wavelength)
        level = (area / area.max()) ** ROOT
        start, points = _grid(low, high)
        grid = start + STEP * np.arange(points)
        there = np.zeros(points)
        for place, strength in zip(np.log(lines.q), level, strict=True):
            near = slice(*np.searchsorted(grid, (place - 3 * NEAR, place + 3 * NEAR)))
            there[near] = np.maximum(there[near], strength * np.exp(-0.5 * ((grid[near] - place) / NEAR) ** 2))
        scaled = sliding_window_view(np.pad(there, REACHED, "edge"), 2 * REACHED + 1)[:, :: 2 * REACHED // (SCALES - 1)]
        seen = self._seen(low, high, wavelength)
        best = (seen.share @ scaled.astype(np.float32)).max(axis=1)
        return np.where(seen.enough, (best - there.mean()) * seen.root, -np.inf)

    def _look(self, low: float, high: float, wavelength: float) -> "_Seen":
        """Put the lines of all entries on the grid of a scan from `low` to `high`, in Å⁻¹."""
        from scipy.sparse import csr_array

        start, points = _grid(low, high)
        parts = [
            _block(self._q[n : n + BLOCK], self._intensity[n : n + BLOCK], low, high, wavelength, start)
            for n in range(0, len(self._q), BLOCK)
        ]
        place, share, inside, root = (np.concatenate(each) for each in zip(*parts, strict=True))
        first = np.concatenate([[0], np.cumsum(inside)])
        return _Seen(csr_array((share, place, first), (len(inside), points)), root, inside >= FEWEST)


def highest(values: NDArray[np.floating], count: int) -> NDArray[np.int64]:
    """Return the places of the `count` highest of values (S,), falling; equal ones in their order."""
    beyond = max(len(values) - count, 0)
    rows = np.flatnonzero(values >= np.partition(values, beyond)[beyond])
    return rows[np.argsort(-values[rows], kind="stable")[:count]]


@dataclass(frozen=True, eq=False)
class _Seen:
    """The lines of S entries within a scan.

    Attributes:
        share: (S, G) weights of the lines at the places of the grid, of each entry 1 together.
        root: (S,) root of the effective number of lines.
        enough: (S,) whether these are at least `FEWEST`.
    """

    share: "csr_array"
    root: NDArray[np.float64]
    enough: NDArray[np.bool_]


def _grid(low: float, high: float) -> tuple[float, int]:
    """Return the first ln q of the grid for a scan, and its number of points."""
    start = np.log(low) - REACH
    return float(start), int((np.log(high) + REACH - start) / STEP) + 2


def _block(
    q: NDArray[np.float32],
    intensity: NDArray[np.float32],
    low: float,
    high: float,
    wavelength: float,
    start: float,
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Return places and weights (L,) of the lines of some entries that lie within a scan, their numbers and `root`."""
    wide = q.astype(np.float64)
    inside = (wide > low) & (wide < high)
    wide = np.where(inside, wide, low)
    weight = np.sqrt(np.where(inside, intensity / lorentz_polarisation_ratio(wide, wavelength), 0.0))
    total = np.maximum(weight.sum(axis=1), 1e-12)
    place = np.rint((np.log(wide[inside]) - start) / STEP).astype(np.int32)
    share = (weight / total[:, None])[inside].astype(np.float32)
    return place, share, inside.sum(axis=1), total / np.sqrt(np.maximum((weight**2).sum(axis=1), 1e-12))
