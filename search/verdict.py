"""Whether the structure was found: the calibrated word on an answer."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from search.answer import Answer
from xtal.errors import UserError

if TYPE_CHECKING:
    from search.calibration import Calibration
    from search.engine import Engine
    from xtal.line_table import LineTable

EVEN = 0.5  # a match that is less likely the very structure is explained


@dataclass(frozen=True)
class Verdict:
    """What an answer amounts to.

    Attributes:
        kind: ``match`` when `probability` reaches the value that 3 % of patterns of absent structures reach, ``miss``
            otherwise.
        probability: that the first hit is the structure, or one whose lines look the same (`search.lookalikes`);
            calibrated, 0 to 1, for a user of whose patterns every second one is of a structure that the index holds.
        reasons: what speaks for and against, in words for people to read.
        exact: that the first hit (its group of equal structures) is the very structure; never above `probability`.
    """

    kind: Literal["match", "miss"]
    probability: float
    reasons: tuple[str, ...]
    exact: float | None = None


class Judge:
    """Gives verdicts on the answers of one engine; safe to use from several threads."""

    def __init__(self, calibration: "Calibration", table: "LineTable") -> None:
        self.calibration = calibration
        self._table = table
        self._threshold = calibration.threshold()

    @classmethod
    def open(cls, engine: "Engine", home: Path | None = None) -> Self:
        """Load the calibration of an engine's index, or the one shipped with its embedder; UserError without one."""
        from search.calibration import find_calibration

        return cls(find_calibration(engine.index.manifest.name, engine.embedder, home), engine.index.lines)

    def verdict(self, answer: Answer) -> Verdict:
        """Judge one answer; UserError when it comes from a search without physics."""
        from search.evidence import Evidence, features, reasons

        if not len(answer.lines):
            return Verdict("miss", 0.0, ("no line stands out of the noise",), 0.0)
        if not answer.hits:
            return Verdict("miss", 0.0, ("nothing was left to compare with",), 0.0)
        evidence = Evidence.of(answer, self._table)
        if evidence is None:
            raise UserError("a verdict needs the physics fit, and this answer has none; search again with physics=True")
        probability, exact = (float(p[0]) for p in self.calibration.curves.probabilities(features(evidence)[None]))
        exact = min(exact, probability)
        kind: Literal["match", "miss"] = "match" if probability >= self._threshold else "miss"
        said = reasons(answer, evidence)
        if kind == "match" and exact < EVEN:
            said += (f"structures with nearly the same lines are not ruled out: it is the very one with {exact:.0%}",)
        return Verdict(kind, probability, said, exact)
