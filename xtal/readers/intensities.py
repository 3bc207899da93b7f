"""What the name of a column means as an intensity, and how it was scaled."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xtal.readers.axes import plain

NOT_MEASURED = re.compile(
    r"calc|model|diff(?!rac)|resid|bkg|bgr?(?![a-z])|backgr|baseline|delta|weight|fit(?![a-z])|bragg|hkl|ycal|simul"
    r"|fwhm|area(?![a-z])|width|d[\s_-]*spac|max(?![a-z])"
)
CORRECTED = re.compile(r"sub(?:tr|[\s_-]|$)|corr|remov|net|without|minus|free")
UNCERTAINTY = re.compile(r"sig|σ|esd|(?:.*[\s_-])?err|std|unc|e$|s$|d[iy]$|(?:.*[\s_])(?:sigma|esd|su)$")
OBSERVED = re.compile(r"(?:[iy]|int\w*|counts?|cps)?[\s_(.-]*(?:obs|meas|exp|raw)")
INTENSITY = re.compile(
    r"(?:.*[\s_/(\[])?(?:int|count|cnt|cts|cps|imp|det(?:ector)?\d|height|signal|yield|强度|強度)"
    r"|[iy](?![a-z])|det\d|psd|lynxeye|rel\. ?int"
)
LOGARITHM = re.compile(r"(?:.*[\s_(\[])?(log|ln|lg|db)(?:[\s_]*(10|2|e))?(?![a-z])")
ROOT = re.compile(r"(?:.*[\s_(\[])?(?:sqrt|square[\s_]*root|root(?![a-z]))|.*√")
LARGEST_POWER = 9  # decimal: more counts than 1e9 in a point are none, so a larger plain "log" is to base e


def rank(label: str) -> int:
    """How likely `label` names the intensity: 3 observed, 2 an intensity, 1 unknown, 0 something else."""
    text = plain(label)
    if is_uncertainty(label) or (NOT_MEASURED.search(text) and not CORRECTED.search(text)):
        return 0
    return 3 if OBSERVED.match(text) else 2 if INTENSITY.match(text) or unscaled(label) else 1


def is_uncertainty(label: str) -> bool:
    """Whether `label` names the standard uncertainty of an intensity."""
    return bool(UNCERTAINTY.match(plain(label)))


@dataclass(frozen=True)
class Scale:
    """How a column was scaled: the way back, and its name."""

    name: str
    back: Callable[[NDArray[np.floating]], NDArray[np.floating]]


def unscaled(label: str) -> Scale | None:
    """Return the way back from logarithms or square roots where `label` says that the intensities are such."""
    text = plain(label)
    if ROOT.match(text):
        return Scale("square roots", lambda y: np.clip(y, 0, None) ** 2)
    found = LOGARITHM.match(text)
    if found is None:
        return None
    if found[1] == "db":
        return Scale("decibels", lambda y: _power(10.0, y / 10))
    if found[1] == "ln" or found[2] == "e":
        return Scale("natural logarithms", lambda y: _power(np.e, y))
    if found[2] == "2":
        return Scale("logarithms", lambda y: _power(2.0, y))
    if found[1] == "lg" or found[2] == "10":
        return Scale("decimal logarithms", lambda y: _power(10.0, y))
    return Scale("logarithms", lambda y: _power(np.e if len(y) and np.nanmax(y) > LARGEST_POWER else 10.0, y))


def _power(base: float, exponent: NDArray[np.floating]) -> NDArray[np.floating]:
    """``base ^ exponent``; infinite where that is too large, which is refused later by name."""
    with np.errstate(over="ignore"):
        return np.power(base, exponent)
