"""Generate candidate crystals for a pattern: sample, check, re-embed, rank, refine."""

__distribution__ = "xtalscout"
