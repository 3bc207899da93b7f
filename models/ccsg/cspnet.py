"""The denoiser of the XtalNet paper: `models.cpcp.cspnet`'s messages, told of time and pattern (section 5.1).

``I_node = Linear(P, t, Embedding(A))``: the pattern's vector P goes to every atom (``concat``), or is an atom more that
all others hear (``node``, the ablation of the paper's figure 3e).
"""

import math

import torch
from torch import Tensor, nn

from models.ccsg.config import DenoiserConfig
from models.ccsg.inputs import Header
from models.cpcp.config import CSPNetConfig
from models.cpcp.cspnet import METRIC_UNIT, MessageLayer


class CSPNetDenoiser(nn.Module):
    """Noisy crystals and a pattern's vector to the scores of the coordinates and the noise of the cells."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.config = config
        sizes = CSPNetConfig(hidden=config.width, layers=config.layers, frequencies=config.waves)
        self.header = Header(config)
        self.join = nn.Linear(3 * config.width, config.width)
        self.register_buffer("orders", 2 * math.pi * torch.arange(1.0, config.waves + 1))
        self.layers = nn.ModuleList([MessageLayer(sizes) for _ in range(config.layers)])
        self.norm = nn.LayerNorm(config.width)
        self.score, self.noise = nn.Linear(config.width, 3), nn.Linear(config.width, 6)

    def forward(
        self, numbers: Tensor, frac: Tensor, cell: Tensor, lattice: Tensor, time: Tensor, memory: Tensor, absent: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Predict, see `models.ccsg.model.Denoiser`; of the memory only the vector of the whole is used."""
        del absent  # no line is looked at by itself
        real = (numbers > 0).to(frac.dtype)
        share = real / real.sum(1, keepdim=True)
        atoms, state = self.header(numbers, cell, time, real)
        told = memory[:, :1].expand(-1, atoms.shape[1], -1)
        if self.config.conditioning == "node":
            told = torch.zeros_like(told)
        h = self.join(torch.cat([atoms, state[:, None].expand_as(atoms), told], -1))
        angle = (frac[..., None] * self.orders).flatten(2)
        sine, cosine = angle.sin(), angle.cos()
        metric = (lattice @ lattice.transpose(1, 2)).flatten(1) / METRIC_UNIT
        if self.config.conditioning == "node":  # one more atom, at the origin of no cell: its waves are silent
            h = torch.cat([memory[:, :1].to(h.dtype), h], 1)
            sine, cosine = (nn.functional.pad(wave, (0, 0, 1, 0)) for wave in (sine, cosine))
            share = torch.cat([share.sum(1, keepdim=True) / (1 + real.sum(1, keepdim=True)), share], 1)
        for layer in self.layers:
            h = layer(h, sine, cosine, metric, share)
        h = self.norm(h[:, -numbers.shape[1] :])
        mean = (h * (real / real.sum(1, keepdim=True))[..., None]).sum(1)
        return self.score(h).float(), self.noise(mean).float()
