"""Small helpers that the value objects share."""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray


def frozen(values: ArrayLike, dtype: DTypeLike = np.float64) -> NDArray:
    """Return `values` as a read-only array that nobody else can write to."""
    array = np.array(values, dtype=dtype)
    array.flags.writeable = False
    return array


def ragged_rows(offsets: NDArray[np.int64], rows: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Gather rows of a ragged table in which row i holds elements ``offsets[i]:offsets[i + 1]``.

    Returns:
        The (K,) element numbers of the chosen rows, one after the other, and their (R + 1,) new offsets.
    """
    counts = offsets[np.asarray(rows) + 1] - offsets[rows]
    new = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return np.arange(new[-1]) + np.repeat(offsets[rows] - new[:-1], counts), new
