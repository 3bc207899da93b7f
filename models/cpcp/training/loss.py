"""The contrastive loss, equation 1 of the XtalNet paper, without the false negatives that databases hold."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812


class Temperature(nn.Module):
    """The learned temperature τ, kept in [coldest, 1]."""

    def __init__(self, start: float, coldest: float) -> None:
        super().__init__()
        self.coldest = coldest
        self.log = nn.Parameter(torch.tensor(math.log(start)))

    def forward(self) -> Tensor:
        """Return τ."""
        return self.log.exp().clamp(self.coldest, 1.0)


def contrastive_loss(patterns: Tensor, crystals: Tensor, temperature: Tensor, same: Tensor) -> Tensor:
    """Symmetric InfoNCE of B pairs of unit vectors (B, D).

    `same` (B, B) is true where two different rows hold one structure: such pairs are neither attracted nor repelled.
    """
    logits = patterns @ crystals.T / temperature
    logits = logits.masked_fill(same, -1e4)
    target = torch.arange(len(logits), device=logits.device)
    return (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2


def same_structure(formula: Tensor, profile: Tensor, likeness: float = 0.985) -> Tensor:
    """(B, B) mask of different rows with equal `formula` (B,) and nearly equal drawn `profile` (B, bins)."""
    unit = F.normalize(profile, dim=-1)
    same = (formula[:, None] == formula) & (unit @ unit.T > likeness)
    return same & ~torch.eye(len(formula), dtype=torch.bool, device=formula.device)
