"""The verdict on an answer: its evidence, and the calibrated probability that the first hit is right."""

from search.verdict.verdict import WORDS, Judge, Kind, Verdict, percent

__all__ = ["WORDS", "Judge", "Kind", "Verdict", "percent"]
