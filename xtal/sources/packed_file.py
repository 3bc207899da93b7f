"""A packed npz file as a database."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from xtal.crystals import Crystal, CrystalTable
from xtal.crystals.packed import from_bytes
from xtal.errors import UserError
from xtal.sources.archive import fingerprint
from xtal.sources.record import Record


@dataclass(frozen=True)
class PackedFile:
    """A database in the format of `CrystalTable`.

    The names in the file are the ids; from its second time on a name gets a counter: ``A``, ``A~2``, ``A~3``.

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
    expected: int | None = None

    def records(self) -> Iterator[Record]:
        """Yield every crystal in the order of the file."""
        table = CrystalTable.load(self.path)
        for row, id_ in enumerate(_unique(table.names.tolist())):
            yield Record(id_, table.payload(row))

    def read(self, record: Record) -> Crystal:
        """Return the crystal of one record."""
        return from_bytes(record.data, record.id)


def open_packed_file(path: Path) -> PackedFile:
    """Open a packed file of the user's."""
    if not path.is_file():
        raise UserError(f"no packed file at {path}; give packed:PATH of an .npz file")
    identity = f"packed:{path.stem}:{fingerprint(path)}"
    return PackedFile(path.stem, path, identity, str(path), "as stated by the file's owner")


def _unique(names: Iterable[str]) -> Iterator[str]:
    """Yield the names with repeated ones told apart; a name that already looks like that is stepped over."""
    seen: Counter[str] = Counter()
    used: set[str] = set()
    for name in names:
        seen[name] += 1
        id_ = name if seen[name] == 1 else f"{name}~{seen[name]}"
        while id_ in used:
            seen[name] += 1
            id_ = f"{name}~{seen[name]}"
        used.add(id_)
        yield id_
