"""One training run's state, and a step of learning."""

import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models.cpcp.batches import Samples
from models.cpcp.config import ModelConfig, TrainingConfig
from models.cpcp.dataset import CrystalSet
from models.cpcp.features import LineBatch, computed_lines
from models.cpcp.loss import Temperature, contrastive_loss, same_structure
from models.cpcp.model import CPCP, CrystalBatch
from models.cpcp.validation import crystal_batch
from xtal.errors import UserError

STATE_FILE = "state.safetensors"
CLIP = 1.0  # largest norm of a gradient
LAST_RATE = 0.02  # of the peak: the last steps still move


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
        self.step, self.seconds = 0, 0.0

    def rate(self) -> float:
        """Learning rate now: linear warm-up, then half a cosine over the time granted."""
        progress = min(1.0, self.seconds / (60 * self.config.minutes))
        cosine = LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * progress)) / 2
        return self.config.rate * min(1.0, (self.step + 1) / self.config.warm_up) * cosine

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
        self.step += 1
        self._follow()
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

    @torch.no_grad()
    def _follow(self) -> None:
        """Move the running average after the model; faster while it is young."""
        keep = min(self.config.average, (1 + self.step) / (10 + self.step))
        for mean, value in zip(self.average.parameters(), self.model.parameters(), strict=True):
            mean.lerp_(value, 1 - keep)

    def save(self, folder: Path) -> None:
        """Write everything needed to go on, without pickle."""
        state = {f"parts.{key}": value for key, value in self.parts.state_dict().items()}
        state |= {f"average.{key}": value for key, value in self.average.state_dict().items()}
        for index, entry in self.optimiser.state_dict()["state"].items():
            state |= {f"optimiser.{index}.{key}": value for key, value in entry.items()}
        part = folder / f"{STATE_FILE}.part"
        progress = {"step": str(self.step), "seconds": str(self.seconds)}
        save_file({key: value.contiguous().clone() for key, value in state.items()}, part, metadata=progress)
        part.replace(folder / STATE_FILE)

    def resume(self, folder: Path) -> None:
        """Go on from what `save` wrote; raise UserError when there is nothing."""
        state = read_state(folder)
        with safe_open(folder / STATE_FILE, "pt") as stored:
            self.step, self.seconds = int(stored.metadata()["step"]), float(stored.metadata()["seconds"])
        self.parts.load_state_dict(under(state, "parts."))
        self.average.load_state_dict(under(state, "average."))
        entries: dict[int, dict[str, Tensor]] = {}
        for key, value in under(state, "optimiser.").items():
            index, name = key.split(".")
            entries.setdefault(int(index), {})[name] = value
        self.optimiser.load_state_dict({**self.optimiser.state_dict(), "state": entries})


def read_state(folder: Path) -> dict[str, Tensor]:
    """Read the tensors of a checkpoint."""
    if not (folder / STATE_FILE).is_file():
        raise UserError(f"no checkpoint in {folder}; give the --out folder of a training run that saved one")
    return load_file(folder / STATE_FILE)


def under(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the entries whose key begins with `prefix`, without it."""
    return {key.removeprefix(prefix): value for key, value in state.items() if key.startswith(prefix)}
