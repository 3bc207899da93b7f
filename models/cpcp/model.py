"""A CPCP model: the line encoder for patterns, and one of two encoders for crystals."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from models.cpcp.atoms import AtomBatch
from models.cpcp.config import ModelConfig
from models.cpcp.cspnet import CSPNet, embed_by_size
from models.cpcp.features import LineBatch
from models.cpcp.network import CRYSTAL, PATTERN, LineEncoder


@dataclass(frozen=True, eq=False)
class CrystalBatch:
    """B crystals as both encoders see them.

    Attributes:
        lines: their computed lines.
        composition: (B, ELEMENTS + 1), zero in rows that are not told.
        atoms: their atoms, or None where no encoder asks for them.
    """

    lines: LineBatch
    composition: Tensor
    atoms: AtomBatch | None


class CPCP(nn.Module):
    """Patterns and crystals to unit vectors in one space."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.lines = LineEncoder(config.lines)
        self.atoms = None if config.atoms is None else CSPNet(config.atoms)

    def patterns(self, found: LineBatch) -> Tensor:
        """Embed lines found in B patterns: (B, dimension)."""
        untold = torch.zeros(len(found), self.lines.told, device=self.device)
        return self.lines(*self._tensors(found), self._kind(found, PATTERN), untold)

    def crystals(self, crystals: CrystalBatch) -> Tensor:
        """Embed B crystals: (B, dimension)."""
        if self.atoms is None:
            told = crystals.composition.to(self.device)
            return self.lines(*self._tensors(crystals.lines), self._kind(crystals.lines, CRYSTAL), told)
        if crystals.atoms is None:
            raise ValueError("this model sees crystals as atoms, and the batch holds none")
        return embed_by_size(self.atoms, crystals.atoms)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    def _kind(self, lines: LineBatch, kind: int) -> Tensor:
        return torch.full((len(lines),), kind, device=self.device)

    def _tensors(self, lines: LineBatch) -> list[Tensor]:
        arrays = (lines.q, lines.intensity, lines.width, lines.q_range)
        return [torch.from_numpy(np.ascontiguousarray(a)).to(self.device) for a in arrays]
