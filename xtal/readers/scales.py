"""Intensities that are logarithms or square roots of counts, told by their noise where no heading says so.

Counts scatter by their root. Taken back to counts, logarithms and roots must do so too, at low and at high intensities:
nothing but the right way back gives that factor of one at both.
"""

import numpy as np
from numpy.typing import NDArray

from xtal.readers.intensities import LARGEST_POWER, Scale

BLOCK = 16  # points over which the scatter is compared with the level
FEWEST = 12  # blocks
AS_COUNTED = (0.55, 1.8)  # variance over level of counts, with room for few blocks
LOW, OF_WHITE = 40, 0.9  # this percentile over blocks keeps lines out; what it is for pure counting noise
UNLIKE = 1.5  # times as high must the upper half of the blocks be: else one factor proves nothing
LEAST_ROOT = 4.0  # highest root: fewer counts than 16 show no lines

SCALES = (
    Scale("decimal logarithms, as their noise says", lambda y: np.power(10.0, y)),
    Scale("natural logarithms, as their noise says", np.exp),
    Scale("square roots, as their noise says", np.square),
)


def scale_of_noise(values: NDArray[np.floating]) -> Scale | None:
    """Return the way back from logarithms or roots of counts; None for anything that is not clearly one of them."""
    top = float(values.max(initial=0))
    if len(values) < FEWEST * BLOCK or values.min() < 0 or (values == np.rint(values)).all():
        return None
    powers = SCALES[:2] if top <= LARGEST_POWER else SCALES[1:2] if top <= LARGEST_POWER * np.log(10) else ()
    roots = SCALES[2:] if top >= LEAST_ROOT else ()
    plain = abs(np.log(np.divide(*_factors(values))))
    for scale in (*powers, *roots):
        low, high = _factors(scale.back(values))
        if min(low, high) > AS_COUNTED[0] and max(low, high) < AS_COUNTED[1] and abs(np.log(low / high)) < plain / 2:
            return scale
    return None


def _factors(counts: NDArray[np.floating]) -> tuple[float, float]:
    """Return the variance over the level, at low levels and at high ones; (1e-30, 1e30) where both are alike.

    Half of the blocks in each half of the levels hold no line's flank; the 40th percentile is theirs.
    """
    size = (len(counts) - 2) // BLOCK
    scatter = (np.diff(counts, 2)[: size * BLOCK] ** 2 / 6).reshape(size, BLOCK).mean(axis=1)
    level = counts[1 : size * BLOCK + 1].reshape(size, BLOCK).mean(axis=1)
    order = np.argsort(level)
    halves = order[: size // 2], order[size // 2 :]
    if level[halves[1]].mean() < UNLIKE * level[halves[0]].mean():
        return 1e-30, 1e30
    low, high = (np.percentile((scatter / np.maximum(level, 1e-30))[half], LOW) / OF_WHITE for half in halves)
    return max(float(low), 1e-30), max(float(high), 1e-30)
