"""Held-out loss of a denoiser at single noises: python tests/benchmarks/noise_levels.py MODEL RUN/crystals-....npz."""

import sys
from pathlib import Path

import numpy as np

from models.ccsg.config import TrainingConfig
from models.ccsg.denoiser import Denoiser
from models.ccsg.schedule import score_sizes, sigmas
from models.ccsg.training.batches import noisy_batch, size_batches
from models.ccsg.training.dataset import MeasuredSet

SIGMAS = (0.02, 0.05, 0.1, 0.2, 0.35)  # of the cell
CRYSTALS = 128
BATCH = TrainingConfig(pairs=75_000)


def loss(denoiser: Denoiser, crystals: MeasuredSet, rows: np.ndarray, t: int) -> float:
    """Mean squared error of the scores at step `t`, per component; 1 is knowing nothing."""
    rng, error, components = np.random.default_rng(1), 0.0, 0
    for chosen in size_batches(crystals.counts[rows], BATCH, rng):
        batch = noisy_batch(crystals, rows[chosen], np.full(len(chosen), t), denoiser.scale, rng)
        score, _ = denoiser.predict(batch.numbers, batch.frac, batch.cell, t, denoiser.memory_of(batch.lines))
        real = batch.numbers > 0
        error += float(np.square(score / score_sizes()[t] - batch.score)[real].sum())
        components += 3 * int(real.sum())
    return error / components


def main(model: str, data: str) -> None:
    """Print the loss at each of `SIGMAS`."""
    denoiser, crystals = Denoiser(Path(model), "cpu"), MeasuredSet.load(Path(data))
    rows = np.random.default_rng(0).permutation(crystals.rows("val"))[:CRYSTALS]
    if not len(rows):
        sys.exit(f"none of the {len(crystals)} crystals in {data} is held out; give the file of a training run")
    for sigma in SIGMAS:
        t = int(np.abs(sigmas() - sigma).argmin())
        print(f"σ = {sigma:.2f}: {loss(denoiser, crystals, rows, t):.3f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
