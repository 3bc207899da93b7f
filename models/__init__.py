"""The networks and fingerprints: pattern and crystal encoders, denoiser, their training, export and shipped weights."""

from models.registry import load

__all__ = ["load"]
