"""GSAS-II as a second opinion on computed patterns, used when it is installed.

No package of it can be depended on, so it is looked for, never required. It prints while it is imported and run and
keeps a folder of settings in the user's home; both are kept away.
"""

import contextlib
import functools
import importlib
import io
import os
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xtal.crystals import Crystal, write_cif
from xtal.errors import UserError
from xtal.patterns import Lines, Pattern, q_from_two_theta

K_ALPHA_1, K_ALPHA_2 = 1.540593, 1.544427  # Å, copper
MULTIPLICITY, SPACING, STRUCTURE_FACTOR = 3, 4, 9  # columns of GSAS-II's reflection list: m, d in Å, |F|²
INSTRUMENT = f"""#GSAS-II instrument parameter file
Type:PXC
Bank:1.0
Lam1:{K_ALPHA_1}
Lam2:{K_ALPHA_2}
I(L2)/I(L1):0.5
Zero:0.0
Polariz.:0.5
U:2.0
V:-2.0
W:5.0
X:0.0
Y:0.0
Z:0.0
SH/L:0.002
Azimuth:0.0
"""

_one_at_a_time = Lock()  # GSAS-II keeps its state in module globals, and the environment is the whole process's


def available() -> bool:
    """Tell whether GSAS-II is installed, without importing it."""
    return find_spec("GSASII") is not None


def simulate(crystal: Crystal, low: float = 3.0, high: float = 30.0, step: float = 0.02) -> tuple[Pattern, Lines]:
    """Compute the powder pattern of a crystal with GSAS-II: copper Kα1 and Kα2, no background.

    Args:
        crystal: what to compute.
        low: first 2θ in degrees.
        high: last 2θ in degrees.
        step: in degrees.

    Returns:
        The pattern, whose wavelength is that of Kα1, and the lines with intensity ``m |F|² / q²``.

    Raises:
        UserError: GSAS-II is not installed, or no range of angles.
    """
    _check("use the built-in kernel, which needs nothing")
    if not (0 < low < high < 180 and 0 < step < high - low):
        raise UserError(f"2θ must run from above 0 to below 180 degrees in steps, got {low:g} to {high:g} by {step:g}")
    with session("use the built-in kernel, which needs nothing") as (scriptable, folder):
        two_theta, intensity, reflections = _run(scriptable, crystal, folder, (low, high, step))
    pattern = Pattern(two_theta, np.maximum(intensity, 0.0), K_ALPHA_1, source=f"GSAS-II: {crystal.name}")
    first, last = q_from_two_theta([low, high], K_ALPHA_1)
    return pattern, _lines(reflections, (float(first), float(last)))


@contextlib.contextmanager
def session(instead: str) -> Iterator[tuple[Any, Path]]:
    """Offer GSAS-II's scriptable module and a folder for its files, quietly and to one user at a time.

    Raises:
        UserError: it is not installed; `instead` says what to do without it.
    """
    _check(instead)
    with _one_at_a_time, tempfile.TemporaryDirectory() as folder, _kept_quiet(_home().name):
        yield importlib.import_module("GSASII.GSASIIscriptable"), Path(folder)


def _check(instead: str) -> None:
    if not available():
        raise UserError(
            f"GSAS-II is not installed (import GSASII fails); install it from https://gsasii.github.io or {instead}"
        )


def _run(
    scriptable: Any, crystal: Crystal, folder: Path, angles: tuple[float, float, float]
) -> tuple[NDArray, NDArray, NDArray]:
    """Return 2θ in degrees, intensity, and the reflection list; files stay in `folder`."""
    structure, instrument = folder / "crystal.cif", folder / "copper.instprm"
    structure.write_text(write_cif(crystal))
    instrument.write_text(INSTRUMENT)
    project = scriptable.G2Project(newgpx=str(folder / "project.gpx"))
    phase = project.add_phase(str(structure), phasename="crystal", fmthint="CIF")
    low, high, step = angles
    histogram = project.add_simulated_powder_histogram(
        "simulation", str(instrument), low, high, Tstep=step, phases=[phase]
    )
    histogram.data["Sample Parameters"]["Scale"][0] = 1.0
    project.data["Controls"]["data"]["max cyc"] = 0  # compute, refine nothing
    project.do_refinements([{}])
    reflections = next(iter(histogram.reflections().values()))["RefList"]
    return (np.array(histogram.getdata("x")), np.array(histogram.getdata("ycalc")), np.array(reflections))


def _lines(reflections: NDArray[np.float64], q_range: tuple[float, float]) -> Lines:
    """Return the reflections inside `q_range` as lines; ``q = 2π / d``."""
    q = 2 * np.pi / reflections[:, SPACING]
    intensity = reflections[:, MULTIPLICITY] * reflections[:, STRUCTURE_FACTOR] / q**2
    order = np.argsort(q)
    order = order[(intensity[order] > 0) & (q[order] >= q_range[0]) & (q[order] <= q_range[1])]
    return Lines(q[order], intensity[order], None, q_range)


@functools.cache
def _home() -> tempfile.TemporaryDirectory:
    """Return the folder that GSAS-II takes for the user's home; it remembers the place, so there is one per process."""
    return tempfile.TemporaryDirectory(prefix="gsas-home-")


@contextlib.contextmanager
def _kept_quiet(home: str) -> Iterator[None]:
    """Swallow what is printed and make `home` the home folder meanwhile."""
    kept = {key: os.environ.get(key) for key in ("HOME", "USERPROFILE")}
    os.environ.update(dict.fromkeys(kept, home))
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        for key, value in kept.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value
