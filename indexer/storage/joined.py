"""Several indexes searched as one: ``coremof2019-asr+lab``. Rows are looked up in their own index."""

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import cached_property
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from indexer.storage.contents import Contents, join_crystals
from indexer.storage.entries import Entries, EntryTable
from indexer.storage.manifest import Counts, Manifest
from indexer.storage.texts import JoinedTexts, TextColumn
from indexer.storage.vectors import SearchNote, put_together
from xtal.crystals import Crystal, CrystalTable
from xtal.patterns import Lines
from xtal.physics import LineTable

JOINT = "+"  # between the names of indexes; no name may hold it

Row = TypeVar("Row", Lines, Crystal)
Table = TypeVar("Table", LineTable, CrystalTable)
RowOut = TypeVar("RowOut", covariant=True)
TableOut = TypeVar("TableOut", covariant=True)


class Rows(Protocol[RowOut, TableOut]):
    """Rows of a table, in memory or on disk."""

    def __len__(self) -> int:
        """Return the number of rows."""
        ...

    def __getitem__(self, row: int, /) -> RowOut:
        """Return what one row holds."""
        ...

    def take(self, rows: NDArray[np.integer], /) -> TableOut:
        """Return the table of the chosen rows, in memory."""
        ...


def split(names: str) -> list[str]:
    """Return the names of the indexes that are to be searched as one, each once."""
    return list(dict.fromkeys(part.strip() for part in names.split(JOINT)))


def join(parts: Sequence[tuple[Manifest, Contents]]) -> tuple[Manifest, Contents]:
    """Put indexes one below the other; an id that several hold gets its index's name in front."""
    contents = [one for _, one in parts]
    joined = Contents(
        JoinedEntries([(manifest.name, one.entries) for manifest, one in parts]),
        JoinedRows([one.crystals for one in contents], join_crystals),
        JoinedRows([one.lines for one in contents], LineTable.join),
        put_together([one.vectors for one in contents]),
    )
    return _manifest([manifest for manifest, _ in parts]), joined


class JoinedRows(Generic[Row, Table]):
    """Lines or crystals one below the other."""

    def __init__(self, parts: Sequence[Rows[Row, Table]], join: Callable[[Sequence[Table]], Table]) -> None:
        self._parts: Sequence[Rows[Row, Table]] = parts
        self._join: Callable[[Sequence[Table]], Table] = join
        self._starts = np.cumsum([0, *map(len, parts)])

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self._starts[-1])

    def __getitem__(self, row: int) -> Row:
        """Return what one row holds."""
        row = range(len(self))[row]
        owner = int(np.searchsorted(self._starts, row, "right")) - 1
        return self._parts[owner][row - int(self._starts[owner])]

    def take(self, rows: NDArray[np.integer]) -> Table:
        """Return the table of the chosen rows, in memory."""
        rows = np.asarray(rows)
        owner = np.searchsorted(self._starts, rows, "right") - 1
        owners = np.unique(owner).tolist() or [0]
        found = [self._parts[one].take(rows[owner == one] - self._starts[one]) for one in owners]
        if len(found) == 1:
            return found[0]
        back = np.empty(len(rows), np.int64)
        back[np.argsort(owner, kind="stable")] = np.arange(len(rows))
        return self._join(found).take(back)


class JoinedEntries:
    """Entries of several indexes, given with their names, one below the other. See `EntryTable`."""

    def __init__(self, parts: Sequence[tuple[str, Entries]]) -> None:
        self._parts = [entries for _, entries in parts]
        self._starts = np.cumsum([0, *map(len, self._parts)])
        self.ids = JoinedIds(parts)
        self.names = JoinedTexts([part.names for part in self._parts])
        self.formulas = JoinedTexts([part.formulas for part in self._parts])

    def __len__(self) -> int:
        """Return the number of entries."""
        return int(self._starts[-1])

    @cached_property
    def n_atoms(self) -> NDArray[np.int32]:
        """(S,) sites in the primitive cell."""
        return np.concatenate([part.n_atoms for part in self._parts])

    @cached_property
    def volume(self) -> NDArray[np.float64]:
        """(S,) Å³ of the primitive cell."""
        return np.concatenate([part.volume for part in self._parts])

    @cached_property
    def density(self) -> NDArray[np.float64]:
        """(S,) g/cm³."""
        return np.concatenate([part.density for part in self._parts])

    @cached_property
    def group(self) -> NDArray[np.int32]:
        """(S,) equal for entries of one index that hold the same structure."""
        first = np.cumsum([0, *(int(part.group.max(initial=-1)) + 1 for part in self._parts)])
        groups = [part.group + number for part, number in zip(self._parts, first, strict=False)]
        return np.concatenate(groups).astype(np.int32)

    @cached_property
    def elements(self) -> NDArray[np.bool_]:
        """(S, 99) which elements an entry holds."""
        return np.concatenate([part.elements for part in self._parts])

    @cached_property
    def rows(self) -> dict[str, int]:
        """Row of each id; of all of them, where `row_of` looks for one."""
        return {id_: row for row, id_ in enumerate(self.ids)}

    def row_of(self, id_: str) -> int | None:
        """Return the row of an id, None where there is none."""
        return self.ids.row_of(id_)

    def of_formula(self, formula: str) -> NDArray[np.bool_]:
        """Return (S,) which entries have this reduced formula."""
        return np.concatenate([part.of_formula(formula) for part in self._parts])

    def take(self, rows: NDArray[np.integer]) -> EntryTable:
        """Return the table of the chosen rows, in memory."""
        return EntryTable(**{field.name: getattr(self, field.name)[rows] for field in fields(EntryTable)})


class JoinedIds(TextColumn):
    """Ids of several indexes; one that several hold gets its index's name in front."""

    def __init__(self, parts: Sequence[tuple[str, Entries]]) -> None:
        self._parts, self._plain = parts, JoinedTexts([entries.ids for _, entries in parts])
        self._starts = np.cumsum([0, *(len(entries) for _, entries in parts)])

    def __len__(self) -> int:
        """Return the number of ids."""
        return len(self._plain)

    def decoded(self, rows: NDArray[np.integer]) -> list[str]:
        """Return the ids of some rows."""
        owners = (np.searchsorted(self._starts, rows, "right") - 1).tolist()
        return [self._told(id_, owner) for id_, owner in zip(self._plain.decoded(rows), owners, strict=True)]

    def row_of(self, id_: str) -> int | None:
        """Return the row of an id, None where there is none."""
        for owner, (name, entries) in enumerate(self._parts):
            for own in {id_, id_.removeprefix(f"{name}/")}:
                row = entries.row_of(own)
                if row is not None and self._told(own, owner) == id_:
                    return row + int(self._starts[owner])
        return None

    def _told(self, id_: str, owner: int) -> str:
        others = (entries for number, (_, entries) in enumerate(self._parts) if number != owner)
        shared = any(entries.row_of(id_) is not None for entries in others)
        return f"{self._parts[owner][0]}/{id_}" if shared else id_


def _manifest(manifests: Sequence[Manifest]) -> Manifest:
    """Describe what was joined."""
    counts = [m.counts for m in manifests]
    return replace(
        manifests[0],
        name=JOINT.join(m.name for m in manifests),
        build_id=JOINT.join(m.build_id for m in manifests),
        sources=tuple(source for m in manifests for source in m.sources),
        counts=Counts(*(sum(getattr(c, f.name) for c in counts) for f in fields(Counts))),
        files=(),
        search=SearchNote(),
    )
