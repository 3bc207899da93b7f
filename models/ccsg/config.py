"""Sizes and settings of CCSG, each with its reason."""

from dataclasses import dataclass
from typing import Literal

from models.cpcp.config import NetworkConfig

Kind = Literal["attention", "cspnet"]
Conditioning = Literal["concat", "node"]


@dataclass(frozen=True)
class DenoiserConfig:
    """Sizes of a denoiser and of what it is told of the pattern."""

    kind: Kind = "attention"
    width: int = 128  # of an atom
    layers: int = 6
    heads: int = 8
    waves: int = 6  # sines and cosines of each coordinate difference: 1.5 Å in a cell of 20 Å with all six
    radial: int = 20  # Gaussians over the distance of two atoms
    reach: float = 8.0  # Å, of the Gaussians; further apart only the waves tell
    lines: int = 64  # strongest lines of the pattern that are attended to
    line_layers: int = 2
    conditioning: Conditioning = "concat"  # how `cspnet` hears of the pattern; attention reads the lines themselves
    pretrained: bool = True  # the pattern encoder starts as CPCP's
    frozen: bool = True  # and is not trained any further


@dataclass(frozen=True)
class ModelConfig:
    """A denoiser with the pattern encoder, and the cells it was trained on."""

    denoiser: DenoiserConfig
    lines: NetworkConfig
    cell_mean: tuple[float, ...]
    cell_spread: tuple[float, ...]


@dataclass(frozen=True)
class TrainingConfig:
    """How a denoiser is trained."""

    minutes: float = 120.0
    pairs: int = 150_000  # pairs of atoms per step and worker: 48 crystals of 56 atoms
    most_rows: int = 256  # crystals per step
    rate: float = 1e-3  # peak learning rate of AdamW; `STARTED_RATE` for weights that know something already
    warm_up: int = 200  # steps
    decay: float = 0.01  # weight decay
    average: float = 0.999  # decay of the running average of the weights, which is what gets exported
    cell_weight: float = 1.0  # of equation 2 beside equation 3
    noise_power: float = 0.5  # t = T u^power for u in (0, 1): the noisy steps, where a frame is decided, are seen more
    workers: int = 1  # processes that share their gradients
    threads: int = 1  # of each
    compiled: bool = False  # by torch.compile: needs a C++ compiler and minutes, then saves a quarter of the time
    note_every: int = 20  # steps between lines of the log
    save_every: float = 5.0  # minutes
    validation: int = 256  # held-out crystals in a validation
    seed: int = 0


STARTED_RATE = 5e-4
PRESETS = {
    "cpu": DenoiserConfig(),
    "gpu": DenoiserConfig(width=256, layers=8, waves=8, lines=96),  # what two cores can serve and 40 MB can hold
}
PAIRS = {"cpu": 150_000, "gpu": 6_000_000}
