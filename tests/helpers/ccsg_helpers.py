"""Small denoisers, real crystals made noisy, and patterns, shared by the tests of CCSG."""

from dataclasses import replace

import numpy as np
import torch
from cpcp_helpers import SMALL, real_crystals

from models.ccsg.cell import CellScale
from models.ccsg.config import Conditioning, DenoiserConfig, Kind, ModelConfig
from models.ccsg.model import CCSG
from models.ccsg.training.batches import NoisyBatch, noisy_batch, random_steps
from models.ccsg.training.dataset import MeasuredSet
from xtal.crystals import Crystal

TINY = DenoiserConfig(
    width=32, layers=2, heads=4, waves=3, radial=8, lines=16, line_layers=1, pretrained=False, frozen=False
)
KINDS: tuple[tuple[Kind, Conditioning], ...] = (("attention", "concat"), ("cspnet", "concat"), ("cspnet", "node"))
FOUR = real_crystals(4)  # 36, 36, 40 and 40 atoms


def cell_scale() -> CellScale:
    return CellScale.of(np.array([crystal.lattice for crystal in real_crystals()]))


def model_config(kind: Kind = "attention", conditioning: Conditioning = "concat", **changes) -> ModelConfig:
    scale = cell_scale()
    denoiser = replace(TINY, kind=kind, conditioning=conditioning, **changes)
    return ModelConfig(denoiser, SMALL, tuple(map(float, scale.mean)), tuple(map(float, scale.spread)))


def random_model(kind: Kind = "attention", conditioning: Conditioning = "concat") -> CCSG:
    """An untrained model in which everything speaks; the gates that training begins with are shut otherwise."""
    torch.manual_seed(1)
    model = CCSG(model_config(kind, conditioning)).eval()
    with torch.no_grad():
        for name, weight in model.denoiser.named_parameters():
            if "modulate" in name:
                weight.normal_(0, 0.3)
    return model


def measured(crystals: list[Crystal], length: int = TINY.lines) -> MeasuredSet:
    return MeasuredSet.measure([(crystal.name, crystal) for crystal in crystals], length, 0)


def batch_of(crystals: MeasuredSet, seed: int = 0) -> NoisyBatch:
    rng = np.random.default_rng(seed)
    return noisy_batch(crystals, np.arange(len(crystals)), random_steps(len(crystals), 1.0, rng), cell_scale(), rng)
