"""The files of an exported model: what training writes and serving reads. No torch here."""

import hashlib
import json
from pathlib import Path

from models.cpcp.config import CSPNetConfig, ModelConfig, NetworkConfig
from xtal.errors import UserError

PATTERN_FILE, CRYSTAL_FILE = "pattern.onnx", "crystal.onnx"
WEIGHTS_FILE, CONFIG_FILE = "network.safetensors", "config.json"
SERVED = (PATTERN_FILE, CRYSTAL_FILE, CONFIG_FILE)  # what decides the vectors
WEIGHTS = Path(__file__).parent.parent / "weights"  # the models that come with the package
VERSION = 1  # raise it when the features change


def read_config(folder: Path) -> ModelConfig:
    """Read the settings in `folder`; raise UserError when there are none."""
    path = folder / CONFIG_FILE
    if not path.is_file():
        raise UserError(f"no model in {folder}: {CONFIG_FILE} is missing; train one: python -m models train cpcp")
    stored = json.loads(path.read_text())
    lines = NetworkConfig(**{**stored["lines"], "channels": tuple(stored["lines"]["channels"])})
    return ModelConfig(lines, None if stored["atoms"] is None else CSPNetConfig(**stored["atoms"]))


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
