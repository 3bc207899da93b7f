"""The table of entries: one row per crystal of an index, stored as parquet."""

import glob
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Protocol

import gemmi
import numpy as np
from numpy.typing import NDArray

from indexer.storage.files import sync_file
from indexer.storage.texts import TextColumn, object_array
from xtal.crystals import HIGHEST_NUMBER, Crystal

DALTON_PER_CUBIC_ANGSTROM = 1.66053906660  # g/cm³: CODATA 2018 atomic mass constant
COLUMNS = ("id", "name", "formula", "n_atoms", "volume", "density", "group")


class Entries(Protocol):
    """Properties of S crystals by column, in memory or on disk; the columns are those of `EntryTable`."""

    @property
    def ids(self) -> "NDArray[np.object_] | TextColumn":
        """(S,) unique."""
        ...

    @property
    def names(self) -> "NDArray[np.object_] | TextColumn":
        """(S,) for people to read."""
        ...

    @property
    def formulas(self) -> "NDArray[np.object_] | TextColumn":
        """(S,) reduced formulas in Hill order."""
        ...

    @property
    def n_atoms(self) -> NDArray[np.int32]:
        """(S,) sites in the primitive cell."""
        ...

    @property
    def volume(self) -> NDArray[np.float64]:
        """(S,) Å³ of the primitive cell."""
        ...

    @property
    def density(self) -> NDArray[np.float64]:
        """(S,) g/cm³."""
        ...

    @property
    def group(self) -> NDArray[np.int32]:
        """(S,) equal for entries that hold the same structure."""
        ...

    @property
    def elements(self) -> NDArray[np.bool_]:
        """(S, 99) which elements an entry holds."""
        ...

    @property
    def rows(self) -> dict[str, int]:
        """Row of each id."""
        ...

    def __len__(self) -> int:
        """Return the number of entries."""
        ...

    def row_of(self, id_: str) -> int | None:
        """Return the row of an id, None where there is none."""
        ...

    def of_formula(self, formula: str) -> NDArray[np.bool_]:
        """Return (S,) which entries have this reduced formula."""
        ...

    def take(self, rows: NDArray[np.integer]) -> "EntryTable":
        """Return the table of the chosen rows, in memory."""
        ...


@dataclass(frozen=True, eq=False)
class EntryTable:
    """Properties of S crystals by column; row i belongs to vector i, lines i and structure i of the same build.

    Attributes:
        ids: (S,) object array of str, unique.
        names: (S,) object array of str, for people to read.
        formulas: (S,) object array of str, reduced formula in Hill order.
        n_atoms: (S,) int32, sites in the primitive cell.
        volume: (S,) Å³ of the primitive cell.
        density: (S,) g/cm³.
        group: (S,) int32, equal for entries that hold the same structure; 0, 1, ... in order of first appearance.
        elements: (S, 99) bool, column z tells whether the element of atomic number z is present.
    """

    ids: NDArray[np.object_]
    names: NDArray[np.object_]
    formulas: NDArray[np.object_]
    n_atoms: NDArray[np.int32]
    volume: NDArray[np.float64]
    density: NDArray[np.float64]
    group: NDArray[np.int32]
    elements: NDArray[np.bool_]

    def __post_init__(self) -> None:
        """Freeze the columns; raise ValueError when their lengths differ."""
        for column in fields(self):
            array = getattr(self, column.name)
            array.flags.writeable = False
            if len(array) != len(self.ids):
                raise ValueError(f"column {column.name} has {len(array)} rows, ids has {len(self.ids)}")

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self.ids)

    @cached_property
    def rows(self) -> dict[str, int]:
        """Row of each id."""
        return {id_: row for row, id_ in enumerate(self.ids)}

    def row_of(self, id_: str) -> int | None:
        """Return the row of an id, None where there is none."""
        return self.rows.get(id_)

    def of_formula(self, formula: str) -> NDArray[np.bool_]:
        """Return (S,) which entries have this reduced formula."""
        return np.asarray(self.formulas == formula)

    def take(self, rows: NDArray[np.integer]) -> "EntryTable":
        """Return the table of the chosen rows; groups keep their numbers."""
        return EntryTable(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    @classmethod
    def describe(cls, ids: Sequence[str], crystals: Sequence[Crystal]) -> "EntryTable":
        """Make the table of S crystals, each in a group of its own."""
        return cls(
            object_array(ids),
            object_array([c.name for c in crystals]),
            object_array([c.reduced_formula for c in crystals]),
            np.array([len(c) for c in crystals], np.int32),
            np.array([c.volume for c in crystals], np.float64),
            np.array([mass_density(c) for c in crystals], np.float64),
            np.arange(len(crystals), dtype=np.int32),
            _membership(crystals),
        )

    @classmethod
    def join(cls, tables: Sequence["EntryTable"]) -> "EntryTable":
        """Put tables one below the other; every row gets a group of its own."""
        columns = {f.name: np.concatenate([getattr(t, f.name) for t in tables]) for f in fields(cls)}
        columns["group"] = np.arange(len(columns["ids"]), dtype=np.int32)
        return cls(**columns)


def mass_density(crystal: Crystal) -> float:
    """Mass of the cell over its volume, in g/cm³."""
    mass = _masses()[crystal.numbers] @ crystal.occupancies
    return float(mass / crystal.volume * DALTON_PER_CUBIC_ANGSTROM)


def write_entries(path: Path, table: EntryTable) -> None:
    """Write the table as parquet; `elements` becomes a list of symbols, so that other programs can query it."""
    import duckdb

    symbols = np.array([gemmi.Element(z).name for z in range(HIGHEST_NUMBER + 1)])
    columns = {
        "id": table.ids,
        "name": table.names,
        "formula": table.formulas,
        "n_atoms": table.n_atoms,
        "volume": table.volume,
        "density": table.density,
        "group": table.group,
        "symbols": object_array([",".join(symbols[row]) for row in table.elements]),
    }
    with duckdb.connect() as database:
        database.register("entries", columns)
        listed = database.sql("SELECT * EXCLUDE (symbols), string_split(symbols, ',') AS elements FROM entries")
        try:
            listed.write_parquet(str(path), compression="zstd")
        except duckdb.IOException as error:  # a full disk, and the like
            raise OSError(str(error)) from error
    sync_file(path)


def read_entries(path: Path) -> EntryTable:
    """Read a table written by `write_entries`."""
    import duckdb

    file = glob.escape(str(path))  # duckdb expands wildcards in a path
    try:
        with duckdb.connect() as database:
            table = database.read_parquet(file, file_row_number=True, hive_partitioning=False)
            columns = table.select(", ".join(f'"{c}"' for c in COLUMNS)).fetchnumpy()
            present = table.select("file_row_number AS row, unnest(elements) AS symbol").fetchnumpy()
    except duckdb.Error as error:  # the file went away, or cannot be read
        raise OSError(str(error)) from error
    elements = np.zeros((len(columns["id"]), HIGHEST_NUMBER + 1), dtype=bool)
    symbols, inverse = np.unique(present["symbol"].astype(str), return_inverse=True)
    numbers = np.array([gemmi.Element(s).atomic_number for s in symbols], dtype=int)
    elements[present["row"], numbers[inverse]] = True
    ids, names, formulas, n_atoms, volume, density, group = (np.array(columns[c]) for c in COLUMNS)
    return EntryTable(ids, names, formulas, n_atoms, volume, density, group, elements)


def _membership(crystals: Sequence[Crystal]) -> NDArray[np.bool_]:
    elements = np.zeros((len(crystals), HIGHEST_NUMBER + 1), dtype=bool)
    for row, crystal in enumerate(crystals):
        elements[row, crystal.numbers] = True
    return elements


@lru_cache(maxsize=1)
def _masses() -> NDArray[np.float64]:
    return np.array([gemmi.Element(z).weight for z in range(HIGHEST_NUMBER + 1)])
