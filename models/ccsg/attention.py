"""The default denoiser: attention over atoms that knows where they are, and reads the lines of the pattern.

What it sees is unchanged when all atoms move together or the frame turns, and follows when atoms are renumbered:

- queries and keys turn with the fractional coordinates (rotary embedding on the torus, whole-number frequencies n), so
  that their product depends on ``2π n·(f_j - f_i)``: translation invariant, periodic, and no array of pairs is formed;
- the logits get a bias from the distance of the nearest images in Å, by Gaussians, one linear map for all layers;
- an atom takes home the others' features, the waves ``sin, cos 2πk (f_j - f_i)``, and unit vectors to them.

Per pair and layer this costs about ``2 D + 6 H·waves`` products, the messages of `cspnet` ``D² + 6 D·waves``.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from models.ccsg.conditioner import ABSENT
from models.ccsg.config import DenoiserConfig
from models.ccsg.inputs import Header

SOFTEST = 0.3  # Å, added to a distance before it divides
FIRST_CENTRE = 0.7  # Å: nothing real is closer
Angles = tuple[Tensor, Tensor]  # cosines and sines


class Geometry(nn.Module):
    """What all layers need of the places of the atoms, computed once."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.config = config
        self.turns = config.width // config.heads // 4  # half of each head's features turn, two by two
        order = torch.arange(config.heads * self.turns)
        frequency = torch.zeros(3, len(order))
        frequency[order % 3, order] = 2 * math.pi * (1 + order // 3).float()
        self.register_buffer("rotary", frequency)  # (3, H * R)
        self.register_buffer("orders", 2 * math.pi * torch.arange(1.0, config.waves + 1))
        self.register_buffer("centres", torch.linspace(FIRST_CENTRE, config.reach, config.radial))
        self.bias = nn.Linear(config.radial, config.layers * config.heads)

    def forward(self, frac: Tensor, lattice: Tensor, real: Tensor) -> tuple[Tensor, ...]:
        """(B, N, 3), (B, 3, 3) Å, (B, N) 1 for atoms and 0 for padding.

        Returns:
            (layers, B, H, N, N) attention biases, (B, N, N, 3) damped unit vectors from i to j, (B, H, N, R) angles of
            rotation, (B, N, 3 waves) angles of the waves.
        """
        b, n, _ = frac.shape
        difference = frac[:, None] - frac[:, :, None]  # (B, N, N, 3): f_j - f_i at [i, j]
        vector = (difference - torch.round(difference)) @ lattice[:, None]
        distance = (vector.square().sum(-1, keepdim=True) + 1e-6).sqrt()  # (B, N, N, 1)
        step = (self.config.reach - FIRST_CENTRE) / (self.config.radial - 1)
        gauss = torch.exp(-0.5 * ((distance - self.centres) / step) ** 2)
        bias = self.bias(gauss) + (1 - real)[:, None, :, None] * ABSENT  # (B, N, N, layers * H)
        bias = bias.view(b, n, n, self.config.layers, self.config.heads).permute(3, 0, 4, 1, 2)
        unit = vector / (distance + SOFTEST) * torch.exp(-((distance / self.config.reach) ** 2))
        turn = (frac @ self.rotary).view(b, n, self.config.heads, self.turns).transpose(1, 2)
        return bias, unit, turn, (frac[..., None] * self.orders).flatten(2)


def turned(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Rotate the first features of (B, H, N, d), two by two, by angles whose cosines and sines are (B, H, N, R)."""
    r = cosine.shape[-1]
    first, second, rest = x[..., :r], x[..., r : 2 * r], x[..., 2 * r :]
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine, rest], -1)


class AtomAttention(nn.Module):
    """One round of attention between all atoms of each cell."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.heads = config.heads
        taken = config.width + config.heads * (6 * config.waves + 3)
        self.qkv, self.out = nn.Linear(config.width, 3 * config.width), nn.Linear(taken, config.width)

    def forward(
        self, x: Tensor, bias: Tensor, unit: Tensor, turn: tuple[Tensor, Tensor], wave: tuple[Tensor, Tensor]
    ) -> Tensor:
        """(B, N, D), (B, H, N, N), (B, N, N, 3), cosines and sines of the turns and of the waves -> (B, N, D)."""
        b, n, d = x.shape
        parts = self.qkv(x).view(b, n, 3, self.heads, d // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)  # (B, N, 3D) -> 3 x (B, H, N, D/H)
        query, key = turned(query, *turn), turned(key, *turn)
        logits = query @ key.transpose(2, 3) * (d // self.heads) ** -0.5 + bias.to(query.dtype)
        weight = torch.softmax(logits, -1)  # (B, H, N, N)
        features = (weight @ value).transpose(1, 2).reshape(b, n, d)
        return self.out(torch.cat([features, self._waves(weight, *wave), self._vectors(weight, unit)], -1))

    @staticmethod
    def _waves(weight: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
        """(B, N, 6HK) of Σ_j w_ij {cos, sin}(a_j - a_i), by the addition theorems from sums over j alone."""
        b, h, n, _ = weight.shape
        both = torch.cat([cosine, sine], -1).to(weight.dtype)
        summed = (weight.reshape(b, h * n, n) @ both).view(b, h, n, -1)  # one product for all heads
        of_cosine, of_sine = summed.chunk(2, -1)
        cosine, sine = cosine[:, None].to(weight.dtype), sine[:, None].to(weight.dtype)
        there = torch.cat([of_cosine * cosine + of_sine * sine, of_sine * cosine - of_cosine * sine], -1)
        return there.transpose(1, 2).reshape(b, n, -1)

    @staticmethod
    def _vectors(weight: Tensor, unit: Tensor) -> Tensor:
        """(B, N, 3H) of Σ_j w_ij u_ij."""
        return (weight.transpose(1, 2) @ unit.to(weight.dtype)).flatten(2)


class LineAttention(nn.Module):
    """Atoms and the cell look at the lines of the pattern."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.norm = nn.LayerNorm(config.width)
        self.query, self.out = nn.Linear(config.width, config.width), nn.Linear(config.width, config.width)
        self.key_value = nn.Linear(config.width, 2 * config.width)

    def forward(self, x: Tensor, memory: Tensor, absent: Tensor) -> Tensor:
        """(B, N, D), (B, M, D), (B, M) added to the logits -> (B, N, D)."""
        b, n, d = x.shape
        query = self.query(self.norm(x)).view(b, n, self.heads, -1).transpose(1, 2)
        parts = self.key_value(memory).view(b, memory.shape[1], 2, self.heads, -1)
        key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)
        logits = query @ key.transpose(2, 3) * (d // self.heads) ** -0.5 + absent[:, None, None].to(query.dtype)
        return x + self.out((torch.softmax(logits, -1) @ value).transpose(1, 2).reshape(b, n, d))


class Layer(nn.Module):
    """Atoms talk to each other, atoms and the cell to the lines; the cell (with the time) modulates the atoms."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        width = config.width
        self.modulate = nn.Linear(width, 6 * width)
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)
        self.norm1, self.norm2 = (nn.LayerNorm(width, elementwise_affine=False) for _ in range(2))
        self.atoms, self.lines = AtomAttention(config), LineAttention(config)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.cell = nn.Sequential(
            nn.LayerNorm(2 * width), nn.Linear(2 * width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(
        self, x: Tensor, cell: Tensor, share: Tensor, places: tuple, memory: Tensor, absent: Tensor
    ) -> tuple[Tensor, Tensor]:
        """(B, N, D) atoms and (B, D) cell to the same; `share` (B, N) is 1 / atoms, 0 for padding."""
        shift1, scale1, gate1, shift2, scale2, gate2 = self.modulate(F.silu(cell))[:, None].chunk(6, -1)
        x = x + (1 + gate1) * self.atoms(self.norm1(x) * (1 + scale1) + shift1, *places)
        both = self.lines(torch.cat([cell[:, None], x], 1), memory, absent)
        cell, x = both[:, 0], both[:, 1:]
        x = x + (1 + gate2) * self.down(F.gelu(self.up(self.norm2(x) * (1 + scale2) + shift2)))
        mean = (x * share[..., None].to(x.dtype)).sum(1)
        return x, cell + self.cell(torch.cat([cell, mean], -1))


class AttentionDenoiser(nn.Module):
    """Noisy crystals and a pattern to the scores of the coordinates and the noise of the cells."""

    def __init__(self, config: DenoiserConfig) -> None:
        super().__init__()
        self.header = Header(config)
        self.geometry = Geometry(config)
        self.layers = nn.ModuleList([Layer(config) for _ in range(config.layers)])
        self.norm, self.cell_norm = nn.LayerNorm(config.width), nn.LayerNorm(2 * config.width)
        self.score = nn.Sequential(nn.Linear(config.width, config.width), nn.GELU(), nn.Linear(config.width, 6))
        self.noise = nn.Sequential(nn.Linear(2 * config.width, config.width), nn.GELU(), nn.Linear(config.width, 6))

    def forward(
        self, numbers: Tensor, frac: Tensor, cell: Tensor, lattice: Tensor, time: Tensor, memory: Tensor, absent: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Predict, see `models.ccsg.model.Denoiser`."""
        real = (numbers > 0).to(frac.dtype)
        share = real / real.sum(1, keepdim=True)
        x, state = self.header(numbers, cell, time, real)
        state = state + memory[:, 0]
        bias, unit, turn, wave = self.geometry(frac, lattice, real)
        turns, waves = (turn.cos(), turn.sin()), (wave.cos(), wave.sin())
        for layer, own in zip(self.layers, bias, strict=True):
            x, state = layer(x, state, share, (own, unit, turns, waves), memory, absent)
        both = self.score(self.norm(x)).float()
        # a force in Å turns into one on fractional coordinates by the lattice: ∂/∂f = L ∂/∂x
        score = both[..., :3] + both[..., 3:] @ lattice.transpose(1, 2) / 10
        mean = (x * share[..., None].to(x.dtype)).sum(1)
        return score, self.noise(self.cell_norm(torch.cat([state, mean], -1))).float()
