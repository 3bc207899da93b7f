"""The target of the pattern at hand: the search makes it, and the verdict on its answer needs the same once more."""

import threading

import numpy as np
from numpy.typing import NDArray

from xtal.patterns import Lines, Pattern
from xtal.patterns.background import background
from xtal.physics.target import Target


class _Latest(threading.local):
    """What a thread prepared last; one target takes some tens of kB."""

    of: tuple[Pattern, Lines] | None = None
    target: Target


_latest = _Latest()


def prepared(pattern: Pattern, lines: Lines, under: NDArray[np.float64] | None = None) -> Target:
    """Return `Target.of` a pattern with its lines, made anew unless this thread made it last of these very objects.

    `under` is the pattern's background (M,) where it is known.
    """
    if _latest.of is None or _latest.of[0] is not pattern or _latest.of[1] is not lines:
        target = Target.of(pattern, lines, background(pattern) if under is None else under)
        _latest.of, _latest.target = (pattern, lines), target
    return _latest.target
