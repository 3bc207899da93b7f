"""What was asked before: one DuckDB file of answers and the history read from it."""

from search.cache.cache import Cache
from search.cache.history import HistoryEntry
from search.cache.key import Origin, solution_key

__all__ = ["Cache", "HistoryEntry", "Origin", "solution_key"]
