"""The columns of the entries as arrays that can be read where they lie, made from the published table.

A text column is kept as ``<name>_letters`` and ``<name>_offsets`` (`StoredTexts`), `order` are the rows by their ids.
"""

from collections.abc import Mapping
from functools import cached_property
from itertools import pairwise
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from indexer.storage.entries import EntryTable
from indexer.storage.mapped import StoredArray
from indexer.storage.texts import StoredTexts, packed

TEXTS = ("ids", "names", "formulas")
NUMBERS = ("n_atoms", "volume", "density", "group", "elements")
ATOMS = "atom_offsets"
FEW = 50_000  # entries whose ids are looked up in a dictionary: more take long to put into one


def write_columns(file: BinaryIO, table: EntryTable, atom_offsets: NDArray[np.int64]) -> None:
    """Write the columns of a table, and where the atoms (S + 1,) of each entry begin and end, as an npz.

    Raises:
        ValueError: ids repeat.
    """
    arrays: dict[str, Any] = {name: np.ascontiguousarray(getattr(table, name)) for name in NUMBERS}
    for name in TEXTS:
        arrays[f"{name}_letters"], arrays[f"{name}_offsets"] = packed(getattr(table, name))
    ids = [id_.encode() for id_ in table.ids]
    order = sorted(range(len(ids)), key=ids.__getitem__)
    if any(ids[a] == ids[b] for a, b in pairwise(order)):
        raise ValueError("the ids of an index must be unique")
    arrays["order"], arrays[ATOMS] = np.array(order, np.int64), atom_offsets
    np.savez(file, **arrays)


class StoredEntries:
    """Entries on disk: numbers of a column are read when it is first asked for, texts one by one. See `EntryTable`."""

    def __init__(self, arrays: Mapping[str, StoredArray]) -> None:
        self._arrays = arrays
        self.ids, self.names, self.formulas = (
            StoredTexts(arrays[f"{name}_letters"], arrays[f"{name}_offsets"]) for name in TEXTS
        )

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self.ids)

    @cached_property
    def n_atoms(self) -> NDArray[np.int32]:
        """(S,) sites in the primitive cell."""
        return self._arrays["n_atoms"].whole()

    @cached_property
    def volume(self) -> NDArray[np.float64]:
        """(S,) Å³ of the primitive cell."""
        return self._arrays["volume"].whole()

    @cached_property
    def density(self) -> NDArray[np.float64]:
        """(S,) g/cm³."""
        return self._arrays["density"].whole()

    @cached_property
    def group(self) -> NDArray[np.int32]:
        """(S,) equal for entries that hold the same structure."""
        return self._arrays["group"].whole()

    @cached_property
    def elements(self) -> NDArray[np.bool_]:
        """(S, 99) which elements an entry holds."""
        return self._arrays["elements"].whole()

    @cached_property
    def rows(self) -> dict[str, int]:
        """Row of each id; of all of them, where `row_of` looks for one."""
        return {id_: row for row, id_ in enumerate(self.ids)}

    def row_of(self, id_: str) -> int | None:
        """Return the row of an id, None where there is none."""
        if len(self) <= FEW:
            return self.rows.get(id_)
        wanted, low, high = id_.encode(), 0, len(self)
        while low < high:
            middle = (low + high) // 2
            row = int(self._arrays["order"].take(np.array([middle]))[0])
            found = self.ids[row].encode()
            if found == wanted:
                return row
            low, high = (middle + 1, high) if found < wanted else (low, middle)
        return None

    def of_formula(self, formula: str) -> NDArray[np.bool_]:
        """Return (S,) which entries have this reduced formula."""
        return self.formulas.equal(formula)

    def take(self, rows: NDArray[np.integer]) -> EntryTable:
        """Return the table of the chosen rows, in memory."""
        texts = [getattr(self, name)[rows] for name in TEXTS]
        return EntryTable(*texts, *(self._arrays[name].take(np.asarray(rows)) for name in NUMBERS))
