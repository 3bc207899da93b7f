"""The vectors of an index and the ways of searching them: exactly, by halves of them, or by clusters."""

from indexer.storage.vectors.codes import CODES, SearchNote, Tier, open_codes, write_codes
from indexer.storage.vectors.flat import FlatVectors
from indexer.storage.vectors.gpus import Searcher, on_gpus
from indexer.storage.vectors.merged import put_together

__all__ = [
    "CODES",
    "FlatVectors",
    "SearchNote",
    "Searcher",
    "Tier",
    "on_gpus",
    "open_codes",
    "put_together",
    "write_codes",
]
