"""Databases of crystals, by name: entries with stable ids, streamed."""

from xtal.sources.catalog import NAMES, open_source
from xtal.sources.record import Record, Source, TooManyAtomsError

__all__ = ["NAMES", "Record", "Source", "TooManyAtomsError", "open_source"]
