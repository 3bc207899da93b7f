"""Miller indices of the strongest peaks of a crystal, in the conventional setting of its space group.

Of a family of equivalent reflections the one is named that has the fewest negative indices, and of those the one that
is largest from the left: 3 1 1, not 1 1 3.
"""

from dataclasses import dataclass

import gemmi
import numpy as np
from numpy.typing import NDArray

from xtal.crystals.conventional import Conventional
from xtal.patterns import q_from_two_theta, two_theta_from_q
from xtal.patterns.lorentz import lorentz_polarisation_ratio
from xtal.physics.powder import expected_reflections, reflections

MOST_WAVES = 3e7  # reflections times atoms that are computed: some tenths of a second; strong peaks lie at low angles
SAME_ANGLE = 0.03  # degrees: reflections nearer than this make one peak


@dataclass(frozen=True, eq=False)
class Indexed:
    """Peaks with their indices.

    Attributes:
        two_theta: (K,) degrees, ascending.
        hkl: (K, 3) of the family that is strongest in the peak.
        area: (K,) calculated, any unit.
    """

    two_theta: NDArray[np.float64]
    hkl: NDArray[np.int32]
    area: NDArray[np.float64]


def indexed_peaks(
    structure: Conventional, wavelength: float, scan: tuple[float, float], zero_shift: float = 0.0
) -> Indexed:
    """Return the peaks of a structure within a scan.

    Args:
        structure: in the cell that the sample has.
        wavelength: Å.
        scan: first and last 2θ, degrees.
        zero_shift: degrees, added to calculated angles.
    """
    crystal = structure.whole()
    q_low, q_high = q_from_two_theta(np.clip(np.array(scan) - zero_shift, 0.1, 179.0), wavelength)
    most = MOST_WAVES / max(expected_reflections(crystal, 1.0) * len(crystal), 1e-30)
    q_high = min(float(q_high), most ** (1 / 3))
    found = reflections(crystal, q_high, float(min(q_low, q_high)), wavelength)
    q = 2 * np.pi * np.linalg.norm(found.g, axis=1)
    hkl = np.rint(found.g @ crystal.lattice.T).astype(np.int32)
    present = ~structure.group.operations().systematic_absences(hkl)
    q, hkl, intensity = q[present], hkl[present], found.intensity[present]
    area = intensity / (q**2 * lorentz_polarisation_ratio(q, wavelength))
    order = np.argsort(q, kind="stable")
    places = two_theta_from_q(q[order], wavelength) + zero_shift
    hkl, area = hkl[order], area[order]
    if not len(places):
        return Indexed(places, hkl, area)
    first = np.flatnonzero(np.diff(places, prepend=-np.inf) > SAME_ANGLE)
    ends = np.append(first[1:], len(places))
    total = np.add.reduceat(area, first)
    named = np.array([_named(structure.group, hkl[a:b], area[a:b]) for a, b in zip(first, ends, strict=True)])
    centre = np.add.reduceat(area * places, first) / np.maximum(total, 1e-30)
    real = total > 1e-9 * total.max()
    return Indexed(centre[real], named[real], total[real])


def label(hkl: NDArray[np.int32]) -> str:
    """Return indices as crystallographers write them, in matplotlib's notation: a bar over negative ones."""
    parts = [f"\\bar{{{abs(index)}}}" if index < 0 else str(index) for index in hkl.tolist()]
    space = "\\ " if (np.abs(hkl) > 9).any() else ""
    return f"${space.join(parts)}$"


def _named(group: gemmi.SpaceGroup, hkl: NDArray[np.int32], area: NDArray[np.float64]) -> tuple[int, int, int]:
    """Return the family (its best representative) with the most intensity."""
    families: dict[tuple[int, ...], float] = {}
    operations, asu = group.operations(), gemmi.ReciprocalAsu(group)
    for indices, one in zip(hkl.tolist(), area.tolist(), strict=True):
        key = tuple(asu.to_asu(indices, operations)[0])
        families[key] = families.get(key, 0.0) + one
    strongest = max(families, key=lambda key: families[key])
    images = [op.apply_to_hkl(list(strongest)) for op in operations.sym_ops]
    both = [tuple(sign * index for index in image) for image in images for sign in (1, -1)]
    best = max(both, key=lambda image: (sum(index >= 0 for index in image), image))
    return best[0], best[1], best[2]
