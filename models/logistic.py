"""Logistic regression: from features to a probability."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

RIDGE = 1e-3  # per query: keeps weights finite where a feature separates everything
STEPS = 50  # Newton needs about ten


@dataclass(frozen=True)
class Logistic:
    """``p = 1 / (1 + exp(-(intercept + weights · x)))``; `weights` has a number per feature."""

    intercept: float
    weights: tuple[float, ...]

    def probability(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return (T,) probabilities of T rows of features (T, F)."""
        return _logistic(self.intercept + features @ np.array(self.weights))

    @classmethod
    def fit(
        cls,
        features: NDArray[np.float64],
        right: NDArray[np.bool_],
        signs: Sequence[int] | None = None,
        ridge: float = RIDGE,
    ) -> Self:
        """Maximise the likelihood of `right` (T,) under a slight `ridge` (logistic regression).

        Weights whose `signs` are 1 or -1 may have no other sign: features that would need one are left out, the worst
        first, so that no better fit ever makes a structure less likely.
        """
        wanted = np.zeros(features.shape[1]) if signs is None else np.array(signs)
        used = np.ones(features.shape[1], dtype=bool)
        while True:
            intercept, weights = _fit(features, right, used, ridge)
            against = -wanted * weights * features.std(axis=0)
            if against.max(initial=0) <= 0:
                return cls(intercept, tuple(weights.tolist()))
            used[np.argmax(against)] = False


def _fit(
    features: NDArray, right: NDArray[np.bool_], used: NDArray[np.bool_], ridge: float
) -> tuple[float, NDArray[np.float64]]:
    """Return intercept and weights (F,) by Newton's method; those of features that are not `used` are 0."""
    mean, spread = features.mean(axis=0), np.maximum(features.std(axis=0), 1e-9)
    design = np.column_stack([np.ones(len(features)), ((features - mean) / spread)[:, used]])  # (T, 1 + F')
    penalty = ridge * len(features) * np.eye(design.shape[1])
    penalty[0, 0] = 1e-9  # an intercept that runs away, when all are right, is held at last
    beta = np.zeros(design.shape[1])
    for _ in range(STEPS):
        p = _logistic(design @ beta)
        gradient = design.T @ (right - p) - penalty @ beta
        move = np.linalg.solve((design * (p * (1 - p))[:, None]).T @ design + penalty, gradient)
        beta = beta + np.clip(move, -2, 2)
        if np.abs(move).max() < 1e-8:
            break
    weights = np.zeros(len(spread))
    weights[used] = beta[1:] / spread[used]
    return float(beta[0] - weights @ mean), weights


def _logistic(score: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(score, -500, 500))))
