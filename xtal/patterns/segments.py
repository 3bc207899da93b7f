"""Gaps in a scan: excluded regions, several ranges in one file. What lies in a gap was not measured, and is no zero."""

import itertools

import numpy as np
from numpy.typing import NDArray

from xtal.patterns.pattern import Pattern

WIDER = 4.5  # a step so many times as wide as both its neighbours is a gap: instruments at most double their steps


def segments(two_theta: NDArray[np.float64]) -> list[slice]:
    """Return the runs of points (M,) without a gap between them, ascending; one where there is no gap."""
    steps = np.diff(two_theta)
    wider = np.maximum(np.append(0.0, steps[:-1]), np.append(steps[1:], 0.0))
    ends = np.flatnonzero(steps > WIDER * wider) + 1
    bounds = [0, *ends.tolist(), len(two_theta)]
    return [slice(a, b) for a, b in itertools.pairwise(bounds)]


def gaps(pattern: Pattern) -> NDArray[np.float64]:
    """Return (G, 2) first and last angle of each gap in degrees 2θ: the measured points on either side of it."""
    runs = segments(pattern.two_theta)
    edges = [(pattern.two_theta[a.stop - 1], pattern.two_theta[b.start]) for a, b in itertools.pairwise(runs)]
    return np.array(edges).reshape(-1, 2)


def in_gap(two_theta: NDArray[np.float64], missing: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return for each angle (...) whether it lies in one of the gaps (G, 2)."""
    place = two_theta[..., None]
    return np.asarray(((place > missing[:, 0]) & (place < missing[:, 1])).any(axis=-1))


def broken(two_theta: NDArray[np.float64], *columns: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Return angles (M,) and columns (M,) with a NaN in each gap, where whoever draws them draws no curve."""
    ends = [run.start for run in segments(two_theta)[1:]]
    return np.insert(two_theta, ends, two_theta[ends]), *(np.insert(column, ends, np.nan) for column in columns)
