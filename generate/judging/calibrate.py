"""Curves of chances from questions whose truth is known, and how far they can be trusted."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from generate.judging.chance import IN_PLACE, Curves
from generate.judging.evidence import SIGNS, Record
from models.logistic import Logistic

FOLDS = 10
JUDGED = 3  # candidates of a question that are fitted to, the first ones
RIDGES = {"framework": 0.01, "atoms": 0.05}  # per row: with so few questions, less of a ridge is worse on others
OUTER = 0.005  # quantile beyond which a feature counts as if it stood there
EDGES = np.array([0.0, 0.2, 0.5, 0.8, 1.0])  # of the bins of a reliability table


@dataclass(frozen=True)
class Bin:
    """First candidates whose chance lies between `low` and `high`: how many, the mean chance, how many were right."""

    low: float
    high: float
    count: int
    chance: float
    right: int


@dataclass(frozen=True)
class Reliability:
    """Of the first candidates of questions that a curve was not fitted to (cross-validation by questions).

    Attributes:
        name: of the curve.
        bins: by chance.
        brier: mean squared difference between chance and outcome.
        constant: the same of one chance for all, their share of right ones.
    """

    name: str
    bins: tuple[Bin, ...]
    brier: float
    constant: float


def calibrate(record: Record, sources: str) -> tuple[Curves, list[Reliability]]:
    """Fit curves to the first `JUDGED` candidates of each question; return them and what they are worth."""
    place = np.arange(len(record.question)) - np.searchsorted(record.question, record.question)
    used = place < JUDGED
    features, question, first = record.features[used], record.question[used], place[used] == 0
    right = {"framework": np.isfinite(record.rmse[used]), "atoms": record.rmse[used] < IN_PLACE}
    found = [_reliability(name, features, question, first, truth) for name, truth in right.items()]
    low, high = np.quantile(features, [OUTER, 1 - OUTER], axis=0)
    clipped = np.clip(features, low, high)
    fitted = {name: Logistic.fit(clipped, truth, SIGNS, RIDGES[name]) for name, truth in right.items()}
    curves = Curves(tuple(low.tolist()), tuple(high.tolist()), **fitted, questions=record.questions, sources=sources)
    return curves, found


def _reliability(
    name: str, features: NDArray, question: NDArray, first: NDArray[np.bool_], right: NDArray[np.bool_]
) -> Reliability:
    fold = np.random.default_rng(0).permutation(question.max() + 1)[question] % FOLDS
    chance = np.empty(len(question))
    for held in range(FOLDS):
        out = fold == held
        chance[out] = Logistic.fit(features[~out], right[~out], SIGNS, RIDGES[name]).probability(features[out])
    chance, outcome = chance[first], right[first]
    bins = []
    for low, high in pairwise(EDGES.tolist()):
        inside = (chance >= low) & ((chance < high) | (high == 1))
        mean = float(chance[inside].mean()) if inside.any() else 0.0
        bins.append(Bin(low, high, int(inside.sum()), mean, int(outcome[inside].sum())))
    share = outcome.mean()
    return Reliability(name, tuple(bins), float(((chance - outcome) ** 2).mean()), float(share * (1 - share)))
