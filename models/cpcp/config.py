"""Sizes and settings of CPCP, each with its reason."""

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkConfig:
    """Sizes of the line encoder that patterns and crystals share."""

    dimension: int = 256  # of the embedding: 12 MB of vectors per 12,000 crystals
    width: int = 96  # of a line token
    layers: int = 2
    heads: int = 3
    channels: tuple[int, int, int] = (32, 64, 96)  # of the convolutions over the rendered profile
    hidden: int = 384  # of the head
    frequencies: int = 24  # sines and cosines of q, and as many of ln q
    bins: int = 1024  # of the rendered profile: 0.25 % each, the strain of an ordinary sample
    softening: float = 0.3  # Å⁻¹: profile axis x = ln(q + softening), so that zero shifts at low q stay small too
    lowest: float = 0.2  # Å⁻¹, begin of the profile
    highest: float = 6.0  # Å⁻¹, end: 95° with Cu Kα
    tokens: int = 32  # strongest lines that the transformer sees; the profile shows more
    drawn: int = 128  # strongest lines that the profile shows


@dataclass(frozen=True)
class CSPNetConfig:
    """Sizes of the paper's crystal encoder; the defaults are the paper's."""

    hidden: int = 512
    layers: int = 6
    frequencies: int = 10  # sines and cosines of each coordinate difference
    dimension: int = 256
    most_atoms: int = 400  # larger crystals are not trained on: the cost grows with the square (the paper's hMOF-400)
    most_pairs: int = 1 << 19  # pairs of atoms computed at once: bounds the memory


@dataclass(frozen=True)
class ModelConfig:
    """The line encoder, and the atom encoder where crystals are not seen through their lines."""

    lines: NetworkConfig
    atoms: CSPNetConfig | None = None


@dataclass(frozen=True)
class TrainingConfig:
    """How a network is trained."""

    minutes: float = 60.0
    batch: int = 1024  # pairs, hence 1,023 negatives each way
    rate: float = 1.5e-3  # peak learning rate of AdamW
    warm_up: int = 60  # steps
    decay: float = 0.02  # weight decay
    average: float = 0.99  # decay of the running average of the weights, which is what gets exported
    temperature: float = 0.07  # at the start, as CLIP
    coldest: float = 0.01  # lower limit: below it a few hard pairs decide every step
    severity: float = 2.4  # patterns are drawn uniformly from 0 to this: the noise ladder ends at 2
    paper_scans: float = 0.65  # share measured as in the paper (3 to 30°); the others draw their range
    composition: float = 0.5  # share of crystals that are shown with their composition
    threads: int = 2
    validate_every: float = 5.0  # minutes between validations (on all crystals of the first source)
    queries: int = 300  # held-out patterns per severity in a validation
    seed: int = 0


LINES = {"cpu": NetworkConfig(), "gpu": NetworkConfig(width=256, layers=6, heads=8, hidden=1024)}
ATOMS = {
    "cpu": CSPNetConfig(
        hidden=48, layers=3, most_atoms=100
    ),  # 1/200 of the paper's operations, all that 2 cores can do
    "gpu": CSPNetConfig(),
}


def preset(crystals: str, size: str) -> ModelConfig:
    """Return the model with `crystals` seen by ``reciprocal`` or ``cspnet``, in ``cpu`` or ``gpu`` size."""
    return ModelConfig(LINES[size], ATOMS[size] if crystals == "cspnet" else None)
