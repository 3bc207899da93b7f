"""The crystal: a lattice and the atoms in one cell of it."""

from dataclasses import dataclass, field
from functools import cached_property
from math import gcd

import gemmi
import numpy as np
from numpy.typing import NDArray

from xtal.arrays import frozen
from xtal.errors import UserError

HIGHEST_NUMBER = 98  # californium: the last element with X-ray form factors in the usual tables


@dataclass(frozen=True, eq=False)
class Crystal:
    """A periodic arrangement of atoms. All arrays are read-only.

    `cart = frac_coords @ lattice`; a position shared by several elements appears once per element.

    Attributes:
        lattice: (3, 3) Å, rows a, b, c.
        frac_coords: (N, 3), wrapped into [0, 1).
        numbers: (N,) atomic numbers, 1 to 98 (deuterium is 1).
        occupancies: (N,) in (0, 1]; all 1 when not given.
        name: what the source calls it, for people to read.
    """

    lattice: NDArray[np.float64]
    frac_coords: NDArray[np.float64]
    numbers: NDArray[np.uint8]
    occupancies: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    name: str = ""

    def __post_init__(self) -> None:
        """Copy, wrap and freeze the arrays; raise UserError on anything that is no crystal."""
        lattice = frozen(self.lattice)
        numbers = np.atleast_1d(np.asarray(self.numbers))
        frac = np.array(self.frac_coords, dtype=np.float64)
        occupancies = np.asarray(self.occupancies, dtype=np.float64)
        if occupancies.size == 0:
            occupancies = np.ones(len(numbers))
        if lattice.shape != (3, 3) or not np.isfinite(lattice).all() or abs(np.linalg.det(lattice)) < 1e-3:
            raise UserError(f"lattice must be three independent vectors in Å, got {lattice.tolist()}")
        if len(numbers) == 0 or frac.shape != (len(numbers), 3) or occupancies.shape != (len(numbers),):
            raise UserError(
                f"a crystal needs N >= 1 atoms with (N, 3) coordinates and (N,) occupancies, "
                f"got {len(numbers)}, {frac.shape}, {occupancies.shape}"
            )
        if not np.isfinite(frac).all():
            raise UserError("fractional coordinates must be finite numbers")
        if numbers.min() < 1 or numbers.max() > HIGHEST_NUMBER:
            raise UserError(f"atomic numbers must lie in 1..{HIGHEST_NUMBER}, got {numbers.min()}..{numbers.max()}")
        if not (np.isfinite(occupancies).all() and (occupancies > 0).all() and (occupancies <= 1).all()):
            raise UserError("occupancies must lie in (0, 1]")
        frac -= np.floor(frac)
        frac[frac >= 1.0] = 0.0  # -1e-17 wraps to 1.0 in floating point
        object.__setattr__(self, "lattice", lattice)
        object.__setattr__(self, "frac_coords", frozen(frac))
        object.__setattr__(self, "numbers", frozen(numbers, np.uint8))
        object.__setattr__(self, "occupancies", frozen(occupancies))

    def __len__(self) -> int:
        """Return the number of atom sites in the cell."""
        return len(self.numbers)

    @property
    def volume(self) -> float:
        """Cell volume in Å³."""
        return float(abs(np.linalg.det(self.lattice)))

    @cached_property
    def composition(self) -> dict[str, float]:
        """Atoms per cell by element symbol, occupancy-weighted, in Hill order (C, H, then alphabetical)."""
        return composition_of(self.numbers, self.occupancies)

    @property
    def formula(self) -> str:
        """Cell contents in Hill order, for example ``C24H12O13Zn4``."""
        return format_formula(self.composition)

    @property
    def reduced_formula(self) -> str:
        """Formula divided by the greatest common divisor of its counts (when they are whole numbers)."""
        return format_formula(reduced(self.composition))


def composition_of(numbers: NDArray[np.integer], occupancies: NDArray[np.floating] | None = None) -> dict[str, float]:
    """Return the atoms (N,) by element symbol, weighted by their occupancies (N,), in Hill order."""
    elements, inverse = np.unique(numbers, return_inverse=True)
    amounts = np.bincount(inverse, weights=occupancies)
    by_symbol = {gemmi.Element(int(z)).name: float(n) for z, n in zip(elements, amounts, strict=True)}
    first = ("C", "H") if "C" in by_symbol else ()
    return {s: by_symbol[s] for s in sorted(by_symbol, key=lambda s: (s not in first, s))}


def reduced(composition: dict[str, float]) -> dict[str, float]:
    """Divide whole-number counts by their greatest common divisor; leave fractional ones as they are."""
    counts = [round(n) for n in composition.values()]
    if any(abs(n - c) > 1e-6 or c == 0 for n, c in zip(composition.values(), counts, strict=True)):
        return composition
    divisor = gcd(*counts)
    return {s: c / divisor for s, c in zip(composition, counts, strict=True)}


def format_formula(composition: dict[str, float]) -> str:
    """Write a composition as text: ``{"Zn": 1, "O": 1} -> "OZn"`` keeps the given order; 1 is left out."""
    return "".join(
        s + ("" if abs(n - 1) < 1e-6 else f"{n:.4g}" if n % 1 else f"{n:.0f}") for s, n in composition.items()
    )
