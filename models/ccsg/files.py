"""The files of an exported CCSG model: what training writes and serving reads. No torch here."""

from pathlib import Path

from models.ccsg.config import DenoiserConfig, ModelConfig
from models.files import CONFIG_FILE, digest_of, read_settings

CONDITIONER_FILE, DENOISER_FILE = "conditioner.onnx", "denoiser.onnx"
SERVED = (CONDITIONER_FILE, DENOISER_FILE, CONFIG_FILE)  # what decides the samples
VERSION = 1  # raise it when the features or the sampler change


def read_config(folder: Path) -> ModelConfig:
    """Read the settings in `folder`; raise UserError when there are none."""
    stored = read_settings(folder, "ccsg")
    cell = (tuple(stored["cell_mean"]), tuple(stored["cell_spread"]))
    return ModelConfig(DenoiserConfig(**stored["denoiser"]), stored["lines"], *cell)


def model_id(folder: Path) -> str:
    """SHA-256 over the served files and the version of features and sampler."""
    return digest_of(folder, SERVED, VERSION)
