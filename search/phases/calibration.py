"""From evidence to the probability of each phase: logistic curves fitted to mixtures whose truth is known."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from indexer.storage import curve_files
from models.embedder import Embedder
from search.phases.evidence import FEATURES
from search.verdict.curve import Curve

SHIPPED = "phases.json"  # beside the weights of an embedder


@dataclass(frozen=True)
class PhaseCurves:
    """What turns the evidence on the phases of a set into probabilities.

    Attributes:
        model_id: of the embedder whose similarities they were fitted to.
        trials: patterns that they were fitted to.
        alone: that a single phase is in the sample, or one that looks like it.
        together: the same of one of several phases.
        least_alone: probability from which a single phase is named where much is unexplained.
        least_together: the same where there are several, for each of them.
    """

    model_id: str
    trials: int
    alone: Curve
    together: Curve
    least_alone: float
    least_together: float

    def probabilities(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (P,) of the features (P, F) of a set."""
        return (self.alone if len(features) == 1 else self.together).probabilities(features)

    def sure(self, probabilities: NDArray[np.float64]) -> bool:
        """Whether each phase of a set with these probabilities (P,) is to be named."""
        return bool(probabilities.min() >= (self.least_alone if len(probabilities) == 1 else self.least_together))

    def save(self, path: Path) -> None:
        """Write the curves as JSON, whole or not at all."""
        curve_files.save(path, FEATURES, self)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; UserError when another version of the program wrote it."""
        raw = curve_files.read(path, FEATURES)
        return cls(**{**raw, "alone": Curve.read(raw["alone"]), "together": Curve.read(raw["together"])})


def shipped_curves(embedder: Embedder) -> PhaseCurves | None:
    """Return the curves that come with an embedder; None where there is none: its patterns are taken for pure."""
    return curve_files.of_embedder(embedder, SHIPPED, PhaseCurves.load)
