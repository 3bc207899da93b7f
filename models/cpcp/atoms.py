"""Crystals as padded atoms, for the atom encoder."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class AtomBatch:
    """B crystals padded to N atoms; atomic number 0 is padding.

    Attributes:
        numbers: (B, N) int64.
        frac: (B, N, 3) float32.
        lattice: (B, 3, 3) float32 Å, rows a, b, c.
    """

    numbers: NDArray[np.int64]
    frac: NDArray[np.float32]
    lattice: NDArray[np.float32]


def batch_atoms(
    offsets: NDArray[np.int64],
    numbers: NDArray[np.uint8],
    frac: NDArray[np.float32] | NDArray[np.uint16],
    lattices: NDArray[np.float32],
    rows: NDArray[np.int64],
) -> AtomBatch:
    """Pad the chosen crystals of flat arrays (see `dataset.CrystalSet`) to the largest of them."""
    counts = offsets[rows + 1] - offsets[rows]
    filled = np.arange(counts.max(initial=1)) < counts[:, None]
    places = np.where(filled, offsets[rows, None] + np.arange(filled.shape[1]), 0)
    return AtomBatch(
        np.where(filled, numbers[places], 0).astype(np.int64),
        np.where(filled[..., None], frac[places], 0).astype(np.float32),
        lattices[rows].astype(np.float32),
    )


def size_batches(counts: NDArray[np.int64], most_pairs: int) -> list[NDArray[np.int64]]:
    """Group rows of similar atom count so that (rows x largest count²) stays below `most_pairs`; one row at least."""
    order = np.argsort(counts, kind="stable")[::-1]
    groups, first = [], 0
    while first < len(order):
        take = max(1, most_pairs // int(counts[order[first]]) ** 2)
        groups.append(order[first : first + take])
        first += take
    return groups


def offsets_of(counts: Sequence[int] | NDArray[np.integer]) -> NDArray[np.int64]:
    """Return (S + 1,) running totals of the counts, from 0."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)
