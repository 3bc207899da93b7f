"""What a denoiser is told of the pattern: the CPCP vector of the whole, and tokens of its strongest lines."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from models.ccsg.config import ModelConfig
from models.cpcp.network import PATTERN, Block, LineEncoder, LineTokens

ABSENT = -1e4  # added to the attention logits of padding


class Conditioner(nn.Module):
    """Lines found in a pattern to a memory of tokens, the first of which speaks for the whole."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config.denoiser
        width = self.config.width
        self.encoder = LineEncoder(config.lines)
        self.whole = nn.Linear(config.lines.dimension, width)
        self.tokens = LineTokens(replace(config.lines, width=width))
        self.blocks = nn.ModuleList([Block(width, self.config.heads) for _ in range(self.config.line_layers)])
        self.norm = nn.LayerNorm(width)
        if self.config.frozen:
            self.encoder.requires_grad_(False)

    def forward(self, q: Tensor, intensity: Tensor, width: Tensor, q_range: Tensor) -> tuple[Tensor, Tensor]:
        """Read B patterns of L lines each, as in `LineBatch`.

        Returns:
            (B, 1 + L', D) tokens, L' <= L the strongest lines, and (B, 1 + L') what is added to attention logits.
        """
        whole = self.whole(self._encoded(q, intensity, width, q_range))
        top = self.config.lines
        q, intensity, width = q[:, :top], intensity[:, :top], width[:, :top]
        x = torch.cat([whole[:, None], self.tokens(q, intensity, width)], 1)
        absent = torch.cat([torch.zeros_like(q[:, :1]), (intensity <= 0).to(q.dtype) * ABSENT], 1)
        for block in self.blocks:
            x = block(x, absent[:, None, None])
        return self.norm(x), absent

    def _encoded(self, q: Tensor, intensity: Tensor, width: Tensor, q_range: Tensor) -> Tensor:
        """(B, dimension) of CPCP's pattern encoder, without gradients when it is frozen."""
        kind = torch.zeros_like(q[:, 0], dtype=torch.long) + PATTERN
        untold = torch.zeros_like(q[:, :1]).expand(-1, self.encoder.told)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.config.frozen):
            return self.encoder(q, intensity, width, q_range, kind, untold)
