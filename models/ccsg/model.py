"""A CCSG model: the conditioner and one of two denoisers."""

from pathlib import Path
from typing import Protocol

from safetensors.torch import load_file
from torch import Tensor, nn

from models.ccsg.attention import AttentionDenoiser
from models.ccsg.conditioner import Conditioner
from models.ccsg.config import ModelConfig
from models.ccsg.cspnet import CSPNetDenoiser
from models.files import trained_weights


class Denoiser(Protocol):
    """What both denoisers offer."""

    def __call__(
        self, numbers: Tensor, frac: Tensor, cell: Tensor, lattice: Tensor, time: Tensor, memory: Tensor, absent: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Predict what `models.ccsg.schedule` asks for.

        Args:
            numbers: (B, N) atomic numbers, 0 for padding.
            frac: (B, N, 3) noisy fractional coordinates.
            cell: (B, 6) noisy cell, see `models.ccsg.cell`.
            lattice: (B, 3, 3) Å, the same cell, symmetric.
            time: (B,) t / T in (0, 1].
            memory: (B, M, D) tokens of the pattern, see `Conditioner`.
            absent: (B, M) added to attention logits.

        Returns:
            (B, N, 3) scores of the coordinates over their root mean square, and (B, 6) noise of the cell.
        """
        ...


class CCSG(nn.Module):
    """Pattern and noisy crystals to predictions."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.conditioner = Conditioner(config)
        kinds = {"attention": AttentionDenoiser, "cspnet": CSPNetDenoiser}
        self.denoiser: nn.Module = kinds[config.denoiser.kind](config.denoiser)

    def start_from(self, folder: Path) -> None:
        """Give the pattern encoder the weights of the exported CPCP model in `folder`."""
        from models.cpcp.training.export import read_model

        self.conditioner.encoder.load_state_dict(read_model(folder).lines.state_dict())

    def go_on_from(self, folder: Path) -> None:
        """Take over the weights of the exported CCSG model in `folder`, which has the same network."""
        self.load_state_dict({**self.state_dict(), **load_file(trained_weights(folder))})
