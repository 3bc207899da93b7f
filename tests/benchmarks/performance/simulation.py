"""Patterns computed from crystals: the built-in kernel beside pymatgen, and GSAS-II where it is installed."""

from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from report import Sizes, milliseconds, of, spread, table

from xtal.crystals import Crystal
from xtal.patterns import q_from_two_theta
from xtal.physics import gsas, powder_lines
from xtal.physics.powder import CU_K_ALPHA1

if TYPE_CHECKING:
    from search.workers import Searcher

LOW, HIGH = 3.0, 30.0  # degrees 2θ
BINS = (50, 100, 200, 400, 10**6)  # atoms
SEED = 1


def tables(searcher: "Searcher", sizes: Sizes) -> Iterator[str]:
    """Yield the section."""
    index = searcher.engine.index
    counts = np.asarray(index.entries.n_atoms)
    rng = np.random.default_rng(SEED)
    rows = rng.choice(len(index), sizes.simulated, replace=False)
    crystals = [index.crystal(int(row)) for row in rows]
    ours = np.array([milliseconds(partial(kernel, c)) for c in crystals])
    yield "## Patterns from crystals\n"
    yield f"{len(rows)} random entries of {min(counts[rows])} to {max(counts[rows])} atoms, Cu Kα, 3 to 30°.\n"
    lines = [["the built-in kernel", of(ours), "1"]]
    for name, other in (("pymatgen, `XRDCalculator`", _pymatgen), ("GSAS-II", _gsas)):
        timed = other(crystals)
        missing = [f"{name}: not installed, skipped", "–", "–"]
        lines.append(missing if timed is None else [name, of(timed), spread(timed / ours)])
    yield table(["what", "ms per pattern (median)", "times the kernel's"], lines)
    yield "Against the atoms in the primitive cell, the kernel alone:\n"
    yield table(["atoms", "entries", "ms (median)"], list(_by_atoms(counts[rows], ours)))


def kernel(crystal: Crystal) -> object:
    """Compute the lines of a crystal."""
    low, high = q_from_two_theta([LOW, HIGH], CU_K_ALPHA1)
    return powder_lines(crystal, float(high), float(low))


def _by_atoms(counts: np.ndarray, ours: np.ndarray) -> Iterator[list[str]]:
    low = 0
    for high in BINS:
        inside = (counts > low) & (counts <= high)
        if inside.any():
            name = f"up to {high}" if not low else f"{low + 1} to {high}" if high < BINS[-1] else f"above {low}"
            yield [name, str(inside.sum()), of(ours[inside])]
        low = high


def _pymatgen(crystals: list[Crystal]) -> np.ndarray | None:
    if find_spec("pymatgen") is None:
        return None
    from pymatgen.analysis.diffraction.xrd import XRDCalculator
    from pymatgen.core import Lattice, Structure

    calculator = XRDCalculator(CU_K_ALPHA1)
    structures = [Structure(Lattice(c.lattice), c.numbers, c.frac_coords) for c in crystals]
    works = [partial(calculator.get_pattern, s, two_theta_range=(LOW, HIGH)) for s in structures]
    works[0]()
    return np.array([milliseconds(work) for work in works])


def _gsas(crystals: list[Crystal]) -> np.ndarray | None:
    if not gsas.available():
        return None
    return np.array([milliseconds(partial(gsas.simulate, c, LOW, HIGH), 1) for c in crystals])
