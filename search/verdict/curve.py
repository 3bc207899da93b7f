"""A logistic curve that nothing beyond what it was fitted to can carry away."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from models.logistic import Logistic


@dataclass(frozen=True)
class Curve:
    """A logistic curve on features (F,) that count as no less than `low` and no more than `high`, (F,) each."""

    low: tuple[float, ...]
    high: tuple[float, ...]
    logistic: Logistic

    def probabilities(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (P,) of features (P, F)."""
        return self.logistic.probability(np.clip(features, self.low, self.high))

    @classmethod
    def read(cls, raw: dict[str, Any]) -> Self:
        """Make one of what `asdict` wrote."""
        logistic = Logistic(raw["logistic"]["intercept"], tuple(raw["logistic"]["weights"]))
        return cls(tuple(raw["low"]), tuple(raw["high"]), logistic)
