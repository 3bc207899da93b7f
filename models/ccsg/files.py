"""The files of an exported CCSG model: what training writes and serving reads. No torch here."""

import hashlib
import json
from pathlib import Path

from models.ccsg.config import DenoiserConfig, ModelConfig
from models.cpcp.config import NetworkConfig
from models.cpcp.files import CONFIG_FILE, WEIGHTS, WEIGHTS_FILE
from xtal.errors import UserError

CONDITIONER_FILE, DENOISER_FILE = "conditioner.onnx", "denoiser.onnx"
SERVED = (CONDITIONER_FILE, DENOISER_FILE, CONFIG_FILE)  # what decides the samples
VERSION = 1  # raise it when the features or the sampler change

__all__ = ["CONDITIONER_FILE", "CONFIG_FILE", "DENOISER_FILE", "WEIGHTS", "WEIGHTS_FILE", "model_id", "read_config"]


def read_config(folder: Path) -> ModelConfig:
    """Read the settings in `folder`; raise UserError when there are none."""
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise UserError(f"no model in {folder}: {CONFIG_FILE} is missing; train one: python -m models train ccsg")
    stored = json.loads(path.read_text())
    lines = NetworkConfig(**{**stored["lines"], "channels": tuple(stored["lines"]["channels"])})
    cell = (tuple(stored["cell_mean"]), tuple(stored["cell_spread"]))
    return ModelConfig(DenoiserConfig(**stored["denoiser"]), lines, *cell)


def model_id(folder: Path) -> str:
    """SHA-256 over the served files and the version of the features."""
    digest = hashlib.sha256(str(VERSION).encode())
    for name in SERVED:
        if not (folder / name).is_file():
            raise UserError(
                f"no model in {folder}: {name} is missing; export one: python -m models export RUN --out DIR"
            )
        digest.update((folder / name).read_bytes())
    return digest.hexdigest()
