"""The rigid parts that frameworks consist of: metals, clusters, linkers, molecules and ions."""

from xtal.crystals.parts.part import Part

__all__ = ["Part"]
