"""The smooth background under the lines of a measured pattern."""

import warnings

import numpy as np
from numpy.typing import NDArray
from pybaselines.utils import ParameterWarning
from pybaselines.whittaker import arpls

from xtal.patterns.pattern import Pattern
from xtal.patterns.segments import segments

BIN = 0.007  # Å⁻¹ (0.1° with Cu Kα): about one line wide, so that lines stand out and the counting noise averages away
FEWEST_BINS, MOST_BINS = 100, 2000
STIFFNESS = 1e4  # follows an amorphous hump 0.1 Å⁻¹ wide, bridges a cluster of lines; flat optimum from 3e3 to 3e4
ITERATIONS = 12  # the weights have settled to 1 % by then
BESIDE = 5  # runs on either side of a gap; the lowest of them is its background


def background(pattern: Pattern) -> NDArray[np.float64]:
    """Estimate the background (M,) in the unit of the intensity.

    Asymmetrically reweighted penalised least squares, arPLS (Baek et al., Analyst 140 (2015) 250), on the square root
    of the binned intensity: the root makes counting noise equally strong everywhere, and bins of one width in q make
    the stiffness mean the same for every step and wavelength.
    """
    top = pattern.intensity.max()
    places, centres, binned = _bins(pattern)
    with warnings.catch_warnings():
        # said of a curve without noise, where no point lies below the background: the result is good
        warnings.simplefilter("ignore", ParameterWarning)
        root, _ = arpls(np.sqrt(binned), lam=STIFFNESS, max_iter=ITERATIONS, tol=1e-2)
    return top * np.interp(places, centres, np.clip(root, 0, None) ** 2)


def subtract_background(pattern: Pattern) -> NDArray[np.float64]:
    """Return the intensity (M,) above the background; noise makes some of it negative."""
    return pattern.intensity - background(pattern)


def _bins(pattern: Pattern) -> tuple[NDArray, NDArray, NDArray]:
    """Return places (M,) of the points, and centres and mean intensities (highest point 1) of runs of points.

    Runs are about `BIN` wide. Places count points; a gap takes as many as were left out, and is bridged between the
    lowest runs beside it, for a line may stand there.
    """
    low, high = pattern.q_range
    wanted = int(np.clip((high - low) / BIN, FEWEST_BINS, MOST_BINS))
    size = max(1, len(pattern) // wanted)
    step, runs = float(np.median(np.diff(pattern.two_theta))), segments(pattern.two_theta)
    places, centres, binned = np.arange(len(pattern), dtype=np.float64), [], []
    for run in runs:
        if run.start:
            places[run.start :] += (pattern.two_theta[run.start] - pattern.two_theta[run.start - 1]) / step - 1
        width = min(size, run.stop - run.start)
        count = (run.stop - run.start) // width
        used = slice(run.start, run.start + count * width)
        centres.append(places[used].reshape(count, width).mean(axis=1))
        binned.append(pattern.intensity[used].reshape(count, width).mean(axis=1))
    all_centres, all_binned = _bridged(centres, binned, size)
    return places, all_centres, all_binned / pattern.intensity.max()


def _bridged(centres: list[NDArray], binned: list[NDArray], size: int) -> tuple[NDArray, NDArray]:
    """Join the runs of several segments, and fill the gaps between them with runs on a straight line."""
    all_centres, all_binned = [centres[0]], [binned[0]]
    for before, after, left, right in zip(centres[:-1], centres[1:], binned[:-1], binned[1:], strict=True):
        inside = np.arange(before[-1] + size, after[0] - size / 2, size)
        ends = left[-BESIDE:].min(), right[:BESIDE].min()
        all_centres += [inside, after]
        all_binned += [np.interp(inside, [before[-1], after[0]], ends), right]
    return np.concatenate(all_centres), np.concatenate(all_binned)
