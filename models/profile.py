"""The untrained fingerprint: a compressed, smoothed powder profile.

Lines (found in a pattern, or computed from a crystal) are drawn with one width, `(profile)^POWER` is smoothed and
sampled. The fourth root lets weak lines speak, which strain and texture leave in place while they change strong ones;
the smoothing forgives shifts. The q axis has two segments that are compared separately, so that a pattern measured in
the first one alone compares as if the crystal had nothing beyond.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from xtal.crystals import Crystal
from xtal.patterns import Lines
from xtal.physics import LineTable

SEGMENTS = ((0.2135, 2.111), (2.111, 4.2))  # Å⁻¹: 3 to 30° with Cu Kα, the usual scan of a framework, and beyond
STEP = 0.002  # Å⁻¹, of the grid on which profiles are drawn
EVERY = 4  # grid points per dimension: one per 0.008 Å⁻¹, finer than the smoothing
LINE_WIDTH = 0.018  # Å⁻¹ full width at half maximum: 0.25° with Cu Kα
SMOOTHING = 0.012  # Å⁻¹ standard deviation: 0.6 % of the cell at the far end of the first segment
POWER = 0.25
BLOCK = 1024  # crystals drawn at a time: 16 MB
VERSION = 2  # raise it when the vectors change for another reason than a setting


class ProfileEmbedder:
    """`Embedder` without training; see the text of this module."""

    name = "profile"

    def __init__(self) -> None:
        settings = (VERSION, SEGMENTS, STEP, EVERY, LINE_WIDTH, SMOOTHING, POWER)
        self.model_id = hashlib.sha256(repr(settings).encode()).hexdigest()
        self.dimension = sum(len(_samples(*segment)) for segment in SEGMENTS)

    def embed_patterns(self, lines: Sequence[Lines]) -> NDArray[np.float32]:
        """Return (B, dimension) vectors; a pattern in which no line was found is a zero vector.

        Each segment is as long as its share of the squared profile, so that the product with a crystal is the mean of
        the segments' cosines, weighted by what was measured in them.
        """
        parts = self._parts(LineTable.stack(lines))
        energy = np.stack([np.einsum("bd,bd->b", part, part) for part in parts])  # (segments, B)
        share = energy / np.maximum(energy.sum(axis=0), 1e-30)
        return np.concatenate([_unit(part) * w[:, None] for part, w in zip(parts, share, strict=True)], axis=1)

    def embed_crystals(self, crystals: Sequence[Crystal], lines: LineTable) -> NDArray[np.float32]:  # noqa: ARG002
        """Return (S, dimension) vectors; each segment that holds a line has length 1."""
        return np.concatenate([_unit(part) for part in self._parts(lines)], axis=1)

    def _parts(self, lines: LineTable) -> list[NDArray[np.float32]]:
        """Return one (S, d) array for each segment."""
        return [
            np.concatenate(
                [np.empty((0, len(_samples(*segment))), np.float32)]
                + [
                    _draw(lines, np.arange(i, min(i + BLOCK, len(lines))), *segment)
                    for i in range(0, len(lines), BLOCK)
                ]
            )
            for segment in SEGMENTS
        ]


def _samples(low: float, high: float) -> NDArray[np.int64]:
    """Return the grid points of a segment that become dimensions."""
    return np.arange(EVERY // 2, int((high - low) / STEP), EVERY)


def _draw(lines: LineTable, rows: NDArray[np.int64], low: float, high: float) -> NDArray[np.float32]:
    """(R, d) smoothed power of the profile of the lines between `low` and `high`, strongest point of each row 1."""
    size = int((high - low) / STEP)
    q, intensity = lines.padded(rows)  # (R, L)
    inside = (q >= low) & (q < low + size * STEP) & (intensity > 0)
    place = np.nonzero(inside)[0] * size + ((q[inside] - low) / STEP).astype(np.int64)
    sticks = np.bincount(place, intensity[inside], len(rows) * size).reshape(len(rows), size).astype(np.float32)
    curve = gaussian_filter1d(sticks, LINE_WIDTH / 2.3548 / STEP, axis=1, mode="constant")
    smooth = gaussian_filter1d(np.clip(curve, 0, None) ** POWER, SMOOTHING / STEP, axis=1, mode="constant")
    return smooth[:, _samples(low, high)]


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows to length one; a zero row stays zero."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(length > 0, length, 1), dtype=np.float32)
