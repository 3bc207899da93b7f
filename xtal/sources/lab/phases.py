"""Our own list of phases: structure types with sites, and the compounds of each with cell and parameters."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import gemmi
import numpy as np

from xtal.crystals import Crystal, cell_lattice
from xtal.errors import UserError

LETTERS = "ABCD"  # of a type's sites: the elements of a compound, in its order
SAME = 1e-3  # of the cell: images of a site nearer than this are one atom
ANGLES = {"hexagonal": (90.0, 90.0, 120.0), "trigonal": (90.0, 90.0, 120.0)}


@dataclass(frozen=True)
class StructureType:
    """Sites that several compounds share: (symbol, x, y, z and perhaps an occupancy), numbers or parameters' names."""

    name: str
    group: gemmi.SpaceGroup
    source: str
    sites: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)


@dataclass(frozen=True)
class Phase:
    """One compound of a structure type.

    Attributes:
        type: whose sites it has.
        elements: in place of the type's letters.
        cell: lengths in Å and β in degrees, as many as the crystal system leaves free.
        name: for people to read.
        parameters: free coordinates and occupancies by name.
    """

    type: StructureType
    elements: tuple[str, ...]
    cell: tuple[float, ...]
    name: str
    parameters: dict[str, float]

    @property
    def id(self) -> str:
        """The name in one word."""
        return "_".join(self.name.replace(",", " ").split())

    def crystal(self) -> Crystal:
        """Return the atoms of the conventional cell."""
        lattice = cell_lattice(full_cell(self.cell, self.type.group))
        frac: list[np.ndarray] = []
        numbers: list[int] = []
        occupancies: list[float] = []
        for symbol, values in self.type.sites:
            place = [self._number(value) for value in values]
            images = orbit(np.array(place[:3]), self.type.group)
            frac.append(images)
            numbers += [gemmi.Element(self._element(symbol)).atomic_number] * len(images)
            occupancies += [place[3] if len(place) > 3 else 1.0] * len(images)
        return Crystal(lattice, np.concatenate(frac), np.array(numbers), np.array(occupancies), self.name)

    def _number(self, value: str) -> float:
        return self.parameters[value] if value in self.parameters else float(Fraction(value))

    def _element(self, symbol: str) -> str:
        """Return the element of a site; a letter beyond the compound's elements is a symbol itself (C, B)."""
        place = LETTERS.find(symbol)
        return self.elements[place] if 0 <= place < len(self.elements) else symbol


def orbit(place: np.ndarray, group: gemmi.SpaceGroup) -> np.ndarray:
    """Return the images (N, 3) of a place (3,) under a space group, each once, in [0, 1)."""
    images = np.array([operation.apply_to_xyz(place.tolist()) for operation in group.operations()]) % 1.0
    kept: list[np.ndarray] = []
    for image in images:
        if all(np.abs((image - other + 0.5) % 1.0 - 0.5).max() > SAME for other in kept):
            kept.append(image)
    return np.array(kept)


def full_cell(cell: Sequence[float], group: gemmi.SpaceGroup) -> tuple[float, ...]:
    """Return a, b, c, α, β, γ of what a crystal system leaves free; UserError when the count does not fit."""
    system = group.crystal_system_str()
    count = {"cubic": 1, "tetragonal": 2, "hexagonal": 2, "trigonal": 2, "orthorhombic": 3, "monoclinic": 4}[system]
    if len(cell) != count:
        raise UserError(f"a {system} cell takes {count} numbers, got {len(cell)}")
    angles = ANGLES.get(system, (90.0, 90.0, 90.0))
    if count == 1:
        return (cell[0], cell[0], cell[0], *angles)
    if count == 2:
        return (cell[0], cell[0], cell[1], *angles)
    return (*cell[:3], 90.0, *cell[3:], 90.0) if count == 4 else (*cell, *angles)


def parse(text: str) -> Iterator[Phase]:
    """Yield the phases of a list, see the head of ``data/phases.txt``; UserError on a line that says nothing."""
    current: StructureType | None = None
    for number, line in enumerate(text.splitlines(), 1):
        fields = [part.strip() for part in line.removeprefix("=").split("|")]
        if not line or line.startswith("#"):
            continue
        if line.startswith("=") and len(fields) == 3:
            group = gemmi.find_spacegroup_by_name(fields[1])
            if group is None:
                raise UserError(f"line {number}: unknown space group {fields[1]!r}")
            current = StructureType(fields[0], group, fields[2])
        elif current is not None and len(fields) == 1:
            symbol, *place = line.split()
            current.sites.append((symbol, tuple(place)))
        elif current is not None and len(fields) in (3, 4):
            pairs = (pair.split("=") for pair in fields[3].split()) if len(fields) == 4 else ()
            elements = tuple(fields[0].replace(".", "").split())
            cell = tuple(map(float, fields[1].split()))
            yield Phase(current, elements, cell, fields[2], {key: float(value) for key, value in pairs})
        else:
            raise UserError(f"line {number} of the list of phases says nothing: {line!r}")
