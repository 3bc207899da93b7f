"""Bonds that an atom has no valence for are no bonds: groups that overlap do not tie molecules together.

Computed and disordered structures bring functional groups nearer to each other than any bond rule by distance allows
for. Here bonds are taken up while both ends are open: first those of atoms that have one only (H, halogens), the most
usual length first, then the others, the shortest first, lengths being relative to the sum of covalent radii. An end is
closed

- by its number of bonds to other non-metals (`MOST`), bonds to boron aside, which has its own rules;
- by a bond to carbon (halogens);
- by three bonds in a plane (C, N): an aromatic ring, a carboxylate, an amide;
- by two bonds in a line (C): a nitrile, an alkyne;
- by a bond shorter than `DOUBLE` (O), but to hydrogen: a carboxylate, a carbonyl, a nitro group.

Bonds to metals come last and are refused by atoms that are closed by their number, but oxygen, and by halogens closed.
"""

from dataclasses import fields

import gemmi
import numpy as np
from numpy.typing import NDArray

from xtal.crystals.bonds import Bonds
from xtal.crystals.crystal import HIGHEST_NUMBER, Crystal

HYDROGEN, BORON, CARBON, NITROGEN, OXYGEN = 1, 5, 6, 7, 8
MOST = {HYDROGEN: 1, CARBON: 4, NITROGEN: 4, OXYGEN: 2}  # bonds to non-metals; hypervalent elements are not listed
HALOGENS = (9, 17, 35, 53)
UNLIMITED = 99
FLAT = 352.0  # degrees: three angles of more than this in all lie in a plane
STRAIGHT = 160.0  # degrees
DOUBLE = 1.3  # Å, of oxygen to carbon or nitrogen: 1.26 in carboxylates, 1.36 in phenols and esters
SINGLE = (HYDROGEN, *HALOGENS)
LIMITS = np.array([MOST.get(z, UNLIMITED) for z in range(HIGHEST_NUMBER + 1)])
RADII = np.array([gemmi.Element(z).covalent_r for z in range(HIGHEST_NUMBER + 1)])


def within_valence(crystal: Crystal, bonds: Bonds, metal: NDArray[np.bool_]) -> Bonds:
    """Drop the bonds that no valence is left for, both ends of each; `metal` (N,) says which atoms are metals."""
    to_metal = metal[bonds.first] | metal[bonds.second]
    vector = (crystal.frac_coords[bonds.second] + bonds.shift - crystal.frac_coords[bonds.first]) @ crystal.lattice
    ends = _Ends(crystal.numbers)
    kept = np.zeros(len(bonds), dtype=bool)
    twin = _twins(bonds)
    order = np.lexsort((_unusual(crystal.numbers, bonds), to_metal))
    for row in order[order <= twin[order]].tolist():
        i, j = int(bonds.first[row]), int(bonds.second[row])
        if to_metal[row]:
            kept[[row, twin[row]]] = ends.binds_metals(i) and ends.binds_metals(j)
        elif ends.open(i, j) and ends.open(j, i):
            kept[[row, twin[row]]] = True
            ends.join(i, j, vector[row])
    return Bonds(*(getattr(bonds, field.name)[kept] for field in fields(Bonds)))


def _unusual(numbers: NDArray[np.uint8], bonds: Bonds) -> NDArray[np.float64]:
    """(B,) order in which bonds are taken up."""
    first, second = numbers[bonds.first], numbers[bonds.second]
    relative = bonds.length / (RADII[first] + RADII[second])
    single = np.isin(first, SINGLE) | np.isin(second, SINGLE)
    return np.where(single, np.abs(relative - 1), relative)


class _Ends:
    """How far the valence of each atom is used."""

    def __init__(self, numbers: NDArray[np.uint8]) -> None:
        self._numbers = numbers.tolist()
        self._most = LIMITS[numbers].tolist()
        self._arms: list[list[NDArray[np.float64]]] = [[] for _ in numbers]
        self._full = [False] * len(numbers)

    def binds_metals(self, atom: int) -> bool:
        """Whether it may be bound to a metal, too."""
        if self._numbers[atom] == OXYGEN:
            return True
        return not self._full[atom] and len(self._arms[atom]) < self._most[atom]

    def open(self, atom: int, other: int) -> bool:
        """Whether its bonds leave room for one to another non-metal."""
        arms, element = self._arms[atom], self._numbers[atom]
        if len(arms) >= self._most[atom] or (self._full[atom] and self._numbers[other] != HYDROGEN):
            return False
        if element == CARBON and len(arms) == 2:
            return _angle(*arms) < STRAIGHT
        if element in (CARBON, NITROGEN) and len(arms) == 3:
            return _angle(arms[0], arms[1]) + _angle(arms[1], arms[2]) + _angle(arms[0], arms[2]) < FLAT
        return True

    def join(self, first: int, second: int, vector: NDArray[np.float64]) -> None:
        """Bond two atoms, `vector` leading from the first to the second."""
        for atom, other, arm in ((first, second, vector), (second, first, -vector)):
            if self._numbers[other] != BORON:
                self._arms[atom].append(arm)
            if self._numbers[atom] == OXYGEN and self._numbers[other] in (CARBON, NITROGEN):
                self._full[atom] |= bool(arm @ arm < DOUBLE**2)
            self._full[atom] |= self._numbers[atom] in HALOGENS and self._numbers[other] == CARBON


def _twins(bonds: Bonds) -> NDArray[np.int64]:
    """(B,) row of the same bond as seen from its other end."""
    ends = zip(bonds.first.tolist(), bonds.second.tolist(), bonds.shift.tolist(), strict=True)
    row = {(i, j, *step): n for n, (i, j, step) in enumerate(ends)}
    return np.array([row[j, i, -a, -b, -c] for i, j, a, b, c in row], dtype=np.int64)


def _angle(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Angle of two vectors in degrees."""
    cosine = first @ second / np.sqrt((first @ first) * (second @ second))
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
