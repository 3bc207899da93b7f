"""The one answer: what the search found, what it amounts to, and what was generated where it found nothing."""

from dataclasses import dataclass

from generate.candidate import Candidate
from search.answer import Answer
from search.verdict import Verdict

UNFINISHED = "the generation was not finished: search again to begin it anew"


@dataclass(frozen=True, eq=False)
class Solution:
    """Everything that one pattern was answered with.

    Attributes:
        key: SHA-256 (hex) of the pattern, the settings and the models and index used; the cache files it under this.
        answer: of the search.
        verdict: on the search's first hit.
        candidates: generated, best first; empty after a match, or where nothing could be generated.
        notes: what the user should know of how it came about: formulas tried, generation left out or cancelled.
        seconds: that everything took when it was computed.
        cached: whether it comes from the cache.
        cancelled: whether the generation was stopped before it was done; what the search found is kept all the same,
            and the candidates of formulas that were done.
    """

    key: str
    answer: Answer
    verdict: Verdict
    candidates: tuple[Candidate, ...] = ()
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    cached: bool = False
    cancelled: bool = False

    @property
    def unfinished(self) -> bool:
        """Whether it was kept before its generation ended."""
        return UNFINISHED in self.notes
