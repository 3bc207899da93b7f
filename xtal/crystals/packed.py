"""Many crystals in one block of memory and in one npz file, without pickle."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import BadZipFile

import numpy as np
from numpy.typing import DTypeLike, NDArray

from xtal.arrays import ragged_rows
from xtal.crystals.crystal import Crystal
from xtal.errors import UserError

STEPS = 65536  # uint16 coordinates are multiples of 1 / 65536 of the cell: 0.0003 Å in a cell of 20 Å
COORDINATES = (np.dtype(np.float32), np.dtype(np.uint16))
NO_ARCHIVE = "pickled (object) data"  # what NumPy says of any other file, with advice that nobody should follow
REQUIRED = ("name", "lattice", "n_atoms", "numbers", "frac")


@dataclass(frozen=True, eq=False)
class CrystalTable:
    """S crystals with A atoms in all; atoms of crystal i are ``offsets[i]:offsets[i+1]``.

    Attributes:
        names: (S,) text, the ids of the crystals.
        lattice: (S, 3, 3) Å, rows a, b, c.
        offsets: (S + 1,) int64.
        numbers: (A,) uint8 atomic numbers.
        frac: (A, 3) fractional coordinates: float32, or uint16 in units of 1 / 65536.
        occupancies: (A,) float32, or None when all are 1.
    """

    names: NDArray[np.str_]
    lattice: NDArray[np.float64]
    offsets: NDArray[np.int64]
    numbers: NDArray[np.uint8]
    frac: NDArray[np.float32] | NDArray[np.uint16]
    occupancies: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        """Raise UserError unless the arrays fit together."""
        count, atoms = self.names.size, self.numbers.size
        shapes = (self.names.shape, self.lattice.shape, self.offsets.shape, self.numbers.shape, self.frac.shape)
        if shapes != ((count,), (count, 3, 3), (count + 1,), (atoms,), (atoms, 3)):
            raise UserError(f"names, lattice, offsets, numbers and frac do not fit together, their shapes are {shapes}")
        if self.names.dtype.kind != "U" or self.numbers.dtype != np.uint8 or self.frac.dtype not in COORDINATES:
            raise UserError(
                "names must be text, numbers uint8, frac float32 or uint16, "
                f"got {self.names.dtype}, {self.numbers.dtype}, {self.frac.dtype}"
            )
        if self.offsets[0] != 0 or self.offsets[-1] != atoms or (np.diff(self.offsets) < 1).any():
            raise UserError(f"the crystals must have at least one atom each and {atoms} in all")
        if self.occupancies is not None and self.occupancies.shape != (atoms,):
            raise UserError(f"occupancies must be {atoms} numbers, got {self.occupancies.shape}")

    @classmethod
    def from_crystals(cls, crystals: Sequence[Crystal], coordinates: DTypeLike = np.float32) -> "CrystalTable":
        """Put many crystals into one table; `coordinates` is float32 (1e-7 of the cell) or uint16 (2e-5)."""
        frac = np.concatenate([np.empty((0, 3)), *(c.frac_coords for c in crystals)])
        occupancies = np.concatenate([np.empty(0), *(c.occupancies for c in crystals)]).astype(np.float32)
        if np.dtype(coordinates) == np.uint16:
            frac = np.round(frac * STEPS) % STEPS
        return cls(
            np.array([c.name for c in crystals], dtype=np.str_),
            np.array([c.lattice for c in crystals]).reshape(-1, 3, 3),
            _offsets([len(c) for c in crystals]),
            np.concatenate([np.empty(0, np.uint8), *(c.numbers for c in crystals)]),
            frac.astype(coordinates),
            None if (occupancies == 1).all() else occupancies,
        )

    @classmethod
    def load(cls, path: Path) -> "CrystalTable":
        """Read a table; further arrays in the file are left alone.

        Raises:
            UserError: no such file, or not a packed file.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                missing = [key for key in REQUIRED if key not in file]
                if missing:
                    raise UserError(f"it lacks {', '.join(missing)}; needed are {', '.join(REQUIRED)}")
                name, lattice, n_atoms, numbers, frac = (file[key] for key in REQUIRED)
                occupancies = file.get("occupancies")
            return cls(name, lattice.astype(np.float64), _offsets(n_atoms), numbers, frac, occupancies)
        except FileNotFoundError:
            raise UserError(f"no packed file at {path}") from None
        except (OSError, ValueError, TypeError, AttributeError, EOFError, BadZipFile) as error:
            why = "it is no NumPy archive" if NO_ARCHIVE in str(error) else str(error)
            raise UserError(f"{path} is not a packed file of crystals (npz): {why}") from None

    def save(self, file: Path | BinaryIO) -> None:
        """Write the table as an uncompressed npz, to a path or an open binary file."""
        if isinstance(file, Path):
            with file.open("wb") as stream:  # np.savez would append .npz to a temporary file's name
                return self.save(stream)
        values = (self.names, self.lattice, self.n_atoms, self.numbers, self.frac)
        arrays: dict[str, Any] = dict(zip(REQUIRED, values, strict=True))
        if self.occupancies is not None:
            arrays["occupancies"] = self.occupancies
        np.savez(file, **arrays)
        return None

    @property
    def n_atoms(self) -> NDArray[np.int64]:
        """(S,) number of atoms of each crystal."""
        return np.diff(self.offsets)

    def __len__(self) -> int:
        """Return the number of crystals."""
        return len(self.names)

    def __getitem__(self, row: int) -> Crystal:
        """Return one crystal, named by its id."""
        return from_bytes(self.payload(row), str(self.names[row]))

    def take(self, rows: NDArray[np.integer]) -> "CrystalTable":
        """Return the table of the chosen rows."""
        at, offsets = ragged_rows(self.offsets, rows)
        occupancies = None if self.occupancies is None else self.occupancies[at]
        return CrystalTable(self.names[rows], self.lattice[rows], offsets, self.numbers[at], self.frac[at], occupancies)

    def payload(self, row: int) -> bytes:
        """Return one crystal as bytes for `from_bytes`: cell, coordinates, occupancies (float64), atomic numbers."""
        atoms = slice(self.offsets[row], self.offsets[row + 1])
        frac = self.frac[atoms].astype(np.float64) / (STEPS if self.frac.dtype == np.uint16 else 1)
        occupancies = np.ones(len(frac)) if self.occupancies is None else self.occupancies[atoms].astype(np.float64)
        arrays = (self.lattice[row].astype(np.float64), frac, occupancies, self.numbers[atoms])
        return b"".join(array.tobytes() for array in arrays)


def from_bytes(data: bytes, name: str) -> Crystal:
    """Return the crystal that `CrystalTable.payload` wrote: 9 x 8 bytes for the cell and 33 for each atom."""
    count, rest = divmod(len(data) - 72, 33)
    if count < 1 or rest:
        raise UserError(f"{name}: {len(data)} bytes are no packed crystal")
    floats = np.frombuffer(data, np.float64, 9 + 4 * count)
    numbers = np.frombuffer(data, np.uint8, count, offset=floats.nbytes)
    cell, frac, occupancies = np.split(floats, [9, 9 + 3 * count])
    return Crystal(cell.reshape(3, 3), frac.reshape(-1, 3), numbers, occupancies, name)


def _offsets(counts: Sequence[int] | NDArray) -> NDArray[np.int64]:
    """Return (S + 1,) running totals of the counts, from 0."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)
