"""Lines that are missing from a sum of lines, and lines in it that are none."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from xtal.patterns.wavelengths import anode
from xtal.physics.indexing.resolving.fit import CLOSEST, Resolved
from xtal.physics.indexing.resolving.shape import REACH

SIGNIFICANT, CLEAR = 4.5, 8.0  # standard deviations of a line that is added, beside another one and
ALONE = 4.0  # at least so many widths from any, where the line finder would have seen it
AREA = 1.3  # of a line over its height times its width
LEVEL = 4.0  # widths over which what is left over must not be level
WINDOW = 12.0  # widths
BESIDE, FADING = 0.2, 1.5  # share of a line beside a stronger one that is no line, and widths over which it falls
BETA, NEAR = 0.05, 1.0  # most of a line that its Kβ has behind a poor filter, widths from its place


def left_over(found: Resolved) -> NDArray[np.float64]:
    """Angles at which a line more would explain what is left over, and not the shape of one beside it."""
    profile = found.profile
    residual = found.residual(profile.columns(found.angle)[0])
    score, deviation = _significance(residual, profile.weight, profile.width / profile.step)
    top = np.flatnonzero((score[1:-1] > score[:-2]) & (score[1:-1] >= score[2:]) & (score[1:-1] > SIGNIFICANT)) + 1
    angle, area = profile.x[top], AREA * (score * deviation)[top] * profile.width
    off = np.abs(angle[:, None] - found.angle).min(axis=1, initial=np.inf) / profile.width
    fit = (off > CLOSEST) & ((off < ALONE) | (score[top] > CLEAR))
    return np.asarray(angle[fit & ~_is_foot(found, angle, area)])


def without_spurious(found: Resolved) -> Resolved:
    """Leave out spurious lines, background and far tails, from list and profile."""
    profile, true = found.profile, ~(_spurious(found) | _level(found))
    far, near = profile.columns(found.angle)[0], profile.columns(found.angle, REACH)[0]
    others = found.area @ far - (found.area * true) @ near
    rows = (found.angle[true], found.sigma[true], found.area[true], found.area_sigma[true])
    net = profile.net - found.background - others
    return Resolved(replace(profile, net=net), *rows, 0 * found.under, found.misfit)


def _is_foot(found: Resolved, angle: NDArray[np.float64], area: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(N,) whether lines at `angle` are far weaker than a found one beside them, whose shape they may make up for."""
    lower, upper = found.profile.halves(found.angle)
    away, share = angle[:, None] - found.angle, area[:, None] / found.area
    own, other = np.where(away < 0, lower, upper), np.where(away < 0, upper, lower)
    least = BESIDE * np.sqrt(own / other) * np.exp(-np.abs(away) / own / FADING)
    return np.asarray((share < least).any(axis=1))


def _spurious(found: Resolved) -> NDArray[np.bool_]:
    """(K,) whether a line is part of the shape of one beside it, or may be the Kβ line of one."""
    profile, out = found.profile, _is_foot(found, found.angle, found.area)
    tube = anode(profile.wavelength)
    if tube is not None:
        sine = np.sin(np.radians(found.angle) / 2) * tube.kb / profile.wavelength
        off = np.abs(found.angle[:, None] - np.degrees(2 * np.arcsin(sine))) / profile.width
        out |= ((off < NEAR) & (found.area[:, None] < BETA * found.area)).any(axis=1)
    return np.asarray(out)


def _level(found: Resolved) -> NDArray[np.bool_]:
    """(K,) whether a line does not stand out from what is level about it: noise upon a hump."""
    profile = found.profile
    value = profile.columns(found.angle)[0]
    residual, width = found.residual(value), profile.width / profile.step
    reach = int(WINDOW * width)
    out = np.zeros(len(found.angle), dtype=bool)
    for k, at in enumerate(np.searchsorted(profile.x, found.angle).tolist()):
        part = slice(max(0, at - reach), at + reach + 1)
        score, _ = _significance(residual[part] + found.area[k] * value[k, part], profile.weight[part], width)
        middle = at - part.start
        out[k] = score[max(0, middle - 1) : middle + 2].max() < SIGNIFICANT
    return out


def _significance(residual: NDArray, weight: NDArray, width: float) -> tuple[NDArray, NDArray]:
    """(M,) how high a line of `width` points is at each, over its deviation, and that; what is level adds nothing."""
    reach = int(2 * LEVEL * width) + 1
    off = np.arange(-reach, reach + 1) / width
    line, level = np.exp(-4 * np.log(2) * off**2), np.exp(-4 * np.log(2) * (off / LEVEL) ** 2)
    share = _sums(weight, line) / _sums(weight, level)
    above = _sums(residual * weight, line) - share * _sums(residual * weight, level)
    variance = _sums(weight, line**2) - 2 * share * _sums(weight, line * level) + share**2 * _sums(weight, level**2)
    return above / np.sqrt(variance), 1 / np.sqrt(variance)


def _sums(values: NDArray, kernel: NDArray) -> NDArray[np.float64]:
    """(M,) sums of values about each point, times a symmetric kernel that may be longer than they are."""
    extra = len(kernel) // 2
    return np.convolve(values, kernel)[extra : extra + len(values)]
