"""A library of parts: every kind that a database of crystals holds, its shapes, and where it occurs together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Literal, Self
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from generate.parts.chemistry import ELEMENTS, Chemistry
from xtal.arrays import ragged_rows
from xtal.console import spelled
from xtal.crystals.parts import Part
from xtal.errors import UserError
from xtal.shipped import DamagedFileError, renewed, whole

Role = Literal["metal", "node", "linker", "organic", "inorganic"]
ROLES: tuple[Role, ...] = ("metal", "node", "linker", "organic", "inorganic")
SHIPPED = Path(__file__).parent / "data" / "coremof2019.npz"
PLACES = 1000  # positions are kept to 0.001 Å
NO_CHARGE = -32768  # in the file, of kinds whose charge is not known


@dataclass(frozen=True, eq=False)
class Kind:
    """One kind of part.

    Attributes:
        key: names elements and bonds, see `xtal.crystals.parts.graph_of`.
        conformers: its shapes, atoms in one order, the most usual first, mirror images behind all others.
        count: crystals of the library that hold it.
        charge: electrons; None where it is not known.
        smiles: of what holds no metal; "" where none could be made.
        role: "metal" one atom, "node" several with metals, "linker" with carbon and bound to metals, "organic" with
            carbon and free, "inorganic" without carbon and metals.
        ties: mean number of its bonds to metals, or of a metal or node to other parts; by default one for each donor.
        shapes: how many conformers are no mirror images of those before; by default all.
    """

    key: str
    conformers: tuple[Part, ...]
    count: int
    charge: int | None
    smiles: str
    role: Role
    ties: float = -1.0
    shapes: int = 0

    def __post_init__(self) -> None:
        """Fill in what was left out."""
        if self.ties < 0:
            object.__setattr__(self, "ties", float(self.conformers[0].donors.sum()))
        if not self.shapes:
            object.__setattr__(self, "shapes", len(self.conformers))

    @property
    def numbers(self) -> NDArray[np.uint8]:
        """(n,) atomic numbers."""
        return self.conformers[0].numbers


@dataclass(frozen=True, eq=False)
class Library:
    """All kinds of parts of a database.

    Attributes:
        kinds: K, the most frequent first.
        offsets: (S + 1,) of the crystals: crystal i holds the kinds ``held[offsets[i]:offsets[i + 1]]``.
        held: (P,) rows of `kinds`.
        number: (P,) how many parts of the kind there are in the primitive cell.
        chemistry: how parts are held together.
        about: what it was made from, and its licence.
    """

    kinds: tuple[Kind, ...]
    offsets: NDArray[np.int64]
    held: NDArray[np.int64]
    number: NDArray[np.int64]
    chemistry: Chemistry
    about: str = ""

    def __len__(self) -> int:
        """Return the number of crystals."""
        return len(self.offsets) - 1

    @cached_property
    def row(self) -> dict[str, int]:
        """Row of each kind by its key."""
        return {kind.key: row for row, kind in enumerate(self.kinds)}

    @cached_property
    def elements(self) -> NDArray[np.int64]:
        """(K, 99) atoms of each element in each kind."""
        return np.array([np.bincount(kind.numbers, minlength=ELEMENTS) for kind in self.kinds]).reshape(-1, ELEMENTS)

    def without(self, numbers: NDArray[np.integer]) -> Self:
        """Return the library as it would be without any crystal of the formula of these atoms (N,)."""
        wanted = np.bincount(numbers, minlength=ELEMENTS)
        crystal = np.repeat(np.arange(len(self)), np.diff(self.offsets))
        held = np.zeros((len(self), ELEMENTS), dtype=np.int64)
        np.add.at(held, crystal, self.elements[self.held] * self.number[:, None])
        same = (held // np.gcd.reduce(held, axis=1, keepdims=True) == wanted // np.gcd.reduce(wanted)).all(axis=1)
        at, offsets = ragged_rows(self.offsets, np.flatnonzero(~same))
        count = np.bincount(self.held[at], minlength=len(self.kinds))
        new = np.cumsum(count > 0) - 1
        kinds = tuple(replace(kind, count=int(n)) for kind, n in zip(self.kinds, count, strict=True) if n)
        return replace(self, kinds=kinds, offsets=offsets, held=new[self.held[at]], number=self.number[at])

    def save(self, path: Path) -> None:
        """Write a compressed npz without pickle."""
        shapes = [kind.conformers[: kind.shapes] for kind in self.kinds]
        chiral = [_chiral(kind) for kind in self.kinds]
        first = [kind.conformers[0] for kind in self.kinds]
        position = np.concatenate([np.empty((0, 3)), *(part.position for some in shapes for part in some)])
        arrays = {
            "keys": np.array([kind.key for kind in self.kinds], dtype=np.str_),
            "smiles": np.array([kind.smiles for kind in self.kinds], dtype=np.str_),
            "charges": np.array([NO_CHARGE if k.charge is None else k.charge for k in self.kinds], dtype=np.int16),
            "roles": np.array([ROLES.index(kind.role) for kind in self.kinds], dtype=np.uint8),
            "ties": np.array([kind.ties for kind in self.kinds], dtype=np.float16),
            "counts": np.array([kind.count for kind in self.kinds], dtype=np.int32),
            "atoms": np.array([len(part) for part in first], dtype=np.int32),
            "bonds": np.array([len(part.bonds) for part in first], dtype=np.int32),
            "shapes": np.array([len(some) for some in shapes], dtype=np.uint8),
            "binding": np.array([int(c.key.rpartition("/")[2], 16) for some in shapes for c in some], dtype=np.uint32),
            "chiral": np.array([flag for flags in chiral for flag in flags], dtype=np.bool_),
            "numbers": np.concatenate([np.empty(0, np.uint8), *(part.numbers for part in first)]),
            "pairs": np.concatenate([np.empty((0, 2)), *(part.bonds for part in first)]).astype(np.uint16),
            "donors": np.packbits(np.concatenate([np.empty(0, bool), *(c.donors for some in shapes for c in some)])),
            "position": np.round(position * PLACES).clip(-32767, 32767).astype(np.int16),
            "crystals": np.diff(self.offsets).astype(np.uint8),
            "held": self.held.astype(np.int32),
            "number": self.number.astype(np.uint16),
            "about": np.array(self.about),
            **{f.name: getattr(self.chemistry, f.name).astype(np.float32) for f in fields(Chemistry)},
        }
        with path.open("wb") as stream:
            np.savez_compressed(stream, **arrays)
        renewed(path)

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Read a library; by default the one that comes with this, of CoRE MOF 2019.

        Raises:
            UserError: no such file, or not a library.
        """
        path = path or SHIPPED
        try:
            with np.load(whole(path), allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            chemistry = Chemistry(*(arrays[f.name].astype(np.float64) for f in fields(Chemistry)))
            offsets = _running(arrays["crystals"])
            held, number = arrays["held"].astype(np.int64), arrays["number"].astype(np.int64)
            return cls(tuple(_kinds(arrays)), offsets, held, number, chemistry, str(arrays["about"]))
        except DamagedFileError:
            raise
        except FileNotFoundError:
            raise UserError(f"no library of parts at {path}; build one: {spelled('generate parts build')}") from None
        except (OSError, ValueError, KeyError, IndexError, EOFError, BadZipFile) as error:
            raise UserError(
                f"{path} is no library of parts (npz): {error}; build one: {spelled('generate parts build')}"
            ) from None


def with_images(shapes: Sequence[Part], chiral: Iterable[bool]) -> tuple[Part, ...]:
    """Return shapes and, behind them, the mirror images of those that are chiral."""
    images = [replace(part, position=-part.position) for part, flag in zip(shapes, chiral, strict=True) if flag]
    return (*shapes, *images)


def _chiral(kind: Kind) -> list[bool]:
    """Return which shapes of a kind have their mirror image among its conformers."""
    images = kind.conformers[kind.shapes :]
    return [any(np.allclose(i.position, -p.position) for i in images) for p in kind.conformers[: kind.shapes]]


def _running(counts: NDArray) -> NDArray[np.int64]:
    """Return (S + 1,) running totals from 0."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)]).astype(np.int64)


def _kinds(arrays: dict[str, NDArray]) -> Iterable[Kind]:
    """Yield the kinds of a file."""
    atoms, bonds, shapes = (_running(arrays[name]) for name in ("atoms", "bonds", "shapes"))
    places = _running(np.repeat(arrays["atoms"], arrays["shapes"]))
    donors = np.unpackbits(arrays["donors"], count=places[-1]).astype(bool)
    position, chiral, binding = arrays["position"] / PLACES, arrays["chiral"].tolist(), arrays["binding"].tolist()
    columns = (arrays[name].tolist() for name in ("keys", "counts", "charges", "smiles", "roles", "ties"))
    for row, (key, count, charge, smiles, role, ties) in enumerate(zip(*columns, strict=True)):
        numbers = arrays["numbers"][atoms[row] : atoms[row + 1]]
        pairs = arrays["pairs"][bonds[row] : bonds[row + 1]]
        some = [
            Part(numbers, position[at], pairs, donors[at], f"{key}/{binding[k]:08x}")
            for k, at in ((k, slice(places[k], places[k + 1])) for k in range(shapes[row], shapes[row + 1]))
        ]
        conformers = with_images(some, chiral[shapes[row] : shapes[row + 1]])
        known = None if charge == NO_CHARGE else charge
        yield Kind(key, conformers, count, known, smiles, ROLES[role], ties, len(some))
