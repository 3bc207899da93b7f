"""Small helpers that the value objects share."""

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray


def frozen(values: ArrayLike, dtype: DTypeLike = np.float64) -> NDArray:
    """Return `values` as a read-only array that nobody else can write to."""
    array = np.array(values, dtype=dtype)
    array.flags.writeable = False
    return array
