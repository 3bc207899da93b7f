"""Images of sites, remembered: rietx works them out several times in every step, 0.1 s a site in a cubic group.

They depend on nothing but the group, the position and a tolerance. The modules of rietx that ask for them get a
function that knows those it was asked for; where a version of rietx has no such function, nothing is done.
"""

import importlib
from collections import OrderedDict
from threading import Lock
from typing import Any

import numpy as np

SOURCE, NAME = "rietx.crystallography.symmetry", "site_orbit"
USERS = ("rietx.crystallography.structure_factor", "rietx.crystallography.wyckoff")
MOST = 4096  # orbits kept: 192 images of each take 20 kB at most


class _Remembered:
    """A function of group, position and tolerance that keeps its latest results; safe to call from several threads."""

    def __init__(self, function: Any, group_key: Any, tolerance: float) -> None:
        self._function, self._group_key, self._tolerance = function, group_key, tolerance
        self._kept: OrderedDict[tuple[Any, bytes, float], Any] = OrderedDict()
        self._lock = Lock()

    def __call__(self, sg: Any, xyz: Any, *, tol: float | None = None) -> Any:
        """Return what the function returns."""
        tolerance = self._tolerance if tol is None else tol
        key = (self._group_key(sg), np.asarray(xyz, dtype=np.float64).tobytes(), tolerance)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        found = self._function(sg, xyz, tol=tolerance)
        with self._lock:
            self._kept[key] = found
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return found


def remember_orbits() -> bool:
    """Make rietx remember the images of sites; tell whether it does."""
    source = importlib.import_module(SOURCE)
    wanted = (NAME, "group_key", "SITE_TOL")
    users = [importlib.import_module(name) for name in USERS]
    if not all(hasattr(source, name) for name in wanted) or not all(hasattr(user, NAME) for user in users):
        return False
    if not isinstance(getattr(users[0], NAME), _Remembered):
        remembered = _Remembered(source.site_orbit, source.group_key, source.SITE_TOL)
        for user in users:
            setattr(user, NAME, remembered)
    return True
