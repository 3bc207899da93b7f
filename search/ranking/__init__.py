"""The order of a shortlist by physics: profiles fitted, near ties settled, computed patterns reproduced."""

from search.ranking.computed import reproduce
from search.ranking.rerank import STRAIN_MARGIN, Ranking, rerank
from search.ranking.ties import settle

__all__ = ["STRAIN_MARGIN", "Ranking", "reproduce", "rerank", "settle"]
