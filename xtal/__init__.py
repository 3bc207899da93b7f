"""Crystals and powder patterns: value objects, file formats, structure sources, and the physics between them."""

__distribution__ = "xtalscout"
