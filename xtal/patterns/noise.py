"""How far each point of a pattern scatters: counting noise, seen through whatever was done to the file since.

Interpolation, smoothing and averaging leave neighbouring points alike, so that the differences between them say little
of the noise. What counts is how far *independent* pieces scatter: means over runs of points, up to a good part of a
line's width. For white noise all runs say the same.
"""

import numpy as np
from numpy.typing import NDArray

BLOCK = 24  # runs over which the scatter is compared with the expected noise
LOW, OF_WHITE = 40, 0.87  # this percentile over blocks keeps lines out; what it is for pure counting noise
RUNS_PER_LINE = 3  # longer runs than a third of a line's width would see the lines themselves
DOUBT = 1.15  # a longer run must scatter by so much more than a shorter one before it is believed: few runs scatter
FEWEST_BLOCKS = 4
MOST_ALIKE = 8.0  # points that smoothing makes one
FEWEST_ZEROS = 0.02  # share of the points
WHOLE_COUNTS = 0.05  # mean distance from whole multiples of the least value; values of all sizes have 0.25
SMOOTH_RUNS = 4  # as above, for the question whether there is noise at all
SMOOTH = 4.0  # ratio of fourth to second differences; noise that was interpolated or smoothed has 6 and more
TELLING = 10.0  # second differences so many times as strong as rounding makes them
FINEST = 1e-5  # of the strongest point: finer digits do not matter
MEDIAN_DEVIATION = 0.674  # of a normal distribution


def counting_variance(
    counts: NDArray, smooth: NDArray, sigma: NDArray | None, window: int, points: float
) -> NDArray[np.float64]:
    """Estimate the variance (M,) of the noise of each of `counts` (M,), as if each point were independent.

    It is taken to follow sigma² where the file gives one, and the intensity itself where not (counting noise); the
    factor comes from the scatter of the data: second differences of white noise have six times its variance.

    Args:
        counts: (M,) intensities.
        smooth: (M,) what they scatter about.
        sigma: (M,) as the file states it, or None; where it is 0 it is unknown.
        window: an odd number of points, about a line wide.
        points: width of a line, in points.
    """
    level = np.maximum(_running_mean(counts, window), smooth)
    expected = level if sigma is None else _completed(sigma, level)
    single = gain = _gain(counts, expected, 1)
    run = 2
    while run <= points / RUNS_PER_LINE:
        gain = max(gain, _gain(counts, expected, run) / DOUBT)
        run *= 2
    alike = min(gain / max(single, 1e-30), MOST_ALIKE)
    # where nothing was counted, one count might have been
    least = np.maximum(expected, 2 * gain / window) if sigma is None else expected
    return gain * least + alike * _clipped(counts, window) ** 2


def _blocks(values: NDArray, used: int, blocks: int) -> NDArray[np.float64]:
    """Return sums over `blocks` of the first `used` values."""
    return np.asarray(values[:used].reshape(blocks, -1).sum(axis=1))


def is_smooth(counts: NDArray, points: float) -> bool:
    """Whether a curve (M,) has no noise but that of its digits, so that nobody measured it.

    Fourth differences of white noise have 70 / 6 times the variance of its second differences; of a smooth curve that
    is sampled well (`points` a line) they are the smaller ones. Runs of points are looked at as well: interpolation
    makes noise smooth, but only between the points that it began with.
    """
    digit = _digit(counts)
    run = 1
    while run == 1 or run <= points / SMOOTH_RUNS:
        mean = counts[: len(counts) // run * run].reshape(-1, run).mean(axis=1)
        second, fourth = np.diff(mean, 2)[1:-1] ** 2, np.diff(mean, 4) ** 2
        blocks = max(1, len(fourth) // BLOCK)
        size = len(fourth) // blocks
        if size < 1:
            return False
        sums = [part[: blocks * size].reshape(blocks, size).sum(axis=1) for part in (second, fourth)]
        rounding = size * digit**2 / 12 / run
        telling = sums[0] > max(TELLING * 6 * rounding, 1e-30 * counts.max() ** 2)
        if not telling.any():
            return False
        if np.median((sums[1][telling] - 70 * rounding) / sums[0][telling]) > SMOOTH:
            return False
        run *= 2
    return True


def _digit(counts: NDArray) -> float:
    """Smallest difference of values that a file can state, from the values themselves; 0 where there is none."""
    steps = np.diff(np.unique(counts))
    least = steps.min(initial=np.inf)
    if not np.isfinite(least) or least < FINEST * counts.max():
        return 0.0
    whole = counts / least
    return float(least) if np.abs(whole - np.rint(whole)).max() < WHOLE_COUNTS else 0.0


def _clipped(counts: NDArray, window: int) -> float:
    """Return the noise that was cut off at zero, from what is left of it; 0 where nothing was cut off.

    Zeros among values of all sizes are such noise. Zeros among whole counts are counts.
    """
    zero = counts <= 0
    if zero.mean() < FEWEST_ZEROS:
        return 0.0
    among = _running_mean(zero.astype(float), window)
    left = counts[~zero & (among > 0)]
    if len(left) < BLOCK:
        return 0.0
    whole = left / left.min()
    if np.abs(whole - np.rint(whole)).mean() < WHOLE_COUNTS:
        return 0.0
    return float(np.median(left) / MEDIAN_DEVIATION)


def _gain(counts: NDArray, expected: NDArray, run: int) -> float:
    """Return the noise in units of the `expected` variance, from means over `run` points."""
    size = len(counts) // run
    blocks = (size - 2) // BLOCK
    if run > 1 and blocks < FEWEST_BLOCKS:
        return 0.0
    blocks = max(1, blocks)
    used = min(blocks * BLOCK, size - 2)
    mean, level = (values[: size * run].reshape(size, run).mean(axis=1) for values in (counts, expected))
    scatter = _blocks(np.diff(mean, 2) ** 2 / 6, used, blocks)
    if run > 1:  # lines bend within a long run; fourth differences mind that less
        scatter = np.minimum(scatter, _blocks(np.pad(np.diff(mean, 4), 1, "edge") ** 2 / 70, used, blocks))
    predicted = _blocks(level[1:-1] / run, used, blocks)
    ratio = scatter / np.maximum(predicted, 1e-12 * expected.max())
    moving = ratio[ratio > 0]
    return float(np.percentile(moving, LOW) / OF_WHITE) if len(moving) else 0.0


def _completed(sigma: NDArray, level: NDArray) -> NDArray[np.float64]:
    """(M,) sigma², as counting has it where the file states 0."""
    known = sigma > 0
    usual = np.median(sigma[known] ** 2 / np.maximum(level[known], 1e-12 * level.max()))
    return np.where(known, sigma**2, usual * level)


def _running_mean(curve: NDArray, window: int) -> NDArray[np.float64]:
    """Mean over an odd `window` of points; the ends are continued level."""
    reach = window // 2
    padded = np.concatenate([np.full(reach, curve[0]), curve, np.full(reach, curve[-1])])
    total = np.concatenate([[0.0], np.cumsum(padded)])
    return (total[window:] - total[:-window]) / window
