"""Which entries of an index may be among the phases of a pattern: by fingerprint, and by their own lines alone.

The fingerprint of a mixture resembles none of its phases. So every entry is also asked whether its strongest lines are
there, whatever else is:

    z = (Σ_k w_k P(ln q_k + s) / Σ_k w_k - p) √n,    w_k = √A_k,    n = (Σ w)² / Σ w²,   best s of |s| <= 0.01

with A its line areas within the scan, P(ln q) how much of the pattern stands at q (0 to 1), p the mean of P.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from xtal.patterns import Lines
from xtal.patterns.lorentz import lorentz_polarisation_ratio

if TYPE_CHECKING:
    from search.engine import Engine

STRONGEST = 48  # lines of an entry that are looked at
STEP, NEAR, REACH = 0.0005, 0.003, 0.01  # of the grid in ln q; how far a line may lie off; of the scales
SCALES = 9
ROOT = 0.25  # power of the area of a found line: a weak one is a line too
FEWEST = 2  # lines within the scan
BLOCK = 2048


class Scout:
    """Finds candidates in one index; safe to use from several threads."""

    def __init__(self, engine: "Engine") -> None:
        """Note the strongest lines (S, K) of every entry: half a second for ten thousand."""
        self._engine = engine
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
        best = np.argsort(-score, kind="stable")[: 3 * count]
        best = best[np.isfinite(score[best])]
        group = engine.index.entries.group[best]
        distinct = best[np.sort(np.unique(group, return_index=True)[1])][:count]
        both = np.concatenate([alike, distinct])
        first = np.sort(np.unique(both, return_index=True)[1])
        return both[first][~np.isin(both[first], list(without))]

    def scores(self, lines: Lines, wavelength: float) -> NDArray[np.float64]:
        """Return z (S,) of every entry, see the module's text; -inf where hardly a line lies within the scan."""
        low, high = lines.q_range
        start = np.log(low) - REACH
        grid = start + STEP * np.arange(int((np.log(high) + REACH - start) / STEP) + 2)
        area = lines.intensity / lorentz_polarisation_ratio(lines.q, wavelength)
        level = (area / area.max()) ** ROOT
        there = np.zeros(len(grid))
        for place, strength in zip(np.log(lines.q), level, strict=True):
            near = np.abs(grid - place) < 3 * NEAR
            there[near] = np.maximum(there[near], strength * np.exp(-0.5 * ((grid[near] - place) / NEAR) ** 2))
        return np.concatenate(
            [
                self._block(slice(n, n + BLOCK), there, start, (low, high), wavelength)
                for n in range(0, len(self._q), BLOCK)
            ]
        )

    def _block(
        self, rows: slice, there: NDArray, start: float, q_range: tuple[float, float], wavelength: float
    ) -> NDArray[np.float64]:
        q = self._q[rows].astype(np.float64)
        inside = (q > q_range[0]) & (q < q_range[1])
        q = np.where(inside, q, q_range[0])
        area = self._intensity[rows] / lorentz_polarisation_ratio(q, wavelength)
        weight = np.sqrt(np.where(inside, area, 0.0))
        total = np.maximum(weight.sum(axis=1), 1e-12)
        place = (np.log(q) - start) / STEP
        best = np.zeros(len(q))
        for shift in np.linspace(-REACH, REACH, SCALES):
            at = np.clip(np.rint(place + shift / STEP), 0, len(there) - 1).astype(np.int64)
            best = np.maximum(best, (weight * there[at]).sum(axis=1) / total)
        many = total**2 / np.maximum((weight**2).sum(axis=1), 1e-12)
        score = (best - there.mean()) * np.sqrt(many)
        return np.where(inside.sum(axis=1) >= FEWEST, score, -np.inf)
