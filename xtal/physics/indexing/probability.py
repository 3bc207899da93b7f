"""How probable it is that a lattice is the right one."""

import numpy as np
from numpy.typing import NDArray

# logistic regression on simulated and measured patterns, see docs/indexing.md: constant, gap, agreement, misfit
WEIGHTS = (-4.8, 0.91, 0.137, -4.5)
GAP = 10.0  # of ln evidence: more of it says little more
TEMPER = 10.0  # ln evidence counts this many times too much: the shape of lines is never known exactly
MOST_AGREEMENT = 40.0  # more of it says nothing more
MOST = 0.96  # nothing is certain from lines alone: those of a larger cell may be too weak to be seen


def probabilities(evidence: NDArray[np.float64], agreement: float, misfit: float) -> NDArray[np.float64]:
    """(C,) probability of each of some cells, the best first.

    Args:
        evidence: (C,) ln, descending.
        agreement: `metric.score` of the first.
        misfit: its mean squared residual over that of free lines.
    """
    gap = evidence[0] - evidence[1] if len(evidence) > 1 else 10 * GAP
    value = float(np.dot(WEIGHTS, features(gap, agreement, misfit)))
    first = min(MOST, 1 / (1 + np.exp(-value)))
    rest = np.exp((evidence[1:] - evidence[0]) / TEMPER)
    # what is left is shared, but none is likelier than the first: where that is wrong, all of them mostly are
    share = np.minimum(first, (1 - first) / (1 + rest.sum()))
    return np.concatenate([[first], share * rest])


def features(gap: float, agreement: float, misfit: float) -> tuple[float, float, float, float]:
    """Return what the regression sees."""
    return 1.0, float(np.log1p(gap / GAP)), min(agreement, MOST_AGREEMENT), float(np.log(max(misfit, 0.5)))
