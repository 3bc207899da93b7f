"""How many formula units a primitive cell holds, where the composition is all that is known: its volume tells."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.ccsg.denoiser import LARGEST
from xtal.errors import UserError
from xtal.physics.indexing import IndexedCell

# of 21,905 real frameworks (QMOF, CoRE MOF 2019; training split by formula): how many have so many units per cell,
USUAL = {1: 0.106, 2: 0.454, 3: 0.015, 4: 0.327, 6: 0.032, 8: 0.05, 12: 0.01, 16: 0.004, 24: 0.001}
# and which share of them has less room than this, Å³ per atom with hydrogen as `HYDROGEN_SHARE` of one
ROOM = (8.3, 12.1, 12.7, 13.5, 14.0, 14.8, 16.4, 18.9, 21.7, 27.0, 31.9, 43.1, 57.3, 67.6, 299.6)
SHARE = (0.0, 0.01, 0.05, 0.15, 0.25, 0.35, 0.5, 0.65, 0.75, 0.85, 0.9, 0.95, 0.98, 0.99, 1.0)
DENSER, LOOSER = 12.0, 2.0  # by how much ln of the density falls with ln of the room, beyond these
MOST, LEAST = 3, 0.1  # multiples that are tried, and the probability from which on
MEANT = 0.9  # how likely a cell holds whole units of a formula that was written as a multiple: C12H24O12, not CH2O


@dataclass(frozen=True)
class Multiple:
    """Formula units per primitive cell, with the probability of that."""

    units: int
    probability: float


def likely_multiples(cells: Sequence[IndexedCell], numbers: NDArray[np.integer], written: int = 1) -> list[Multiple]:
    """Return how often a primitive cell may hold the atoms of a formula, the likeliest first.

    Args:
        cells: that the pattern was indexed with; without any, all frameworks tell.
        numbers: (N,) atomic numbers of one formula unit, with no common divisor.
        written: how many of these the formula holds as it was written; the cell holds whole ones of it most probably.

    Raises:
        UserError: the formula alone is too large.
    """
    from generate.solving.starts import size

    usual = {z: (1 - MEANT) * share for z, share in USUAL.items()}
    for z, share in USUAL.items():
        usual[written * z] = usual.get(written * z, 0.0) + MEANT * share
    units = np.array([z for z in usual if z * len(numbers) <= LARGEST])
    if not len(units):
        raise UserError(f"a cell may hold {LARGEST} atoms at most, and this formula alone has {len(numbers)}")
    prior, atoms = np.array([usual[z] for z in units.tolist()]), size(numbers)
    weights = sum((c.probability * prior * np.exp(ln_density(c.volume / (units * atoms))) for c in cells), 0 * prior)
    weights = weights if weights.any() else prior
    probability = weights / weights.sum()
    order = np.argsort(-probability, kind="stable")[:MOST]
    return [Multiple(int(units[z]), float(probability[z])) for z in order if probability[z] >= LEAST]


def ln_density(room: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ln of how often frameworks have so much room, Å³ per atom, by its logarithm; not normalised."""
    edges = np.log(ROOM)
    middles, ln_room = (edges[1:] + edges[:-1]) / 2, np.log(room)
    found = np.interp(ln_room, middles, np.log(np.diff(SHARE) / np.diff(edges)))
    return found - DENSER * np.maximum(middles[0] - ln_room, 0) - LOOSER * np.maximum(ln_room - middles[-1], 0)
