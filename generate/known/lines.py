"""How well a cell accounts for where the first lines of a pattern lie, without any atoms.

Each of the first lines is taken to be one of the cell's reflections in their range, any as likely as another, at a
place off by a small part of q, or to be something else:

    p(q | cell) = (1 - e) / H Σ_h N(q; q_h, σ q_h) + e / range

so that a large cell, whose H reflections are everywhere, gains nothing by that. Where a pattern could be indexed, a
lattice near one of these cells gains the odds of that.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from xtal.crystals.lattices import SLACK, nearest
from xtal.interrupt import look_up
from xtal.patterns import Lines
from xtal.physics.indexing import IndexedCell
from xtal.physics.indexing.bravais import reduced

FIRST = 10  # lines looked at
FAINT = 0.01  # of the strongest one: fainter lines are left out
SPREAD = 0.015  # of q: how well linkers tell the lengths of edges
MOST_INDEX = 5  # of a reflection
BLOCK = 256  # lattices at once
SCALES = (0.955, 0.97, 0.985, 1.0, 1.015)  # donors differ in their nodes, and assembled ones are long
ELSE = 0.1  # share of lines that are something else
STRAIN = 0.025  # how far a lattice built of known parts is from the true one
FAR = 5.0  # times this, of the volume, beyond which one is not looked at
SURE = 0.5  # of a probability
UNLIKELY = 0.1  # of the likeliest cell
BEST = 2000  # lattices, more than are ever tried
RARE = 300.0  # lattices of one volume that are told apart by that


def first_lines(lines: Lines) -> NDArray[np.float64]:
    """(L,) Å⁻¹, the places of the first lines that are not faint."""
    strong = lines.intensity > FAINT * lines.intensity.max(initial=0)
    return lines.q[strong][:FIRST]


def agreements(lattices: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """(S,) ln p of lines at `q` (L,) Å⁻¹ for each lattice (S, 3, 3) at its best scale, over that of lines anywhere."""
    if not len(q) or not len(lattices):
        return np.zeros(len(lattices))
    low, end = q[0] * (1 - 3 * SPREAD), q[-1] * (1 + 3 * SPREAD)
    most = int(min(MOST_INDEX, end * np.linalg.norm(lattices, axis=2).max() / (2 * np.pi)))
    grid = np.stack(np.meshgrid(*[np.arange(-most, most + 1)] * 3, indexing="ij"), axis=-1).reshape(-1, 3)
    half = grid[len(grid) // 2 + 1 :]
    best = np.full(len(lattices), -np.inf)
    for k in range(0, len(lattices), BLOCK):
        look_up()
        part = slice(k, k + BLOCK)
        reciprocal = 2 * np.pi * np.linalg.inv(lattices[part]).swapaxes(1, 2)  # rows a*, b*, c*
        along = half @ reciprocal
        places = np.sqrt(np.einsum("shx,shx->sh", along, along))
        for scale in SCALES:
            best[part] = np.maximum(best[part], _some(places / scale, q, low, end))
    return best


def _some(places: NDArray, q: NDArray, low: float, end: float) -> NDArray[np.float64]:
    """(S,) ln p of lines at `q` (L,) Å⁻¹ beside reflections at `places` (S, H)."""
    inside = (places > low) & (places < end)
    row, _ = np.nonzero(inside)
    width = SPREAD * q[:, None]
    near = np.exp(-0.5 * ((q[:, None] - places[inside]) / width) ** 2) / (np.sqrt(2 * np.pi) * width)  # (L, R)
    count = np.bincount(row, minlength=len(places))
    total = np.array([np.bincount(row, line, len(places)) for line in near])  # (L, S)
    likely = (1 - ELSE) * total / np.maximum(count, 1) + ELSE / (end - low)
    return np.asarray(np.log(likely * (end - low)).sum(axis=0))


def likelihoods(
    lattices: NDArray[np.float64], q: NDArray[np.float64], cells: Sequence[IndexedCell]
) -> NDArray[np.float64]:
    """(S,) `agreements` of lattices and ln odds that these have for being near an indexed cell (`nearness`).

    One that is near also agrees with the lines as this cell does, as far as it is likely to be this cell. What is slow
    is left out where it cannot lift a lattice to the best.
    """
    values = agreements(lattices, q)
    if not cells:
        return values
    least = np.partition(values, -BEST)[-BEST] if len(values) > BEST else -np.inf
    theirs = agreements(np.array([cell.lattice for cell in cells]), q)
    close = np.flatnonzero(np.maximum(values, theirs.max(initial=-np.inf)) > least - np.log1p(RARE))
    near = nearness(lattices[close], cells)
    with np.errstate(divide="ignore"):
        agreed = np.maximum(values[close], (theirs + np.log(near)).max(axis=1))
    values[close] = agreed + np.log1p(RARE * near.max(axis=1))
    return values


def nearness(lattices: NDArray[np.float64], cells: Sequence[IndexedCell]) -> NDArray[np.float64]:
    """(S, C) probabilities of indexed cells, less for lattices (S, 3, 3) that are strained against them."""
    found = np.zeros((len(lattices), len(cells)))
    volume = np.abs(np.linalg.det(lattices))
    for column, cell in enumerate(cells):
        near = np.flatnonzero(np.abs(np.log(volume / cell.volume)) < FAR * STRAIN)
        if len(near):
            strain = nearest(np.array([reduced(lattices[row]) for row in near]), cell.lattice) / SLACK
            found[near, column] = cell.probability * np.exp(-0.5 * (strain / STRAIN) ** 2)
    return found


def likely(cells: Sequence[IndexedCell]) -> list[IndexedCell]:
    """Return the likely ones of indexed cells; none where all together are not likely to hold the right one."""
    if sum(cell.probability for cell in cells) < SURE:
        return []
    return [cell for cell in cells if cell.probability > UNLIKELY * cells[0].probability]
