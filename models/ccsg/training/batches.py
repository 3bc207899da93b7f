"""Noisy crystals for training: what the denoiser sees, and what it should have said."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.ccsg.cell import CellScale
from models.ccsg.config import TrainingConfig
from models.ccsg.schedule import STEPS, alpha_bars, score_sizes, sigmas, wrapped_score
from models.ccsg.training.dataset import MeasuredSet
from models.cpcp.atoms import batch_atoms
from models.cpcp.features import LineBatch
from models.cpcp.training.batches import Samples, disturb
from xtal.crystals.packed import STEPS as PLACES

CLEAN = 0.25  # share of patterns that are left as measured; the others are disturbed once more
AXIS_JITTER = 0.03  # of ln length: axes as nearly equal as this change places
POOL = 32  # batches are cut from a shuffled pool of so many, sorted by size


@dataclass(frozen=True, eq=False)
class NoisyBatch:
    """B crystals of at most N atoms at steps t of the diffusion.

    Attributes:
        numbers: (B, N) atomic numbers, 0 for padding.
        frac: (B, N, 3) noisy fractional coordinates.
        cell: (B, 6) noisy cells.
        lattice: (B, 3, 3) Å of the noisy cells.
        time: (B,) t / T.
        lines: of one measurement of each.
        score: (B, N, 3) the coordinates' scores over their root mean square.
        noise: (B, 6) of the cells.
    """

    numbers: NDArray[np.int64]
    frac: NDArray[np.float32]
    cell: NDArray[np.float32]
    lattice: NDArray[np.float32]
    time: NDArray[np.float32]
    lines: LineBatch
    score: NDArray[np.float32]
    noise: NDArray[np.float32]


def size_batches(counts: NDArray[np.int64], training: TrainingConfig, rng: Generator) -> list[NDArray[np.int64]]:
    """Cut rows (S,) into shuffled batches of similar size, (rows x largest count²) below `training.pairs`."""
    typical = max(1, int(training.pairs / np.median(counts) ** 2))
    order, batches = rng.permutation(len(counts)), []
    for pool in np.array_split(order, max(1, len(order) // (POOL * min(typical, training.most_rows)))):
        rows = pool[np.argsort(counts[pool], kind="stable")]
        while len(rows):
            fits = np.arange(1, len(rows) + 1) * counts[rows] ** 2 <= training.pairs
            take = int(np.clip(fits.sum(), 1, training.most_rows))
            batches.append(rows[:take])
            rows = rows[take:]
    return [batches[i] for i in rng.permutation(len(batches))]


def noisy_batches(
    crystals: MeasuredSet, rows: NDArray[np.int64], scale: CellScale, training: TrainingConfig, rng: Generator
) -> Iterator[NoisyBatch]:
    """Yield batches for ever, epoch after epoch over the chosen `rows`."""
    while True:
        for chosen in size_batches(crystals.counts[rows], training, rng):
            t = random_steps(len(chosen), training.noise_power, rng)
            yield noisy_batch(crystals, rows[chosen], t, scale, rng)


def noisy_batch(
    crystals: MeasuredSet, rows: NDArray[np.int64], t: NDArray[np.int64], scale: CellScale, rng: Generator
) -> NoisyBatch:
    """Add noise of the steps `t` (B,) to the chosen crystals (B,), shown in random equivalent settings."""
    atoms = batch_atoms(crystals.atom_offsets, crystals.numbers, crystals.frac, crystals.lattices, rows)
    frac, lattice = resettled(atoms.frac / np.float32(PLACES), atoms.lattice.astype(np.float64), rng)
    sigma = sigmas()[t][:, None, None]
    shift = sigma * rng.standard_normal(frac.shape)
    kept = alpha_bars()[t][:, None]
    noise = rng.standard_normal((len(rows), 6))
    cell = np.sqrt(kept) * scale.normalised(lattice) + np.sqrt(1 - kept) * noise
    lines = crystals.lines(rows, rng.integers(crystals.q.shape[1], size=len(rows)))
    if rng.random() > CLEAN:
        lines = disturb(Samples(rows, lines), rng).lines
    single = np.float32
    return NoisyBatch(
        numbers=atoms.numbers,
        frac=((frac + shift) % 1).astype(single),
        cell=cell.astype(single),
        lattice=scale.lattices(cell).astype(single),
        time=(t / STEPS).astype(single),
        lines=lines,
        score=(wrapped_score(shift, sigma) / score_sizes()[t][:, None, None]).astype(single),
        noise=noise.astype(single),
    )


def random_steps(count: int, power: float, rng: Generator) -> NDArray[np.int64]:
    """(count,) steps ``t = ⌈T u^power⌉`` for u uniform in (0, 1]; any step is as likely as another at power 1."""
    return np.ceil(STEPS * (1 - rng.random(count)) ** power).astype(np.int64)


def resettled(frac: NDArray, lattice: NDArray, rng: Generator) -> tuple[NDArray, NDArray]:
    """Show crystals (B, N, 3), (B, 3, 3) in equivalent settings that one pattern cannot tell apart.

    A random origin, inversion of every other one, and another order of axes where their lengths are nearly equal.
    """
    count = len(frac)
    lengths = np.log(np.linalg.norm(lattice, axis=2))
    axes = np.argsort(lengths + rng.normal(0, AXIS_JITTER, (count, 3)), axis=1)
    sign = rng.choice([-1.0, 1.0], (count, 1, 1))
    moved = sign * np.take_along_axis(frac, axes[:, None], 2) + rng.random((count, 1, 3))
    return moved, np.take_along_axis(lattice, axes[:, :, None], 1)
