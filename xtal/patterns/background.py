"""The smooth background under the lines of a measured pattern."""

import warnings

import numpy as np
from numpy.typing import NDArray
from pybaselines.utils import ParameterWarning
from pybaselines.whittaker import arpls

from xtal.patterns.pattern import Pattern

BIN = 0.007  # Å⁻¹ (0.1° with Cu Kα): about one line wide, so that lines stand out and the counting noise averages away
FEWEST_BINS, MOST_BINS = 100, 2000
STIFFNESS = 1e4  # follows an amorphous hump 0.1 Å⁻¹ wide, bridges a cluster of lines; flat optimum from 3e3 to 3e4
ITERATIONS = 12  # the weights have settled to 1 % by then


def background(pattern: Pattern) -> NDArray[np.float64]:
    """Estimate the background (M,) in the unit of the intensity.

    Asymmetrically reweighted penalised least squares, arPLS (Baek et al., Analyst 140 (2015) 250), on the square root
    of the binned intensity: the root makes counting noise equally strong everywhere, and bins of one width in q make
    the stiffness mean the same for every step and wavelength.
    """
    top = pattern.intensity.max()
    centres, binned = _bins(pattern)
    with warnings.catch_warnings():
        # said of a curve without noise, where no point lies below the background: the result is good
        warnings.simplefilter("ignore", ParameterWarning)
        root, _ = arpls(np.sqrt(binned), lam=STIFFNESS, max_iter=ITERATIONS, tol=1e-2)
    return top * np.interp(np.arange(len(pattern)), centres, np.clip(root, 0, None) ** 2)


def subtract_background(pattern: Pattern) -> NDArray[np.float64]:
    """Return the intensity (M,) above the background; noise makes some of it negative."""
    return pattern.intensity - background(pattern)


def _bins(pattern: Pattern) -> tuple[NDArray, NDArray]:
    """Centres (as point numbers) and mean intensities (highest point 1) of runs of points, about `BIN` wide."""
    low, high = pattern.q_range
    wanted = int(np.clip((high - low) / BIN, FEWEST_BINS, MOST_BINS))
    size = max(1, len(pattern) // wanted)
    count = len(pattern) // size
    binned = (pattern.intensity[: count * size] / pattern.intensity.max()).reshape(count, size).mean(axis=1)
    return (np.arange(count) + 0.5) * size - 0.5, binned
