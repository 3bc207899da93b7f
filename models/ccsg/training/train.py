"""A training run of a denoiser: its data, the workers, the loop, its log and its checkpoints."""

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

import numpy as np
import torch
from torch import distributed
from torch.multiprocessing.spawn import spawn

from models.ccsg.cell import CellScale
from models.ccsg.config import DenoiserConfig, ModelConfig, TrainingConfig
from models.ccsg.files import read_config
from models.ccsg.training.batches import NoisyBatch, noisy_batch, noisy_batches, random_steps, size_batches
from models.ccsg.training.dataset import FRAMEWORK, MeasuredSet, prepare
from models.ccsg.training.trainer import ENCODER, Trainer
from models.checkpoint import Progress, read_progress
from models.cpcp.files import read_config as read_encoder
from models.files import CONFIG_FILE
from xtal.errors import UserError
from xtal.processes import end_with_parent

LOG_FILE = "log.jsonl"
COMPILERS = ("c++", "g++", "clang++", "cl")  # that torch.compile looks for
PATIENCE = timedelta(minutes=30)  # that workers wait for each other, for example while the first validates


@dataclass(frozen=True)
class Result:
    """What a run came to: steps and seconds in all, and the last losses on held-out crystals."""

    step: int
    seconds: float
    score_loss: float
    cell_loss: float


def prepared(
    sources: Sequence[str],
    out: Path,
    most_atoms: int,
    denoiser: DenoiserConfig,
    limit: int | None = None,
    start: Path | None = None,
    least_rank: int = FRAMEWORK,
) -> tuple[Path, ModelConfig]:
    """Measure the crystals of several sources into `out`, or find them there; return the file and the model for them.

    A model that begins as the exported one in `start` keeps the scale of cells that its weights know.

    Raises:
        UserError: a source cannot be opened, or holds no crystal to train on or to hold out; or the model in `start`
            has another network.
    """
    known = None if start is None else read_config(start)
    if known is not None and known.denoiser != denoiser:
        raise UserError(f"the model in {start} has another network: start from it with its --denoiser and --preset")
    wish = json.dumps([list(sources), most_atoms, denoiser.lines, limit, least_rank])
    path = out / f"crystals-{hashlib.sha256(wish.encode()).hexdigest()[:12]}.npz"
    crystals = prepare(sources, path, most_atoms, denoiser.lines, limit, least_rank)
    rows = crystals.rows("train")
    if not (len(rows) and len(crystals.rows("val"))):
        raise UserError(f"of the {len(crystals)} crystals {len(rows)} are to train on, the others held out; take more")
    if known is not None:
        return path, known
    scale = CellScale.of(crystals.lattices[rows])
    mean, spread = (tuple(float(value) for value in part) for part in (scale.mean, scale.spread))
    return path, ModelConfig(denoiser, read_encoder(ENCODER).lines, mean, spread)


def train(
    path: Path,
    config: ModelConfig,
    training: TrainingConfig,
    out: Path,
    resume: bool = False,
    start: Path | None = None,
) -> Result:
    """Train on the `MeasuredSet` at `path` for the minutes granted.

    With several workers each learns from batches of its own, and they share every gradient: on a busy machine that is
    ten times as fast as one process with several threads, which wait for each other at every operation.

    `out` receives ``log.jsonl`` (one object every few steps and per validation), the settings, and the checkpoint that
    `resume` goes on from and `export` exports. A new run begins with the exported model in `start`, if any.

    Raises:
        UserError: there is nothing to resume, another network, no time left, or no compiler.
    """
    if training.compiled and not any(map(shutil.which, COMPILERS)):
        raise UserError(f"--compiled needs a C++ compiler ({', '.join(COMPILERS)}), none is here; train without it")
    out.mkdir(parents=True, exist_ok=True)
    if resume:
        _check_resumable(out, config, training)
    (out / CONFIG_FILE).write_text(json.dumps(asdict(config), indent=2) + "\n")
    with TemporaryDirectory() as meeting:
        task = (Path(meeting) / "point", path, config, training, out, resume, start)
        spawn(_work, task, nprocs=training.workers)
    last = json.loads((out / LOG_FILE).read_text().splitlines()[-1])
    return Result(last["step"], last["seconds"], last["held_out_score_loss"], last["held_out_cell_loss"])


def _check_resumable(out: Path, config: ModelConfig, training: TrainingConfig) -> None:
    """Find out before there are workers, whose errors reach the user as crashes."""
    if read_config(out) != config:
        raise UserError(f"the run in {out} trains another network: resume with its --denoiser, --preset and sources")
    used = read_progress(out).seconds / 60
    if used >= training.minutes:
        raise UserError(f"the run in {out} has used {used:.2f} minutes; grant more than that: --minutes")


def _work(
    rank: int,
    meeting: Path,
    path: Path,
    config: ModelConfig,
    training: TrainingConfig,
    out: Path,
    resume: bool,
    start: Path | None,
) -> None:
    """Learn as one of several workers; the first one writes."""
    end_with_parent()  # a killed run must not go on writing where a resumed one does
    torch.set_num_threads(training.threads)
    distributed.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=rank, world_size=training.workers, timeout=PATIENCE
    )
    trainer = Trainer(config, training, None if resume else start)
    if resume:
        trainer.resume(out)
    crystals = MeasuredSet.load(path)
    scale = CellScale(np.array(config.cell_mean), np.array(config.cell_spread))
    # a resumed run must not see the same noise again, nor two workers
    rng = np.random.default_rng([training.seed, trainer.progress.step, rank])
    batches = noisy_batches(crystals, crystals.rows("train"), scale, training, rng)
    held = _held_out(crystals, scale, training)
    with (out / LOG_FILE if rank == 0 else Path(os.devnull)).open("a") as log:
        _loop(trainer, batches, held, out if rank == 0 else None, log)
    distributed.barrier()  # one that takes its connections down while another still validates may abort
    distributed.destroy_process_group()


def _loop(
    trainer: Trainer, batches: Iterator[NoisyBatch], held: list[NoisyBatch], out: Path | None, log: TextIO
) -> None:
    """Learn until the time is used up; note, save and validate on the way and at the end."""
    training, losses = trainer.config, []
    budget, start = 60 * training.minutes, time.monotonic() - trainer.progress.seconds
    due = trainer.progress.seconds + 60 * training.save_every
    while trainer.progress.seconds < budget:
        losses.append(trainer.learn(next(batches)))
        trainer.progress = trainer.progress.at(agreed(time.monotonic() - start))
        if len(losses) == training.note_every:
            _note(log, trainer.progress, "", *np.mean(losses, axis=0))
            losses.clear()
        if trainer.progress.seconds >= min(due, budget):
            due = trainer.progress.seconds + 60 * training.save_every
            if out is not None:
                trainer.save(out)
                _note(log, trainer.progress, "held_out_", *trainer.validate(held))


def agreed(seconds: float) -> float:
    """Mean over all workers, so that all stop at the same step."""
    mean = torch.tensor(seconds, dtype=torch.float64)
    distributed.all_reduce(mean)
    return float(mean) / distributed.get_world_size()


def _held_out(crystals: MeasuredSet, scale: CellScale, training: TrainingConfig) -> list[NoisyBatch]:
    """Noisy batches of held-out crystals, the same in every validation."""
    rng = np.random.default_rng(training.seed)
    rows = rng.permutation(crystals.rows("val"))[: training.validation]
    batches = size_batches(crystals.counts[rows], training, rng)
    even = [random_steps(len(chosen), 1.0, rng) for chosen in batches]
    return [noisy_batch(crystals, rows[chosen], t, scale, rng) for chosen, t in zip(batches, even, strict=True)]


def _note(log: TextIO, progress: Progress, prefix: str, score_loss: float, cell_loss: float) -> None:
    values = {f"{prefix}score_loss": round(float(score_loss), 4), f"{prefix}cell_loss": round(float(cell_loss), 4)}
    log.write(json.dumps({"step": progress.step, "seconds": round(progress.seconds, 1), **values}) + "\n")
    log.flush()
