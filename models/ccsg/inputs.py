"""How both denoisers take in elements, cell, time and composition."""

import math

import torch
from torch import Tensor, nn

from models.ccsg.config import DenoiserConfig
from models.cpcp.features import ELEMENTS

TIMES = 32  # sines and cosines of the time
MOST_COUNT = 64.0  # atoms of one element that become 1


class Header(nn.Module):
    """Atoms as their elements, and one vector for cell, time and composition."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        width = config.width
        self.elements = nn.Embedding(ELEMENTS, width)
        self.register_buffer("times", math.pi * torch.logspace(-1, 2.5, TIMES))
        self.time = nn.Sequential(nn.Linear(2 * TIMES, width), nn.SiLU(), nn.Linear(width, width))
        self.cell = nn.Sequential(nn.Linear(6, width), nn.SiLU(), nn.Linear(width, width))
        self.composition = nn.Sequential(nn.Linear(ELEMENTS + 1, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, numbers: Tensor, cell: Tensor, time: Tensor, real: Tensor) -> tuple[Tensor, Tensor]:
        """(B, N) atomic numbers, (B, 6), (B,) in (0, 1], (B, N) 1 for atoms -> (B, N, D), (B, D)."""
        counts = torch.zeros(numbers.shape[0], ELEMENTS, dtype=real.dtype, device=real.device)
        counts = counts.scatter_add(1, numbers, real) / MOST_COUNT
        size = real.sum(1, keepdim=True).log() / 4
        angle = time[:, None] * self.times
        state = (
            self.time(torch.cat([angle.sin(), angle.cos()], -1))
            + self.cell(cell)
            + self.composition(torch.cat([counts, size], -1))
        )
        return self.elements(numbers), state
