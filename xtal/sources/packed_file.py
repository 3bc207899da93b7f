"""A packed npz file as a database."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xtal.crystal import Crystal
from xtal.errors import UserError
from xtal.packed import CrystalTable, from_bytes
from xtal.sources.archive import fingerprint
from xtal.sources.record import Record


@dataclass(frozen=True)
class PackedFile:
    """A database in the format of `CrystalTable`; the names in the file are the ids.

    Attributes:
        name: short name.
        path: the npz file.
        source_id: identity of the data.
        citation: whom to cite.
        licence: terms of use.
    """

    name: str
    path: Path
    source_id: str
    citation: str
    licence: str

    def records(self) -> Iterator[Record]:
        """Yield every crystal in the order of the file."""
        table = CrystalTable.load(self.path)
        if len(set(table.names.tolist())) != len(table):
            raise UserError(f"{self.path}: the names are not unique, so they cannot serve as ids")
        for row in range(len(table)):
            yield Record(str(table.names[row]), table.payload(row))

    def read(self, record: Record) -> Crystal:
        """Return the crystal of one record."""
        return from_bytes(record.data, record.id)


def open_packed_file(path: Path) -> PackedFile:
    """Open a packed file of the user's."""
    if not path.is_file():
        raise UserError(f"no packed file at {path}; give packed:PATH of an .npz file")
    identity = f"packed:{path.stem}:{fingerprint(path)}"
    return PackedFile(path.stem, path, identity, str(path), "as stated by the file's owner")
