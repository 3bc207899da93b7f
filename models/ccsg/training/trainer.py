"""One training run's state, and a step of learning."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, distributed, nn

from models.ccsg.config import ModelConfig, TrainingConfig
from models.ccsg.model import CCSG
from models.ccsg.training.batches import NoisyBatch
from models.checkpoint import Progress, follow, load_state, save_state
from models.files import WEIGHTS

ENCODER = WEIGHTS / "cpcp-reciprocal"  # whose pattern encoder a pretrained denoiser takes over
CLIP = 1.0  # largest norm of a gradient


class Trainer:
    """The model, its running average, optimiser, step count and time used."""

    def __init__(self, config: ModelConfig, training: TrainingConfig, start: Path | None = None) -> None:
        """Begin with the exported model in `start`, or with random weights."""
        torch.manual_seed(training.seed)
        self.config = training
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model, self.average = CCSG(config).to(self.device), CCSG(config).to(self.device)
        if config.denoiser.pretrained:
            self.model.start_from(ENCODER)
        if start is not None:
            self.model.go_on_from(start)
        self.average.load_state_dict(self.model.state_dict())
        if training.compiled:
            for part in (self.model.conditioner, self.model.denoiser):
                part.compile(dynamic=True)
        self.learned = [p for p in self.model.parameters() if p.requires_grad]
        self.optimiser = torch.optim.AdamW(
            self.learned, lr=training.rate, betas=(0.9, 0.98), weight_decay=training.decay
        )
        self.progress = Progress()

    def losses(self, model: CCSG, batch: NoisyBatch) -> tuple[Tensor, Tensor]:
        """Return equations 3 and 2 of the XtalNet paper on one batch, each per component."""
        lines = (batch.lines.q, batch.lines.intensity, batch.lines.width, batch.lines.q_range)
        noisy = (batch.numbers, batch.frac, batch.cell, batch.lattice, batch.time)
        with torch.autocast(self.device.type, torch.bfloat16):
            score, noise = model.denoiser(*self._tensors(*noisy), *model.conditioner(*self._tensors(*lines)))
        numbers, wanted, noise_wanted = self._tensors(batch.numbers, batch.score, batch.noise)
        real = (numbers > 0)[..., None]
        score_loss = ((score - wanted).square() * real).sum() / (3 * real.sum())
        return score_loss, (noise - noise_wanted).square().mean()

    def learn(self, batch: NoisyBatch) -> tuple[float, float]:
        """Take one step on one batch; return its losses."""
        rate = self.progress.rate(self.config.rate, self.config.warm_up, self.config.minutes)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        score_loss, cell_loss = self.losses(self.model, batch)
        self.optimiser.zero_grad(set_to_none=True)
        (score_loss + self.config.cell_weight * cell_loss).backward()
        share_gradients(self.learned)
        nn.utils.clip_grad_norm_(self.learned, CLIP)
        self.optimiser.step()
        self.progress = self.progress.stepped()
        follow(self.average, self.model, self.config.average, self.progress.step)
        return float(score_loss.detach()), float(cell_loss.detach())

    @torch.no_grad()
    def validate(self, batches: list[NoisyBatch]) -> tuple[float, float]:
        """Return the mean losses of the averaged model."""
        losses = np.array([[float(loss) for loss in self.losses(self.average, batch)] for batch in batches])
        score_loss, cell_loss = losses.mean(axis=0)
        return float(score_loss), float(cell_loss)

    def _tensors(self, *arrays: np.ndarray) -> list[Tensor]:
        return [torch.from_numpy(np.ascontiguousarray(array)).to(self.device) for array in arrays]

    def save(self, folder: Path) -> None:
        """Write everything needed to go on, without pickle."""
        save_state(folder, self.model, self.average, self.optimiser, self.progress)

    def resume(self, folder: Path) -> None:
        """Go on from what `save` wrote; raise UserError when there is nothing."""
        self.progress = load_state(folder, self.model, self.average, self.optimiser)


def share_gradients(parameters: list[nn.Parameter]) -> None:
    """Replace each worker's gradients by their mean over all workers."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([g.flatten() for g in gradients])
    distributed.all_reduce(flat)
    flat /= distributed.get_world_size()
    for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.view_as(gradient))
