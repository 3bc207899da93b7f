"""What the networks see of lines and crystals, as plain numpy arrays: the same in training and in serving."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.cpcp.atoms import offsets_of
from xtal.crystals import Crystal
from xtal.patterns import Lines
from xtal.physics import LineTable

ELEMENTS = 100  # places in a composition vector: atomic numbers 0 (unused) to 99
RESOLUTION = 0.01  # Å⁻¹: crystal lines nearer than a laboratory line is wide (0.14° with Cu Kα) are seen as one
KEPT_LINES = 256  # computed lines per crystal that are looked at; weaker ones drown in any measurement
REACHES = (2.3, 3.2, 4.5)  # Å⁻¹: 33, 46 and 67° with Cu Kα; every table of lines reaches the first
ENOUGH = 24  # lines that tell crystals apart; frameworks show as many to the first reach, simple minerals do not
SEEN = (0.2, 6.0)  # Å⁻¹, 2.8 to 95° with Cu Kα: crystals are computed within; nothing beyond can be compared
NO_WIDTH = 0.0  # computed lines have no width


@dataclass(frozen=True, eq=False)
class LineBatch:
    """Lines of B patterns or crystals, padded to L places; a place with intensity 0 is empty.

    Attributes:
        q: (B, L) float32 Å⁻¹, strongest line first; 0 where empty.
        intensity: (B, L) float32, descending from 1; 0 where empty.
        width: (B, L) float32 Å⁻¹, 0 where unknown.
        q_range: (B, 2) float32 Å⁻¹.
    """

    q: NDArray[np.float32]
    intensity: NDArray[np.float32]
    width: NDArray[np.float32]
    q_range: NDArray[np.float32]

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.q)

    def rows(self, rows: NDArray[np.integer]) -> "LineBatch":
        """Return the chosen rows."""
        return LineBatch(self.q[rows], self.intensity[rows], self.width[rows], self.q_range[rows])


def batch_lines(rows: Sequence[Lines], length: int) -> LineBatch:
    """Pad found lines to (B, length); only those in `SEEN`, and of these the strongest `length`, are kept."""
    q, intensity, width = np.zeros((3, len(rows), length), np.float32)
    for i, row in enumerate(rows):
        seen = np.flatnonzero((row.q >= SEEN[0]) & (row.q <= SEEN[1]))
        kept = seen[np.argsort(-row.intensity[seen], kind="stable")[:length]]
        q[i, : len(kept)], intensity[i, : len(kept)] = row.q[kept], row.intensity[kept]
        if row.width is not None:
            width[i, : len(kept)] = row.width[kept]
    intensity /= np.maximum(intensity.max(axis=1, initial=0, keepdims=True), 1e-9)
    q_range = np.clip(np.array([r.q_range for r in rows], np.float32).reshape(-1, 2), *SEEN)
    return LineBatch(q, intensity, width, q_range)


def computed_lines(table: LineTable, length: int) -> LineBatch:
    """Show computed lines as a diffractometer would, padded to (S, length).

    They are cut off at a common reach, the strongest are kept, and close ones merged: what remains is the same for
    every cell of a crystal.
    """
    merged = resolved(strongest(within_common_reach(table), KEPT_LINES))
    q, intensity = merged.padded(np.arange(len(merged)))
    order = np.argsort(-intensity, axis=1, kind="stable")[:, :length]
    q, intensity = np.take_along_axis(q, order, 1), np.take_along_axis(intensity, order, 1)
    return LineBatch(q, intensity, np.full_like(q, NO_WIDTH), merged.q_range)


def within_common_reach(table: LineTable) -> LineTable:
    """Cut each crystal's lines off at the first of `REACHES` (Å⁻¹) within which `ENOUGH` resolved lines lie.

    How far a table's lines reach follows from the volume of the cell they were computed in, which is a convention.
    A crystal with fewer lines keeps them all.
    """
    ends = table.q_range[:, 1].copy()
    merged = resolved(table)
    undecided = np.ones(len(table), dtype=bool)
    for reach in REACHES:
        count = np.bincount(_crystal_of(merged)[merged.q <= reach], minlength=len(table))
        fits = undecided & (count >= ENOUGH) & (table.q_range[:, 1] > reach - 1e-3)
        ends[fits] = reach
        undecided &= ~fits
    return _subset(table, table.q <= ends[_crystal_of(table)], np.stack([table.q_range[:, 0], ends], axis=1))


def strongest(table: LineTable, count: int) -> LineTable:
    """Keep the `count` strongest lines of each crystal, still in ascending q."""
    crystal = _crystal_of(table)
    order = np.lexsort((-table.intensity, crystal))
    kept = np.zeros(len(table.q), dtype=bool)
    kept[order] = np.arange(len(order)) - table.offsets[crystal] < count
    return _subset(table, kept, table.q_range)


def resolved(table: LineTable, resolution: float = RESOLUTION) -> LineTable:
    """Merge computed lines as a diffractometer would: neighbours closer than `resolution` (Å⁻¹) become one.

    Runs of close lines are cut where they get longer than two widths. A merged line stands at the intensity-weighted
    mean. Vectorised over all crystals of the table.
    """
    if not len(table.q):
        return table
    crystal = _crystal_of(table)
    q, weight = table.q.astype(np.float64), table.intensity.astype(np.float64)
    starts = np.ones(len(q), dtype=bool)
    starts[1:] = (np.diff(q) > resolution) | (np.diff(crystal) > 0)
    run = np.cumsum(starts) - 1
    cell = np.floor((q - q[np.flatnonzero(starts)][run]) / (2 * resolution)).astype(np.int64)
    first = np.flatnonzero(np.diff(run, prepend=-1) + np.abs(np.diff(cell, prepend=0)))
    total = np.add.reduceat(weight, first)
    centre = np.add.reduceat(weight * q, first) / np.maximum(total, 1e-30)
    offsets = offsets_of(np.bincount(crystal[first], minlength=len(table)))
    return LineTable(
        offsets, centre.astype(np.float32), _relative(total, offsets), table.direction[first], table.q_range
    )


def _crystal_of(table: LineTable) -> NDArray[np.int64]:
    """(K,) which crystal each line belongs to."""
    return np.repeat(np.arange(len(table)), np.diff(table.offsets))


def _subset(table: LineTable, kept: NDArray[np.bool_], q_range: NDArray[np.float32]) -> LineTable:
    """Leave lines out; the strongest one left of each crystal becomes 1."""
    offsets = offsets_of(np.bincount(_crystal_of(table)[kept], minlength=len(table)))
    intensity = _relative(table.intensity[kept], offsets)
    return LineTable(offsets, table.q[kept], intensity, table.direction[kept], q_range)


def _relative(intensity: NDArray[np.floating], offsets: NDArray[np.int64]) -> NDArray[np.float32]:
    """(K,) intensities divided by the highest of each crystal."""
    filled = np.flatnonzero(np.diff(offsets))
    if not len(filled):
        return intensity.astype(np.float32)
    highest = np.maximum.reduceat(intensity, offsets[filled])
    return (intensity / np.repeat(highest, np.diff(offsets)[filled])).astype(np.float32)


def composition_features(crystals: Sequence[Crystal]) -> NDArray[np.float32]:
    """(S, ELEMENTS + 1) of each crystal: the share of each element among the atoms, then atoms per 10 Å³."""
    rows = np.zeros((len(crystals), ELEMENTS + 1), np.float32)
    for row, crystal in zip(rows, crystals, strict=True):
        amounts = np.bincount(crystal.numbers, weights=crystal.occupancies, minlength=ELEMENTS)
        row[:ELEMENTS] = amounts / amounts.sum()
        row[ELEMENTS] = 10 * amounts.sum() / crystal.volume
    return rows
