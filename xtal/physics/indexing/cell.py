"""What indexing answers with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CERTAIN = 0.9  # probability of the first cell below which a result is ambiguous


@dataclass(frozen=True, eq=False)
class IndexedCell:
    """A lattice that may belong to a pattern.

    Attributes:
        lattice: (3, 3) Å, rows a, b, c of the primitive Niggli-reduced cell.
        conventional: (3, 3) Å, of the conventional cell; monoclinic with b unique, rhombohedral on hexagonal axes.
        centring: ``P A B C I F`` or ``R`` of the conventional cell.
        system: ``triclinic`` to ``cubic``; a rhombohedral lattice is ``hexagonal`` with centring R.
        volume: Å³ of the primitive cell.
        zero_shift: degrees, which the pattern has added to every 2θ.
        merit: M20 of de Wolff (1968) over the found lines, at most twenty of them.
        lines: found lines that M20 was taken of.
        fit: share of the pattern's intensity that the fitted profile leaves unexplained (R_wp with the fit's weights).
        evidence: ln of the profile's evidence, comparable between cells of one pattern only.
        probability: that this is the right lattice, calibrated on held-out patterns.
    """

    lattice: NDArray[np.float64]
    conventional: NDArray[np.float64]
    centring: str
    system: str
    volume: float
    zero_shift: float
    merit: float
    lines: int
    fit: float
    evidence: float
    probability: float


@dataclass(frozen=True, eq=False)
class GroupGuess:
    """A space group that a pattern may have, in coordinates of the primitive cell: ``x' = R x + t``.

    Attributes:
        number: International Tables.
        symbol: Hermann-Mauguin, of the setting.
        rotations: (S, 3, 3) whole numbers, one operation for each coset of the lattice's translations.
        translations: (S, 3).
        ln_probability: of this group among those listed, given the cell.
    """

    number: int
    symbol: str
    rotations: NDArray[np.int64]
    translations: NDArray[np.float64]
    ln_probability: float


@dataclass(frozen=True, eq=False)
class Indexing:
    """The cells that a pattern may have, the most probable first, and the space groups of the first of them."""

    cells: tuple[IndexedCell, ...]
    groups: tuple[GroupGuess, ...]

    @property
    def ambiguous(self) -> bool:
        """Whether no cell is likely enough to be called so."""
        return not self.cells or self.cells[0].probability < CERTAIN
