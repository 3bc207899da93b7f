"""From evidence to the probability of another pore state: a curve fitted to patterns whose truth is known."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from indexer.storage import curve_files
from models.embedder import Embedder
from search.states.evidence import FEATURES
from search.verdict.curve import Curve

SHIPPED = "states.json"  # beside the weights of an embedder


@dataclass(frozen=True)
class StateCurve:
    """What turns the evidence on stretched candidates into probabilities.

    Attributes:
        model_id: of the embedder whose similarities it was fitted to.
        trials: patterns that it was fitted to.
        curve: that a candidate is the framework of the sample, in whatever state.
        least: probability from which it is named.
    """

    model_id: str
    trials: int
    curve: Curve
    least: float

    def save(self, path: Path) -> None:
        """Write the curve as JSON, whole or not at all."""
        curve_files.save(path, FEATURES, self)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; UserError when another version of the program wrote it."""
        raw = curve_files.read(path, FEATURES)
        return cls(**{**raw, "curve": Curve.read(raw["curve"])})


def shipped_curve(embedder: Embedder) -> StateCurve | None:
    """Return the curve that comes with an embedder; None where there is none: no other state is looked for."""
    return curve_files.of_embedder(embedder, SHIPPED, StateCurve.load)
