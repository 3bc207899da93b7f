"""Group entries that hold the same structure, by formula, density and computed lines.

Two entries are one structure when they have the same reduced formula (hydrogens included), densities within
`DENSITY_TOLERANCE`, and lines that agree after an isotropic scale to equal density:

    w(x) = G(σ2) * [Σ_k I_k G(x - ln(q_k s), σ1)]^(1/4),   s = (ρ_ref / ρ)^(1/3),   cos(w_a, w_b) >= THRESHOLD

over the range of x known of both; * is a convolution, G a Gaussian. Groups are the connected components.

Measured against pymatgen's StructureMatcher (ltol 0.2, stol 0.3, angle_tol 5, primitive cells, scaled volumes) on 2,487
pairs of equal formula from CoRE MOF 2019 ASR, at most 40 a formula with cells up to 60 atoms and 3 a formula with 61
to 200 atoms, 1,388 of which match: precision 0.90, recall 0.94. The threshold was chosen on these pairs. Of the false
positives, a quarter match once hydrogens, which hardly diffract X-rays, are taken off (precision 0.92). All 12,020
entries take 0.4 s on one core; the matcher takes 25 to 75 ms for each of their 18,552 pairs of equal formula.
"""

import numpy as np
from numpy.typing import NDArray

from indexer.storage import EntryTable
from xtal.physics import LineRows

DENSITY_TOLERANCE = 0.10  # relative: thermal expansion and solvent left in the pores; 1 % of true pairs lie outside
MERGING = 0.015  # σ1 in ln q: lines that a lower symmetry splits count as the one line they were
ROOT = 0.25  # of the intensity: the whole pattern has a say, not the few strongest lines
SMEARING = 0.06  # σ2 in ln q: as tolerant to strain as a matcher that lets cell lengths differ by 20 %
THRESHOLD = 0.9975  # calibrated, see the module's text
STEP = 0.01  # of the grid in ln q
LOWEST, HIGHEST = np.log(0.15), np.log(8.0)  # of the grid: computed lines lie in 0.2 to 6 Å⁻¹ before scaling
MARGIN = 0.06  # ln q: next to an end of the known range the smeared profile lacks what lies beyond
BLOCK = 1024  # rows compared at a time, so that a family of 10^5 isomers needs no square matrix of its size


def group_duplicates(entries: EntryTable, lines: LineRows) -> NDArray[np.int32]:
    """Return (S,) group numbers 0, 1, ... in order of first appearance; equal where two entries are one structure."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    pairs = [same_structure(rows, entries.density[rows], lines) for rows in _families(entries.formulas)]
    first, second = np.concatenate([np.empty((0, 2), np.int64), *pairs]).T
    size = len(entries)
    links = coo_array((np.ones(len(first), np.int8), (first, second)), shape=(size, size))
    labels = connected_components(links, directed=False)[1]
    _, first_seen, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first_seen)).astype(np.int32)[inverse]


def same_structure(rows: NDArray[np.int64], density: NDArray[np.float64], lines: LineRows) -> NDArray[np.int64]:
    """Return (P, 2) pairs of `rows` that hold one structure; all have the same formula, `density` (R,) in g/cm³."""
    shift = np.log(np.median(density) / density) / 3  # ln s
    profile, known = smeared_profiles(rows, shift, lines)
    found = []
    for start in range(0, len(rows), BLOCK):
        part = slice(start, start + BLOCK)
        overlap = profile[part] @ profile.T  # (B, R): each factor is zero outside its own range
        norms = (profile[part] ** 2 @ known.T) * (known[part] @ (profile**2).T)
        near = np.abs(np.log(density[part, None] / density)) <= np.log1p(DENSITY_TOLERANCE)
        alike = near & (overlap >= THRESHOLD * np.sqrt(norms)) & (overlap > 0)
        a, b = np.nonzero(alike)
        found.append(np.stack([rows[a + start], rows[b]], axis=1)[a + start < b])
    return np.concatenate(found)


def _families(formulas: NDArray[np.object_]) -> list[NDArray[np.int64]]:
    """Return the rows of every formula that occurs more than once."""
    _, inverse, counts = np.unique(formulas.astype(str), return_inverse=True, return_counts=True)
    order = np.argsort(inverse, kind="stable")
    return [rows for rows in np.split(order, np.cumsum(counts)[:-1]) if len(rows) > 1]


def smeared_profiles(rows: NDArray, shift: NDArray, lines: LineRows) -> tuple[NDArray, NDArray]:
    """Return (R, M) w on the grid of ln(q s), zero where unknown, and (R, M) 1.0 where it is known."""
    from scipy.ndimage import gaussian_filter1d

    table = lines.take(rows)
    q, intensity = table.padded(np.arange(len(table)))  # (R, L)
    size = round((HIGHEST - LOWEST) / STEP)
    with np.errstate(divide="ignore"):  # unused places hold q = 0
        place = (np.log(q) + shift[:, None] - LOWEST) / STEP
    inside = (intensity > 0) & (place >= 0) & (place < size - 1)
    low = place[inside].astype(np.int64)
    upper = place[inside] - low
    at = np.nonzero(inside)[0] * size + low
    weight = intensity[inside]
    sticks = np.bincount(at, weight * (1 - upper), len(rows) * size)
    sticks += np.bincount(at + 1, weight * upper, len(rows) * size)
    density = gaussian_filter1d(sticks.reshape(len(rows), size), MERGING / STEP, axis=1, mode="constant")
    profile = gaussian_filter1d(density**ROOT, SMEARING / STEP, axis=1, mode="constant")
    grid = LOWEST + STEP * np.arange(size)
    first, last = (np.log(table.q_range) + shift[:, None]).T[:, :, None]
    known = ((grid >= first + MARGIN) & (grid <= last - MARGIN)).astype(np.float64)
    return profile * known, known
