"""Whether the structure was found: the calibrated word on an answer."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

import numpy as np

from search.answer import Answer, Phase
from xtal.errors import UserError

if TYPE_CHECKING:
    from indexer.storage import Index
    from search.engine import Engine
    from search.verdict.calibration import Calibration

Kind = Literal["match", "match_and_more", "other_state", "miss"]
WORDS = {
    "match": "match",
    "match_and_more": "match and more",
    "other_state": "another pore state",
    "miss": "no match",
}
SURE = 0.9  # a match that is less likely is called probable
EVEN = 0.5  # a match that is less likely the very structure is explained


@dataclass(frozen=True)
class Verdict:
    """What an answer amounts to.

    Attributes:
        kind: ``match`` when `probability` reaches one half, and the value that 3 % of patterns of absent structures
            reach; ``match_and_more`` when known phases explain most of the pattern together, or one does and lines are
            left; ``other_state`` when a known framework does with another cell and other guests; ``miss`` otherwise.
        probability: that the first hit is the structure, or one whose lines look the same (`lookalikes`);
            calibrated, 0 to 1, for a user of whose patterns every second one is of a structure that the index holds.
            Under a filter it is weighed against all structures of the index, as if there were none.
        reasons: what speaks for and against, in words for people to read.
        exact: that the first hit (its group of equal structures) is the very structure, weighed against those that pass
            the filter; never above `probability`.
        phases: of a ``match_and_more``, that with the most intensity first, and of an ``other_state`` the framework;
            `probability` is then the first one's.
        unexplained: found lines that the first hit does not explain, degrees 2θ, the strongest first.
    """

    kind: Kind
    probability: float
    reasons: tuple[str, ...]
    exact: float | None = None
    phases: tuple[Phase, ...] = ()
    unexplained: tuple[float, ...] = ()

    @property
    def headline(self) -> str:
        """The verdict in a few words."""
        if self.probability == 0:
            return "No match"
        if self.kind == "match_and_more":
            if len(self.phases) > 1:
                least = percent(min(phase.probability for phase in self.phases))
                least = least if least.startswith("more") else f"at least {least}"
                return f"Match and more: {len(self.phases)} phases, each {least} likely"
            return f"Match and more: {percent(self.probability)} likely, and peaks of something else"
        if self.kind == "other_state":
            return f"This framework, other guests or pore state: {percent(self.probability)} likely"
        if self.kind == "miss":
            return f"No match: {percent(self.probability)} likely that the best hit is right"
        return f"{'Match' if self.probability >= SURE else 'Probable match'}: {percent(self.probability)} likely"


def percent(probability: float) -> str:
    """Write a probability, everywhere in this one way; no estimate is certain, so neither 0 nor 100 % is ever written.

    Rounded down, so that it never reads like what a match needs and does not have.
    """
    if probability < 0.01:
        return "less than 1 %"
    return "more than 99 %" if probability > 0.99 else f"{math.floor(100 * probability + 1e-9)} %"


class Judge:
    """Gives verdicts on the answers of one engine; safe to use from several threads."""

    def __init__(self, calibration: "Calibration", index: "Index") -> None:
        self.calibration = calibration
        self._index = index
        self._threshold = calibration.decisive

    @classmethod
    def open(cls, engine: "Engine", home: Path | None = None) -> Self:
        """Load the calibration of an engine's index, or the one shipped with its embedder; UserError without one.

        Of several indexes that are searched as one, the first is what it was calibrated with.
        """
        from indexer.storage.joined import split
        from search.verdict.calibration import find_calibration

        return cls(find_calibration(split(engine.index.manifest.name)[0], engine.embedder, home), engine.index)

    def verdict(self, answer: Answer) -> Verdict:
        """Judge one answer; UserError when it comes from a search without physics."""
        from search.verdict.calibration import doubted
        from search.verdict.evidence import Evidence, among_all, features
        from search.verdict.reasons import reasons

        if not len(answer.lines):
            return Verdict("miss", 0.0, ("no line stands out of the noise",), 0.0)
        if not answer.hits:
            return Verdict("miss", 0.0, ("nothing was left to compare with",), 0.0)
        evidence = Evidence.of(answer, self._index)
        if evidence is None:
            raise UserError("a verdict needs the physics fit, and this answer has none; search again with physics=True")
        weighed = np.array([features(among_all(evidence, answer)), features(evidence)])  # against all, in the filter
        alike, same = self.calibration.curves.probabilities(weighed)
        if evidence.hazy:
            alike, same = doubted(alike), doubted(same)
        probability = float(alike[0])
        exact = min(float(same[1]), probability)
        kind: Kind = "match" if probability >= self._threshold else "miss"
        said = reasons(answer, evidence)
        if kind == "match" and exact < EVEN:
            said += (f"structures with nearly the same peaks are not ruled out: it is the very one with {exact:.0%}",)
        return Verdict(kind, probability, said, exact, unexplained=evidence.unexplained)
