"""The crystal encoder of the XtalNet paper (section 5.1), written from its description and that of DiffCSP.

Every atom exchanges messages with every other atom of its cell (Jiao et al. 2023, equations 6 to 8):

    m_ij = φ_m(h_i, h_j, L Lᵀ, ψ(f_j - f_i)),   h_i <- h_i + φ_h(h_i, mean_j m_ij),
    ψ(Δf) = {sin 2πk Δf, cos 2πk Δf},  k = 1..K,      crystal = mean_i h_i.

The first layer of φ_m is linear in its four arguments, so each is projected by itself, per atom or cell where it can
be, and only the sum is formed per pair. Crystals are padded to the largest of a batch and masked; nothing loops over
atoms or crystals.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812
from torch.utils.checkpoint import checkpoint

from models.cpcp.atoms import AtomBatch, size_batches
from models.cpcp.config import CSPNetConfig
from models.cpcp.features import ELEMENTS

METRIC_UNIT = 100.0  # Å²: L Lᵀ of a 10 Å cell becomes 1


class MessageLayer(nn.Module):
    """One round of messages between all atoms of each cell."""

    def __init__(self, config: CSPNetConfig) -> None:
        super().__init__()
        hidden = config.hidden
        self.norm = nn.LayerNorm(hidden)
        self.sender, self.receiver = nn.Linear(hidden, hidden), nn.Linear(hidden, hidden, bias=False)
        self.metric = nn.Linear(9, hidden, bias=False)
        self.waves = nn.Linear(6 * config.frequencies, hidden, bias=False)  # sines, then cosines
        self.message = nn.Linear(hidden, hidden)
        self.update = nn.Sequential(nn.Linear(2 * hidden, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU())

    def forward(self, h: Tensor, sine: Tensor, cosine: Tensor, metric: Tensor, share: Tensor) -> Tensor:
        """Send and receive.

        Args:
            h: (B, N, H) what each atom holds.
            sine: (B, N, 3K) sin 2πk f of each atom.
            cosine: (B, N, 3K) cos 2πk f.
            metric: (B, 9) L Lᵀ.
            share: (B, N) 1 / atoms, 0 for padding.

        Returns:
            (B, N, H).
        """
        x = self.norm(h)
        sent = self.sender(x) + self.metric(metric)[:, None]
        pair = self.receiver(x)[:, :, None] + sent[:, None] + self._differences(sine, cosine)  # (B, N, N, H)
        message = F.silu(self.message(F.silu(pair)))
        received = (share[:, None, None] @ message)[:, :, 0]  # (B, 1, 1, N) @ (B, N, N, H) -> (B, N, H)
        return h + self.update(torch.cat([x, received], -1))

    def _differences(self, sine: Tensor, cosine: Tensor) -> Tensor:
        """(B, N, N, H) of W ψ(f_j - f_i), by the addition theorems: no sine is taken per pair.

        With a = 2πk f, the sum ``W_s sin(a_j - a_i) + W_c cos(a_j - a_i)`` equals
        ``cos a_i (W_s sin a_j + W_c cos a_j) + sin a_i (W_c sin a_j - W_s cos a_j)``.
        """
        b, n, k = sine.shape
        of_sine, of_cosine = self.waves.weight.T.split(k)  # (3K, H) each
        sine_j, cosine_j = sine.transpose(1, 2)[..., None], cosine.transpose(1, 2)[..., None]  # (B, 3K, N, 1)
        with_cosine = sine_j * of_sine[:, None] + cosine_j * of_cosine[:, None]  # (B, 3K, N, H)
        with_sine = sine_j * of_cosine[:, None] - cosine_j * of_sine[:, None]
        right = torch.cat([with_cosine, with_sine], 1).flatten(2)  # (B, 6K, N * H)
        return (torch.cat([cosine, sine], -1) @ right).view(b, n, n, -1)


class CSPNet(nn.Module):
    """Crystals to unit vectors."""

    def __init__(self, config: CSPNetConfig) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("orders", 2 * math.pi * torch.arange(1, config.frequencies + 1))
        self.atoms = nn.Embedding(ELEMENTS, config.hidden)
        self.layers = nn.ModuleList([MessageLayer(config) for _ in range(config.layers)])
        self.norm = nn.LayerNorm(config.hidden)
        self.head = nn.Linear(config.hidden, config.dimension)

    def forward(self, numbers: Tensor, frac: Tensor, lattice: Tensor) -> Tensor:
        """(B, N), (B, N, 3), (B, 3, 3), see `AtomBatch` -> (B, dimension) unit vectors."""
        real = (numbers > 0).to(frac.dtype)
        share = real / real.sum(1, keepdim=True)  # (B, N)
        angle = (frac[..., None] * self.orders).flatten(2)  # (B, N, 3K)
        sine, cosine = angle.sin(), angle.cos()
        metric = (lattice @ lattice.transpose(1, 2)).flatten(1) / METRIC_UNIT
        h = self.atoms(numbers)
        for layer in self.layers:
            h = layer(h, sine, cosine, metric, share)
        mean = (self.norm(h) * share[..., None]).sum(1)
        return F.normalize(self.head(mean).float(), dim=-1)


def embed_by_size(network: CSPNet, batch: AtomBatch) -> Tensor:
    """Embed B crystals of very different sizes, similar ones together; activations are recomputed when learning."""
    device = next(network.parameters()).device
    counts = (batch.numbers > 0).sum(axis=1)
    groups = size_batches(counts, network.config.most_pairs)
    parts = []
    for rows in groups:
        widest = int(counts[rows].max())
        arrays = (batch.numbers[rows, :widest], batch.frac[rows, :widest], batch.lattice[rows])
        inputs = [torch.from_numpy(np.ascontiguousarray(a)).to(device) for a in arrays]
        parts.append(checkpoint(network, *inputs, use_reentrant=False) if torch.is_grad_enabled() else network(*inputs))
    back = np.argsort(np.concatenate(groups), kind="stable")
    return torch.cat(parts)[torch.from_numpy(back).to(device)]
