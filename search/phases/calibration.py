"""From evidence to the probability of each phase: logistic curves fitted to mixtures whose truth is known."""

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from indexer.storage.files import write_durably
from models.embedder import Embedder
from models.files import WEIGHTS
from search.phases.evidence import FEATURES
from search.verdict.curve import Curve
from xtal.errors import UserError
from xtal.shipped import renewed, whole

FORMAT = 1  # raised when older code could misread the file
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
        content = {"format": FORMAT, "features": FEATURES, **asdict(self)}
        write_durably(path, (json.dumps(content, indent=1) + "\n").encode())
        renewed(path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; UserError when another version of the program wrote it."""
        raw = json.loads(whole(path).read_bytes())
        if raw.pop("format") != FORMAT or tuple(raw.pop("features")) != FEATURES:
            raise UserError(f"{path} was written by another version of this program; install the program anew")
        return cls(**{**raw, "alone": Curve.read(raw["alone"]), "together": Curve.read(raw["together"])})


@lru_cache(maxsize=4)
def _load(path: Path) -> PhaseCurves:
    return PhaseCurves.load(path)


def shipped_curves(embedder: Embedder) -> PhaseCurves | None:
    """Return the curves that come with an embedder; None where there is none: its patterns are taken for pure."""
    path = WEIGHTS / embedder.name / SHIPPED
    if not path.is_file():
        return None
    curves = _load(path)
    return curves if curves.model_id == embedder.model_id else None
