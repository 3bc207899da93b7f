"""The networks and fingerprints: pattern and crystal encoders, denoiser, their training, export and shipped weights."""

__distribution__ = "xtalscout"

from models.registry import load

__all__ = ["load"]
