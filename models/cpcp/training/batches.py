"""Measured samples for training: crystals drawn formula by formula, each measured afresh by an imagined laboratory."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.cpcp.config import NetworkConfig, TrainingConfig
from models.cpcp.features import LineBatch, batch_lines
from models.cpcp.training.dataset import CrystalSet
from xtal.patterns import Lines, two_theta_from_q
from xtal.patterns.linefinder import find_lines
from xtal.physics import PAPER_SCAN, Scan, measure
from xtal.physics.artefacts import CU_K_ALPHA

MARGIN = 1.02  # reflections must reach this far beyond the scan, for strain moves lines in as well as out
USES = 3  # how often one measured sample may be trained on: measuring costs more than learning; see `disturb`


@dataclass(frozen=True, eq=False)
class Samples:
    """B crystals by row of the `CrystalSet` (B,), and the lines found in one measurement of each."""

    rows: NDArray[np.int64]
    lines: LineBatch


def formula_order(formulas: NDArray[np.str_], rng: Generator) -> NDArray[np.int64]:
    """Shuffle crystals so that those of equal formula stay together: they become each other's hard negatives."""
    _, group = np.unique(formulas, return_inverse=True)
    place = rng.permutation(group.max() + 1)
    return np.lexsort([rng.random(len(group)), place[group]])


def random_scan(reach: float, paper_share: float, rng: Generator) -> Scan:
    """Draw a scan: the paper's, or any range from 3-10° to 30-90° (Cu Kα) that the reach (Å⁻¹) allows."""
    if rng.random() < paper_share:
        return PAPER_SCAN
    furthest = float(np.nan_to_num(two_theta_from_q(reach / MARGIN, CU_K_ALPHA), nan=90.0))
    last = rng.uniform(30, max(30.0, min(90.0, furthest)))
    return Scan(rng.uniform(3, 10), last, rng.uniform(0.01, 0.03))


def measured_lines(crystals: CrystalSet, row: int, severity: float, scan: Scan, limit: int, rng: Generator) -> Lines:
    """Measure one crystal and find the lines."""
    return find_lines(measure(crystals.reflections(row), severity, rng, scan), limit)


def sample_batches(
    crystals: CrystalSet, rows: NDArray[np.int64], network: NetworkConfig, training: TrainingConfig, seed: int
) -> Iterator[Samples]:
    """Yield batches for ever, epoch after epoch over the chosen `rows`."""
    rng = np.random.default_rng(seed)
    waiting = np.empty(0, dtype=np.int64)
    while True:
        while len(waiting) < training.batch:
            waiting = np.concatenate([waiting, rows[formula_order(crystals.formulas[rows], rng)]])
        chosen, waiting = waiting[: training.batch], waiting[training.batch :]
        found = [
            measured_lines(
                crystals,
                int(row),
                float(rng.uniform(0, training.severity)),
                random_scan(float(crystals.reach[row]), training.paper_scans, rng),
                network.drawn,
                rng,
            )
            for row in chosen
        ]
        yield Samples(chosen, batch_lines(found, network.drawn))


def disturb(samples: Samples, rng: Generator) -> Samples:
    """Disturb found lines once more, so that a sample seen again is a new one: scale, intensities, lost lines."""
    lines = samples.lines
    scale = 1 + rng.normal(0, 0.002, (len(lines), 1)) + rng.normal(0, 0.0007, lines.q.shape)
    factor = np.exp(rng.normal(0, 0.12, lines.q.shape))
    lost = rng.random(lines.q.shape) < rng.uniform(0, 0.15, (len(lines), 1)) * (lines.intensity < 0.3)
    changed = LineBatch(
        (lines.q * scale).astype(np.float32), np.where(lost, 0, lines.intensity * factor), lines.width, lines.q_range
    )
    return Samples(samples.rows, sorted_lines(changed))


def sorted_lines(lines: LineBatch) -> LineBatch:
    """Put the strongest line of each row first again, at intensity 1."""
    order = np.argsort(-lines.intensity, axis=1, kind="stable")
    intensity = np.take_along_axis(lines.intensity, order, 1)
    intensity = (intensity / np.maximum(intensity[:, :1], 1e-9)).astype(np.float32)
    return LineBatch(
        np.take_along_axis(lines.q, order, 1), intensity, np.take_along_axis(lines.width, order, 1), lines.q_range
    )
