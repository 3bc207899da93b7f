"""The CPCP network: one line encoder for patterns and crystals, seen as lines in q.

A pattern and the computed lines of its crystal are the same kind of thing, so both pass through the same weights; a
learned mark says which is which. Two views of the lines meet in the head: a transformer over line tokens with a class
token (section 5.1 of the XtalNet paper, with q in place of bin numbers), and convolutions over the profile that the
lines draw on a grid of ``x = ln(q + softening)``, where strain is a shift.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 - the name everyone uses

from models.cpcp.config import NetworkConfig
from models.cpcp.features import ELEMENTS

PATTERN, CRYSTAL = 0, 1
WEAKEST = 1e-4  # relative intensity that counts as none on the logarithmic scale
PROFILE_WIDTHS = (1.0, 3.0)  # bins, standard deviations of drawn lines: sharp, and wide enough to meet a strained one
FLOOR = 1e-6  # added before roots are taken: their slope at zero is infinite
BLUR = 4.0  # bins, standard deviation of the smoothing of the faint profile
CHANNELS = 4


class LineTokens(nn.Module):
    """Lines to tokens: Fourier features of q and ln q, and what an MLP makes of intensity and width."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        count = config.frequencies
        self.register_buffer("per_q", torch.logspace(math.log10(0.2), math.log10(60), count) * 2 * math.pi)  # Å
        self.register_buffer("per_log", torch.logspace(math.log10(0.25), math.log10(80), count) * 2 * math.pi)
        self.place = nn.Linear(4 * count, config.width)
        self.strength = nn.Sequential(nn.Linear(5, config.width), nn.GELU(), nn.Linear(config.width, config.width))

    def forward(self, q: Tensor, intensity: Tensor, width: Tensor) -> Tensor:
        """(B, L) each -> (B, L, width)."""
        angle = torch.cat(
            [q[..., None] * self.per_q, torch.log(q[..., None].clamp_min(0.05)) * self.per_log], -1
        )  # (B, L, 2 * count)
        place = self.place(torch.cat([angle.sin(), angle.cos()], -1))
        level = 1 + torch.log10(intensity.clamp_min(WEAKEST)) / 4
        known = (width > 0).to(q.dtype)
        strength = torch.stack([intensity.sqrt(), level, intensity, 50 * width, known], -1)
        return place + self.strength(strength)


class Block(nn.Module):
    """Pre-norm transformer block; `bias` is added to the attention logits."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """(B, T, D), (B, 1, 1, T) -> (B, T, D)."""
        b, t, d = x.shape
        parts = self.qkv(self.norm1(x)).view(b, t, 3, self.heads, d // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4).unbind(0)  # (B, T, 3D) -> 3 x (B, H, T, D/H)
        # written out: for these short rows it is four times as fast on a CPU as the fused kernel
        weight = torch.softmax(query @ key.transpose(2, 3) * (d // self.heads) ** -0.5 + bias.to(query.dtype), -1)
        mixed = weight @ value
        x = x + self.out(mixed.transpose(1, 2).reshape(b, t, d))  # (B, H, T, D/H) -> (B, T, D)
        return x + self.down(F.gelu(self.up(self.norm2(x))))


class Profile(nn.Module):
    """Draw lines as profiles, p = Σ I Gauss(x - x_line).

    Four channels: √p at each of `PROFILE_WIDTHS`; the faint profile, ⁴√p of the wider smoothed once more, in which weak
    lines speak that strain and texture leave in place; and where there was a measurement.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.bins, self.softening = config.bins, config.softening
        self.start = math.log(config.lowest + config.softening)
        self.step = (math.log(config.highest + config.softening) - self.start) / config.bins
        self.register_buffer("kernels", torch.stack([_gaussian(width, 9) for width in PROFILE_WIDTHS]))  # (2, 1, 19)
        self.register_buffer("blur", _gaussian(BLUR, 12)[None] / _gaussian(BLUR, 12).sum())  # (1, 1, 25)

    def place(self, q: Tensor) -> Tensor:
        """Place of q (Å⁻¹) on the grid, in bins."""
        return (torch.log(q.clamp_min(0.01) + self.softening) - self.start) / self.step

    def forward(self, q: Tensor, intensity: Tensor, q_range: Tensor) -> Tensor:
        """(B, L), (B, L), (B, 2) -> (B, CHANNELS, bins)."""
        place = self.place(q).clamp(0, self.bins - 1.001)
        low = place.floor()
        part = place - low
        sticks = torch.zeros(q.shape[0], self.bins, dtype=q.dtype, device=q.device)
        sticks = sticks.scatter_add(1, low.long(), intensity * (1 - part))
        sticks = sticks.scatter_add(1, low.long() + 1, intensity * part)
        drawn = F.conv1d(sticks[:, None], self.kernels, padding=self.kernels.shape[-1] // 2)  # (B, 2, bins)
        ends = self.place(q_range)
        axis = torch.arange(self.bins, dtype=q.dtype, device=q.device)
        measured = (axis - ends[:, :1]).clamp(0, 1) * (ends[:, 1:] - axis).clamp(0, 1)
        roots = (drawn + FLOOR).sqrt()
        faint = F.conv1d(roots[:, 1:].sqrt() - FLOOR**0.25, self.blur, padding=self.blur.shape[-1] // 2)
        return torch.cat([roots, faint, measured[:, None]], 1)


def _gaussian(width: float, reach: int) -> Tensor:
    """(1, 2 * reach + 1) of exp(-x² / 2 width²) at whole x."""
    return torch.exp(-0.5 * (torch.arange(-reach, reach + 1.0) / width) ** 2)[None]


class LineEncoder(nn.Module):
    """Lines of patterns or crystals to unit vectors."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.told = ELEMENTS + 1  # length of a composition
        width, (first, second, third) = config.width, config.channels
        self.tokens = LineTokens(config)
        self.kind = nn.Embedding(2, width)
        self.range = nn.Sequential(nn.Linear(4, width), nn.GELU(), nn.Linear(width, width))
        self.blocks = nn.ModuleList([Block(width, config.heads) for _ in range(config.layers)])
        self.norm = nn.LayerNorm(2 * width)
        self.profile = Profile(config)
        self.convolve = nn.Sequential(
            nn.Conv1d(CHANNELS, first, 9, stride=4, padding=4),
            nn.GELU(),
            nn.Conv1d(first, second, 5, stride=2, padding=2),
            nn.GELU(),
            nn.Conv1d(second, third, 5, stride=2, padding=2),
            nn.GELU(),
            nn.Flatten(),
        )
        self.flatten = nn.Linear(third * config.bins // 16, config.hidden)
        self.lines = nn.Linear(2 * width, config.hidden)
        self.composition = nn.Sequential(nn.Linear(self.told + 1, width), nn.GELU(), nn.Linear(width, config.hidden))
        self.head = nn.Sequential(nn.GELU(), nn.Linear(config.hidden, config.dimension))
        self.direct = nn.Linear(config.bins, config.dimension, bias=False)
        nn.init.orthogonal_(self.direct.weight, 4.0)  # starts as the cosine of profiles, which is a fair search already

    def forward(
        self, q: Tensor, intensity: Tensor, width: Tensor, q_range: Tensor, kind: Tensor, composition: Tensor
    ) -> Tensor:
        """Embed B rows of lines.

        Args:
            q: (B, L) Å⁻¹, see `features.LineBatch`.
            intensity: (B, L) relative, strongest first, 0 where empty.
            width: (B, L) Å⁻¹, 0 where unknown.
            q_range: (B, 2) Å⁻¹.
            kind: (B,) PATTERN or CRYSTAL.
            composition: (B, ELEMENTS + 1) see `features.composition_features`; all zero where not told.

        Returns:
            (B, dimension) unit vectors.
        """
        drawn = self.profile(q, intensity, q_range)
        top = self.config.tokens  # lines come strongest first: the weak ones only go into the profile
        q, intensity, width = q[:, :top], intensity[:, :top], width[:, :top]
        mark = self.kind(kind)  # (B, width)
        ends = torch.cat([q_range, torch.log(q_range.clamp_min(0.05))], -1)
        header = mark + self.range(ends)
        x = torch.cat([header[:, None], self.tokens(q, intensity, width) + mark[:, None]], 1)  # (B, 1 + L, width)
        present = torch.cat([torch.ones_like(q[:, :1]), (intensity > 0).to(q.dtype)], 1)
        bias = (1 - present)[:, None, None] * -1e4  # (B, 1, 1, 1 + L)
        for block in self.blocks:
            x = block(x, bias)
        share = torch.cat([torch.zeros_like(q[:, :1]), intensity.sqrt()], 1)
        mean = (x * (share / share.sum(1, keepdim=True).clamp_min(1e-6))[..., None]).sum(1)
        told = (composition[:, -1:] > 0).to(q.dtype)
        hidden = (
            self.lines(self.norm(torch.cat([x[:, 0], mean], -1)))
            + self.flatten(self.convolve(drawn))
            + self.composition(torch.cat([composition, told], -1))
        )
        faint = drawn[:, 2] / drawn[:, 2].norm(dim=1, keepdim=True).clamp_min(1e-6)
        return F.normalize((self.head(hidden) + self.direct(faint)).float(), dim=-1)
