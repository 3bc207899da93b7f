"""Candidates from known crystals: linkers exchanged, relatives as templates, and the gallery that they come from."""

from generate.known.gallery import Gallery
from generate.known.starts import Builder

__all__ = ["Builder", "Gallery"]
