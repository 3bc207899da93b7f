"""From evidence to the probability of each phase: a logistic curve fitted to mixtures whose truth is known."""

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
from search.verdict.calibration import Logistic
from xtal.errors import UserError

FORMAT = 1  # raised when older code could misread the file
SHIPPED = "phases.json"  # beside the weights of an embedder


@dataclass(frozen=True)
class PhaseCurve:
    """What turns the evidence on the phases of a set into probabilities.

    Attributes:
        model_id: of the embedder whose similarities it was fitted to.
        trials: patterns that it was fitted to.
        low: (F,) features below count as this.
        high: (F,) features above count as this.
        curve: that a phase is in the sample, or one that looks like it.
        further: probability from which a further phase is named: at most 2 % of samples of one phase reach it.
        alone: the same for a single phase where much is unexplained: 3 % of the patterns of absent structures reach it.
    """

    model_id: str
    trials: int
    low: tuple[float, ...]
    high: tuple[float, ...]
    curve: Logistic
    further: float
    alone: float

    def probabilities(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (P,) of features (P, F)."""
        return self.curve.probability(np.clip(features, self.low, self.high))

    def save(self, path: Path) -> None:
        """Write the curve as JSON, whole or not at all."""
        content = {"format": FORMAT, "features": FEATURES, **asdict(self)}
        write_durably(path, (json.dumps(content, indent=1) + "\n").encode())

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote; UserError when another version of the program wrote it."""
        raw = json.loads(path.read_bytes())
        if raw.pop("format") != FORMAT or tuple(raw.pop("features")) != FEATURES:
            raise UserError(f"{path} was written by another version of this program; install the program anew")
        raw["curve"] = Logistic(raw["curve"]["intercept"], tuple(raw["curve"]["weights"]))
        return cls(**{**raw, "low": tuple(raw["low"]), "high": tuple(raw["high"])})


@lru_cache(maxsize=4)
def _load(path: Path) -> PhaseCurve:
    return PhaseCurve.load(path)


def shipped_curve(embedder: Embedder) -> PhaseCurve | None:
    """Return the curve that comes with an embedder; None where there is none: its patterns are taken for pure."""
    path = WEIGHTS / embedder.name / SHIPPED
    if not path.is_file():
        return None
    curve = _load(path)
    return curve if curve.model_id == embedder.model_id else None
