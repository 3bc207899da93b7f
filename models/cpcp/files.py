"""The files of an exported CPCP model: what training writes and serving reads. No torch here."""

from pathlib import Path

from models.cpcp.config import CSPNetConfig, ModelConfig
from models.files import CONFIG_FILE, digest_of, read_settings

PATTERN_FILE, CRYSTAL_FILE = "pattern.onnx", "crystal.onnx"
SERVED = (PATTERN_FILE, CRYSTAL_FILE, CONFIG_FILE)  # what decides the vectors
VERSION = 1  # raise it when the features change


def read_config(folder: Path) -> ModelConfig:
    """Read the settings in `folder`; raise UserError when there are none."""
    stored = read_settings(folder, "cpcp")
    return ModelConfig(stored["lines"], None if stored["atoms"] is None else CSPNetConfig(**stored["atoms"]))


def model_id(folder: Path) -> str:
    """SHA-256 over the served files and the version of the features."""
    return digest_of(folder, SERVED, VERSION)
