"""The verdict on an answer: its evidence, and the calibrated probability that the first hit is right."""

from search.verdict.verdict import Judge, Verdict, percent

__all__ = ["Judge", "Verdict", "percent"]
