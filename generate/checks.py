"""Could a candidate exist at all? Overlapping atoms and impossible densities, in milliseconds and without energies."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import gemmi
import numpy as np
from numpy.typing import NDArray

from xtal.crystals import HIGHEST_NUMBER, Crystal

SHORTEST_BOND = 0.65  # of the sum of covalent radii: the shortest real bonds are U=O, 0.67, V=O, 0.72, and C≡C, 0.82
DALTON = 1.66053907  # g/cm³ of one dalton per Å³
LIGHTEST, DENSEST = 0.1, 23.0  # g/cm³: MOF-399 has 0.13, osmium 22.6


@dataclass(frozen=True)
class Contact:
    """The two atoms of a crystal that are too near each other, or nearest to being so.

    Attributes:
        elements: symbols of the two.
        distance: Å.
        allowed: Å, `SHORTEST_BOND` of the sum of their covalent radii.
    """

    elements: tuple[str, str]
    distance: float
    allowed: float

    @property
    def ratio(self) -> float:
        """``distance / allowed``: below 1 the atoms overlap."""
        return self.distance / self.allowed


@dataclass(frozen=True)
class Plausibility:
    """What a crystal's geometry says about it.

    Attributes:
        closest: smallest ratio of a distance to the shortest one allowed; below 1 atoms overlap.
        density: g/cm³.
        plausible: whether no atoms overlap and such a density exists.
        words: the same for people to read.
    """

    closest: float
    density: float
    plausible: bool
    words: str


def plausibility(crystal: Crystal) -> Plausibility:
    """Judge a crystal by its closest atoms and its density."""
    contact, weight = nearest_contact(crystal), density(crystal)
    apart, usual = contact.ratio >= 1, LIGHTEST <= weight <= DENSEST
    first, second = contact.elements
    verb = "are" if apart else "overlap:"
    words = f"the closest atoms, {first} and {second}, {verb} {contact.distance:.2f} Å apart"
    words += "" if apart else f", no bond between them is below {contact.allowed:.2f} Å"
    words += f"; density {weight:.2f} g/cm³"
    words += "" if usual else f", solids have {LIGHTEST:g} to {DENSEST:g} g/cm³"
    return Plausibility(contact.ratio, weight, apart and usual, words)


def closest_contact(crystal: Crystal) -> float:
    """Smallest ratio over all pairs of atoms, periodic images included, of distance to allowed distance.

    Occupancies are ignored: atoms of a disorder, of which only one is present at a time, count as overlapping.
    """
    return nearest_contact(crystal).ratio


def nearest_contact(crystal: Crystal) -> Contact:
    """Find the pair of `closest_contact`.

    Every pair is first compared at its nearest image by whole cells. A farther image can win only where the best
    contact so far reaches across a cell, ``|x_i + k_i| <= reach |b*_i|``, so that large cells need no images.
    """
    first, second = np.triu_indices(len(crystal))
    apart = crystal.frac_coords[first] - crystal.frac_coords[second]
    apart -= np.round(apart)
    radii = _radii()[crystal.numbers]
    allowed = SHORTEST_BOND * (radii[first] + radii[second])
    shortest = np.linalg.norm(apart @ crystal.lattice, axis=1)
    shortest[first == second] = np.linalg.norm(crystal.lattice, axis=1).min()  # an atom and its own image
    reach = (shortest / allowed).min() * allowed.max()
    for shift in _shifts(crystal.lattice, reach):
        distance = np.linalg.norm((apart + shift) @ crystal.lattice, axis=1)
        shortest = np.minimum(shortest, distance)
    pair = int((shortest / allowed).argmin())
    numbers = crystal.numbers[[first[pair], second[pair]]]
    symbols = [gemmi.Element(int(z)).name for z in numbers]
    return Contact((symbols[0], symbols[1]), float(shortest[pair]), float(allowed[pair]))


def density(crystal: Crystal) -> float:
    """Return ``Σ occupancy x mass / V`` in g/cm³."""
    return float(DALTON * (crystal.occupancies @ _masses()[crystal.numbers]) / crystal.volume)


def _shifts(lattice: NDArray[np.float64], reach: float) -> NDArray[np.int64]:
    """(S, 3) whole cells, without (0, 0, 0), that may bring wrapped differences within `reach` (Å)."""
    farthest = np.floor(reach * np.linalg.norm(np.linalg.inv(lattice), axis=0) + 0.5).astype(int)
    shifts = np.array(list(product(*(range(-n, n + 1) for n in farthest))))
    return shifts[shifts.any(axis=1)]


@lru_cache(maxsize=1)
def _radii() -> NDArray[np.float64]:
    """(99,) covalent radii in Å by atomic number, Cordero et al. (2008) as gemmi tabulates them."""
    return np.array([gemmi.Element(z).covalent_r for z in range(HIGHEST_NUMBER + 1)])


@lru_cache(maxsize=1)
def _masses() -> NDArray[np.float64]:
    """(99,) atomic masses in dalton by atomic number."""
    return np.array([gemmi.Element(z).weight for z in range(HIGHEST_NUMBER + 1)])
