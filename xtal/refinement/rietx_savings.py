"""What rietx computes in every step and a step here does not need, left out or remembered.

Of a step of a framework with a hundred sites most of the time went into bonds and angles with their uncertainties, into
a scan of all parameters that are held, and into the images of sites, worked out anew several times. Within `saving` the
first two come back empty; images, which depend on nothing but group, position and a tolerance, are remembered. Outside
of it rietx is as it was. Where a version of rietx has no such functions, nothing is done.
"""

import contextlib
import importlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from threading import Lock
from typing import Any

import numpy as np

MOST = 4096  # orbits kept: 192 images of each take 20 kB at most
SYMMETRY = "rietx.crystallography.symmetry"
ORBIT_USERS = ("rietx.crystallography.structure_factor", "rietx.crystallography.wyckoff")
GEOMETRY, SCAN = ("rietx.refine", "geometry_table"), ("rietx.optimize.identifiability", "exchangeability_scan")
RESULTS = "rietx.schemas.results"

_inside: ContextVar[bool] = ContextVar("inside", default=False)
_changing = Lock()


@contextlib.contextmanager
def saving() -> Iterator[None]:
    """Spare rietx what a step does not need, in this thread, until the end of the block."""
    with _changing:
        _prepare()
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)


class _Spared:
    """A function of rietx that gives `instead` within `saving`."""

    def __init__(self, function: Callable[..., Any], instead: Callable[..., Any]) -> None:
        self._function, self._instead = function, instead

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Return what is asked for."""
        return self._instead(*args, **kwargs) if _inside.get() else self._function(*args, **kwargs)


class _Orbits:
    """Images of sites by group, position and tolerance, the latest kept; safe to ask from several threads."""

    def __init__(self, symmetry: Any) -> None:
        self._symmetry, self._kept, self._lock = symmetry, OrderedDict[tuple[Any, bytes, float], Any](), Lock()
        self._function = symmetry.site_orbit

    def __call__(self, sg: Any, xyz: Any, *, tol: float | None = None) -> Any:
        """Return what rietx's function returns."""
        tolerance = self._symmetry.SITE_TOL if tol is None else tol
        key = (self._symmetry.group_key(sg), np.asarray(xyz, dtype=np.float64).tobytes(), tolerance)
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


def _prepare() -> None:
    """Put the functions in place, once."""
    symmetry = importlib.import_module(SYMMETRY)
    orbits = _Orbits(symmetry) if all(hasattr(symmetry, n) for n in ("site_orbit", "group_key", "SITE_TOL")) else None
    for name in ORBIT_USERS:
        _replace(name, "site_orbit", lambda function: function if orbits is None else _Spared(function, orbits))
    table = getattr(importlib.import_module(RESULTS), "GeometryTable", None)
    if table is not None:
        _replace(*GEOMETRY, lambda function: _Spared(function, lambda *_, **__: table()))
    _replace(*SCAN, lambda function: _Spared(function, lambda *_, **__: []))


def _replace(module: str, name: str, change: Callable[[Callable[..., Any]], Callable[..., Any]]) -> None:
    """Change a function of a module, unless that was done or it has none."""
    holder = importlib.import_module(module)
    function = getattr(holder, name, None)
    if function is not None and not isinstance(function, _Spared):
        setattr(holder, name, change(function))
