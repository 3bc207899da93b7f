"""A training run: samples from a process of their own, the loop, its log and its checkpoints."""

import json
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path
from typing import TextIO

import numpy as np
import torch
from numpy.random import Generator
from numpy.typing import NDArray

from models.cpcp.config import ModelConfig, TrainingConfig
from models.cpcp.files import read_config
from models.cpcp.training.batches import USES, Samples, disturb, sample_batches
from models.cpcp.training.dataset import CrystalSet
from models.cpcp.training.trainer import Trainer
from models.cpcp.training.validation import Queries, hit_rates
from models.files import CONFIG_FILE
from xtal.errors import UserError

SEVERITIES = (0.0, 1.0, 2.0)  # at which held-out patterns are searched during training
POOL = 6  # batches to wait before one is used again
LOG_FILE = "log.jsonl"


@dataclass(frozen=True)
class Task:
    """What to train on: the joined crystals, of which the first `gallery` are searched in validation."""

    path: Path
    gallery: int


@dataclass(frozen=True)
class Result:
    """What a run came to: steps and seconds in all, and the last hit rates in per cent."""

    step: int
    seconds: float
    hits: dict[str, float]


def train(task: Task, config: ModelConfig, training: TrainingConfig, out: Path, resume: bool = False) -> Result:
    """Train for the minutes granted.

    `out` receives ``log.jsonl`` (one object per step and per validation), the settings, and the checkpoint that
    `resume` goes on from and `models.cpcp.training.export` exports.
    """
    torch.set_num_threads(training.threads)
    out.mkdir(parents=True, exist_ok=True)
    crystals = CrystalSet.load(task.path)
    trainer = Trainer(crystals, config, training)
    if resume:
        if read_config(out) != config:
            raise UserError(f"the run in {out} trains another network: resume with its --crystals and --preset")
        trainer.resume(out)
    (out / CONFIG_FILE).write_text(json.dumps(asdict(config), indent=2) + "\n")
    context = get_context("spawn")
    queue: Queue[Samples] = context.Queue(maxsize=4)
    seed = training.seed + 1 + trainer.progress.step  # a resumed run must not see the same samples again
    worker = context.Process(target=produce, args=(queue, task, config, training, seed), daemon=True)
    worker.start()
    try:
        return _loop(trainer, supply(queue, trainer.rng), _validation(trainer, task), out)
    finally:
        worker.terminate()


def produce(queue: "Queue[Samples]", task: Task, config: ModelConfig, training: TrainingConfig, seed: int) -> None:
    """Make batches for ever; runs in a process of its own, since a measurement takes as long as learning from it."""
    torch.set_num_threads(1)
    crystals = CrystalSet.load(task.path)
    rows = usable(crystals, config)
    for samples in sample_batches(crystals, rows[crystals.splits[rows] == "train"], config.lines, training, seed):
        queue.put(samples)


def usable(crystals: CrystalSet, config: ModelConfig) -> NDArray[np.int64]:
    """Rows of the crystals that the model can take in: all, or those of few enough atoms."""
    if config.atoms is None:
        return np.arange(len(crystals))
    return np.flatnonzero(np.diff(crystals.atom_offsets) <= config.atoms.most_atoms)


def supply(queue: "Queue[Samples]", rng: Generator) -> Iterator[Samples]:
    """Yield fresh batches, and older ones disturbed once more whenever the producer falls behind."""
    used: deque[tuple[Samples, int]] = deque(maxlen=4 * POOL)
    while True:
        if queue.empty() and len(used) >= POOL:
            samples, uses = used.popleft()
            batch = disturb(samples, rng)
        else:
            samples, uses = queue.get(), 0
            batch = samples
        if uses + 1 < USES:
            used.append((samples, uses + 1))
        yield batch


@dataclass(frozen=True, eq=False)
class Validation:
    """Held-out patterns and the rows of the gallery they are searched in."""

    gallery: NDArray[np.int64]
    queries: list[Queries]

    def run(self, trainer: Trainer) -> dict[str, float]:
        """Return the hit rates of the averaged model."""
        return hit_rates(trainer.average, trainer.crystals, trainer.own, self.gallery, self.queries)


def _validation(trainer: Trainer, task: Task) -> Validation:
    """Measure some held-out crystals of the first source at each of `SEVERITIES`."""
    rows = usable(trainer.crystals, trainer.model.config)
    gallery = rows[rows < task.gallery]
    held = gallery[trainer.crystals.splits[gallery] == "val"]
    if not len(held):
        raise UserError(
            f"none of the {len(gallery)} crystals of the first source is held out for validation; take more"
        )
    training, limit = trainer.config, trainer.model.config.lines.drawn
    rows = np.random.default_rng(training.seed).permutation(held)[: training.queries]
    seed = training.seed + 7
    return Validation(gallery, [Queries.draw(trainer.crystals, rows, s, limit, seed) for s in SEVERITIES])


def _loop(trainer: Trainer, batches: Iterator[Samples], validation: Validation, out: Path) -> Result:
    """Learn until the time is used up; validate and save on the way and at the end."""
    budget, every = 60 * trainer.config.minutes, 60 * trainer.config.validate_every
    batches = chain([next(batches)], batches)  # the producer's start does not count
    due, start, hits = trainer.progress.seconds + every, time.monotonic() - trainer.progress.seconds, dict[str, float]()
    with (out / LOG_FILE).open("a") as log:
        while trainer.progress.seconds < budget:
            loss = trainer.learn(next(batches))
            trainer.progress = trainer.progress.at(time.monotonic() - start)
            tau = float(trainer.temperature().detach())
            _note(
                log,
                **_clock(trainer),
                loss=round(loss, 4),
                temperature=tau,
            )
            if trainer.progress.seconds >= min(due, budget):
                trainer.save(out)
                hits = validation.run(trainer)
                _note(log, step=trainer.progress.step, **hits)
                trainer.progress = trainer.progress.at(time.monotonic() - start)
                due = trainer.progress.seconds + every
    return Result(trainer.progress.step, trainer.progress.seconds, hits)


def _clock(trainer: Trainer) -> dict[str, float]:
    return {"step": trainer.progress.step, "seconds": round(trainer.progress.seconds, 1)}


def _note(log: TextIO, **values: float) -> None:
    log.write(json.dumps(values) + "\n")
    log.flush()
