"""One training run's state, and a step of learning."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from models.checkpoint import Progress, follow, load_state, save_state
from models.cpcp.config import ModelConfig, TrainingConfig
from models.cpcp.features import LineBatch, computed_lines
from models.cpcp.model import CPCP, CrystalBatch
from models.cpcp.training.batches import Samples
from models.cpcp.training.dataset import CrystalSet
from models.cpcp.training.loss import Temperature, contrastive_loss, same_structure
from models.cpcp.training.validation import crystal_batch

CLIP = 1.0  # largest norm of a gradient


class Trainer:
    """The model, its running average, optimiser, temperature, step count and time used."""

    def __init__(self, crystals: CrystalSet, config: ModelConfig, training: TrainingConfig) -> None:
        torch.manual_seed(training.seed)
        self.config, self.crystals = training, crystals
        self.rng = np.random.default_rng(training.seed)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model, self.average = CPCP(config).to(self.device), CPCP(config).to(self.device)
        self.average.load_state_dict(self.model.state_dict())
        self.temperature = Temperature(training.temperature, training.coldest).to(self.device)
        self.parts = nn.ModuleDict({"model": self.model, "temperature": self.temperature})
        self.optimiser = torch.optim.AdamW(
            self.parts.parameters(), lr=training.rate, betas=(0.9, 0.98), weight_decay=training.decay
        )
        self.own = computed_lines(crystals.lines, config.lines.drawn)
        self.formula = torch.from_numpy(np.unique(crystals.formulas, return_inverse=True)[1])
        self.progress = Progress()

    def rate(self) -> float:
        """Learning rate now."""
        return self.progress.rate(self.config.rate, self.config.warm_up, self.config.minutes)

    def learn(self, samples: Samples) -> float:
        """Take one step on one batch; return the loss."""
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate()
        batch = self._crystals(samples.rows)
        same = self._same(samples.rows, batch.lines)
        with torch.autocast(self.device.type, torch.bfloat16):
            patterns, crystals = self.model.patterns(samples.lines), self.model.crystals(batch)
        loss = contrastive_loss(patterns.float(), crystals.float(), self.temperature(), same)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.parts.parameters(), CLIP)
        self.optimiser.step()
        self.progress = self.progress.stepped()
        follow(self.average, self.model, self.config.average, self.progress.step)
        return float(loss.detach())

    def _crystals(self, rows: NDArray[np.int64]) -> CrystalBatch:
        """Put crystals together, some of them without their composition."""
        told = (self.rng.random((len(rows), 1)) < self.config.composition).astype(np.float32)
        return crystal_batch(self.model, self.crystals, self.own, rows, told)

    @torch.no_grad()
    def _same(self, rows: NDArray[np.int64], lines: LineBatch) -> Tensor:
        """(B, B) mask of the pairs that hold one structure twice."""
        arrays = (lines.q, lines.intensity, lines.q_range)
        drawn = self.model.lines.profile(*(torch.from_numpy(a).to(self.device) for a in arrays))[:, 0]
        return same_structure(self.formula[rows].to(self.device), drawn)

    def save(self, folder: Path) -> None:
        """Write everything needed to go on, without pickle."""
        save_state(folder, self.parts, self.average, self.optimiser, self.progress)

    def resume(self, folder: Path) -> None:
        """Go on from what `save` wrote; raise UserError when there is nothing."""
        self.progress = load_state(folder, self.parts, self.average, self.optimiser)
