"""Hit rates: held-out patterns against every crystal of a gallery."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from models.cpcp.atoms import batch_atoms
from models.cpcp.features import LineBatch, batch_lines
from models.cpcp.model import CPCP, CrystalBatch
from models.cpcp.training.batches import Samples, measured_lines
from models.cpcp.training.dataset import CrystalSet
from xtal.physics import PAPER_SCAN

TOPS = (1, 10, 100)
CHUNK = 256  # rows embedded at once


@dataclass(frozen=True, eq=False)
class Queries:
    """One measurement of each of some crystals, at one severity, in the paper's scan."""

    severity: float
    samples: Samples

    @classmethod
    def draw(cls, crystals: CrystalSet, rows: NDArray[np.int64], severity: float, limit: int, seed: int) -> "Queries":
        """Measure each of `rows` once and keep the `limit` strongest lines found."""
        rng = np.random.default_rng(seed)
        found = [measured_lines(crystals, int(row), severity, PAPER_SCAN, limit, rng) for row in rows]
        return cls(severity, Samples(rows, batch_lines(found, limit)))


@torch.no_grad()
def embed_patterns(model: CPCP, found: LineBatch) -> NDArray[np.float32]:
    """(B, dimension) unit vectors of found lines."""
    with torch.autocast(model.device.type, torch.bfloat16):
        parts = [model.patterns(found.rows(rows)).float().cpu() for rows in _chunks(np.arange(len(found)))]
    return torch.cat(parts).numpy()


@torch.no_grad()
def embed_gallery(model: CPCP, crystals: CrystalSet, own: LineBatch, gallery: NDArray[np.int64]) -> NDArray[np.float32]:
    """(S, dimension) vectors of the chosen crystals, told their composition as in serving."""
    parts = []
    for rows in _chunks(gallery):
        with torch.autocast(model.device.type, torch.bfloat16):
            parts.append(model.crystals(crystal_batch(model, crystals, own, rows)).float().cpu())
    return torch.cat(parts).numpy()


def crystal_batch(
    model: CPCP, crystals: CrystalSet, own: LineBatch, rows: NDArray[np.int64], told: NDArray[np.float32] | float = 1.0
) -> CrystalBatch:
    """Put the chosen crystals together as `model` sees them; compositions are multiplied with `told` (B, 1) or 1."""
    composition = torch.from_numpy((crystals.composition[rows] * told).astype(np.float32))
    atoms = None
    if model.atoms is not None:
        atoms = batch_atoms(crystals.atom_offsets, crystals.numbers, crystals.frac, crystals.lattices, rows)
    return CrystalBatch(own.rows(rows), composition, atoms)


def hit_rates(
    model: CPCP, crystals: CrystalSet, own: LineBatch, gallery: NDArray[np.int64], queries: Sequence[Queries]
) -> dict[str, float]:
    """Share of queries whose own entry is among the first 1, 10, 100, in per cent, keyed ``hit10@severity``.

    `gallery` (S,) are the rows searched; every query's own row must be among them.
    """
    vectors = embed_gallery(model, crystals, own, gallery)
    place = np.full(len(crystals), -1)
    place[gallery] = np.arange(len(gallery))
    rates: dict[str, float] = {}
    for query in queries:
        likeness = embed_patterns(model, query.samples.lines) @ vectors.T
        true = likeness[np.arange(len(likeness)), place[query.samples.rows]]
        rank = (likeness > true[:, None]).sum(axis=1)
        rates |= {f"hit{top}@{query.severity:g}": round(100 * float((rank < top).mean()), 1) for top in TOPS}
    return rates


def _chunks(rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [rows[first : first + CHUNK] for first in range(0, len(rows), CHUNK)]
