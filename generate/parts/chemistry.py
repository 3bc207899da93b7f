"""How atoms of different parts are held together, by elements: what a crystal's parts must agree with."""

from dataclasses import dataclass

import gemmi
import numpy as np
from numpy.typing import NDArray

from xtal.crystals import HIGHEST_NUMBER
from xtal.crystals.linkers import METALS

ELEMENTS = HIGHEST_NUMBER + 1
FEWEST = 20  # observations that count as much as the radii do: with fewer, the radii count for more
LEAST_SPREAD = 0.03  # Å, what disagrees between databases
USUAL_SPREAD = 0.15  # Å, of a bond whose length is guessed from radii
USUAL_COORDINATION, USUAL_COORDINATION_SPREAD = 6.0, 1.5  # of metals that were never met
CONTACT_SHARE = 1.0  # percent of the nearest contacts that may be shorter
CONTACT_OF_RADII = 0.8  # of the sum of the van der Waals radii, where nothing is known
DONORS = (6, 7, 8, 9, 15, 16, 17, 33, 34, 35, 53)  # elements that metals may be bound to


@dataclass(frozen=True, eq=False)
class Chemistry:
    """Statistics by atomic number, read-only by agreement.

    Attributes:
        bond: (99, 99) Å, mean distance of a metal and a donor of another part, symmetric; the sum of the covalent radii
            where no such bond was met, 0 where there can be none.
        spread: (99, 99) Å, its standard deviation.
        coordination: (99,) mean number of atoms bound to a metal, those of its own part too; 0 for what is no metal.
        coordination_spread: (99,) its standard deviation.
        contact: (99, 99) Å, how near atoms of different parts come that are not bonded: the first percentile of the
            nearest contacts, and 0.8 times the sum of the van der Waals radii where there are none.
    """

    bond: NDArray[np.float64]
    spread: NDArray[np.float64]
    coordination: NDArray[np.float64]
    coordination_spread: NDArray[np.float64]
    contact: NDArray[np.float64]


def measured(bonds: NDArray, coordination: NDArray, contacts: NDArray) -> Chemistry:
    """Sum up the observations of many crystals, in the columns that `Survey` has."""
    bond, spread = _guessed_bonds()
    for metal, donor, lengths in _by_pair(bonds):
        weight = len(lengths) / (len(lengths) + FEWEST)
        guess, width = bond[metal, donor] or lengths.mean(), spread[metal, donor] or USUAL_SPREAD
        bond[metal, donor] = bond[donor, metal] = weight * lengths.mean() + (1 - weight) * guess
        spread[metal, donor] = max(LEAST_SPREAD, weight * lengths.std() + (1 - weight) * width)
        spread[donor, metal] = spread[metal, donor]
    radii = np.array([gemmi.Element(z).vdw_r for z in range(ELEMENTS)])
    contact = CONTACT_OF_RADII * (radii[:, None] + radii)
    for one, other, lengths in _by_pair(contacts):
        weight = len(lengths) / (len(lengths) + FEWEST)
        shortest = weight * np.percentile(lengths, CONTACT_SHARE) + (1 - weight) * contact[one, other]
        contact[one, other] = contact[other, one] = shortest
    return Chemistry(bond, spread, *_coordination(coordination), contact)


def _guessed_bonds() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return bond lengths and spreads from covalent radii, 0 for pairs that do not bind parts."""
    radii = np.array([gemmi.Element(z).covalent_r for z in range(ELEMENTS)])
    binds = METALS[:, None] & np.isin(np.arange(ELEMENTS), DONORS)
    binds |= binds.T
    return np.where(binds, radii[:, None] + radii, 0), np.where(binds, USUAL_SPREAD, 0)


def _coordination(observed: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and spread of the number of atoms bound to each metal."""
    mean, spread = USUAL_COORDINATION * METALS, USUAL_COORDINATION_SPREAD * METALS
    for metal in np.unique(observed[:, 0]).astype(int):
        numbers = observed[observed[:, 0] == metal, 1]
        weight = len(numbers) / (len(numbers) + FEWEST)
        mean[metal] += weight * (numbers.mean() - mean[metal])
        spread[metal] += weight * (numbers.std() - spread[metal])
    return mean, spread


def _by_pair(rows: NDArray) -> list[tuple[int, int, NDArray[np.float64]]]:
    """Group (B, 3) rows by the two atomic numbers in front."""
    code = (rows[:, 0] * ELEMENTS + rows[:, 1]).astype(np.int64)
    order = np.argsort(code, kind="stable")
    pairs, starts = np.unique(code[order], return_index=True)
    groups = np.split(rows[order, 2].astype(np.float64), starts[1:])
    return [(*divmod(int(pair), ELEMENTS), group) for pair, group in zip(pairs, groups, strict=True)]
