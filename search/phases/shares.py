"""Weight fractions from fitted scales: Hill and Howard, J. Appl. Cryst. 20, 467 (1987).

    W_p = S_p (Z M V)_p / Σ_i S_i (Z M V)_i,    S_p = A_p / Σ_k m |F|² LP

with A the fitted area of a phase's lines, the sum over the same lines of one cell, Z M its mass and V its volume.
"""

from collections.abc import Sequence

import gemmi
import numpy as np
from numpy.typing import NDArray

from indexer.storage import Index
from xtal.crystals import Crystal
from xtal.patterns import Lines
from xtal.patterns.lorentz import lorentz_polarisation_ratio
from xtal.physics import reflections
from xtal.physics.powder import Reflections
from xtal.physics.sticks import MOST_LINES


def weight_shares(
    index: Index, rows: Sequence[int], area: NDArray[np.float64], q_max: float, wavelength: float
) -> NDArray[np.float64]:
    """Return the weight fractions (P,) of entries `rows` whose lines up to `q_max` (Å⁻¹) have fitted areas (P,)."""
    weight = np.array([share_of_area(index, row, q_max, wavelength) for row in rows]) * area
    return np.asarray(weight / max(weight.sum(), 1e-30))


def share_of_area(index: Index, row: int, q_max: float, wavelength: float) -> float:
    """Return ``Z M V / Σ_k m |F|² LP`` of an entry over the lines that are fitted of it."""
    crystal = index.crystal(row)
    limit = min(q_max, 0.999 * 4 * np.pi / wavelength, index.lines[row].q_range[1])
    found = reflections(crystal, limit, wavelength=wavelength)
    every = found.lines()  # of relative intensities
    fitted = _area(every.strongest(MOST_LINES), wavelength) / max(_area(every, wavelength), 1e-30)
    return weight_of_area(crystal, found, 0.0, wavelength) / max(fitted, 1e-30)


def weight_of_area(crystal: Crystal, found: Reflections, q_min: float, wavelength: float) -> float:
    """Return ``Z M V / Σ_k m |F|² LP`` of a crystal over all the reflections `found` beyond `q_min` (Å⁻¹)."""
    q = 2 * np.pi * np.linalg.norm(found.g, axis=1)
    area = found.intensity / q**2 / lorentz_polarisation_ratio(q, wavelength)
    return cell_mass(crystal) * crystal.volume / max(float(area[q > q_min].sum()), 1e-30)


def _area(lines: Lines, wavelength: float) -> float:
    """Return the sum of the areas of lines as a diffractometer records them."""
    return float((lines.intensity / lorentz_polarisation_ratio(lines.q, wavelength)).sum())


def cell_mass(crystal: Crystal) -> float:
    """Return the mass of the cell in u."""
    return float(sum(gemmi.Element(symbol).weight * count for symbol, count in crystal.composition.items()))
