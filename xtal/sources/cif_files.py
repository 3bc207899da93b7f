"""CIF files as a database: one file, a folder, a zip or a tar."""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from xtal.crystals import Crystal, primitive, read_cif
from xtal.crystals.cif import MAX_BYTES, structures
from xtal.errors import UserError
from xtal.sources.archive import fingerprint, iter_files, plain_stem
from xtal.sources.record import Record, TooManyAtomsError

LONGEST_ID = 200  # characters


@dataclass(frozen=True)
class CifFiles:
    """A database of CIF files.

    Attributes:
        name: short name.
        path: a file, folder or archive.
        source_id: identity of the data.
        citation: whom to cite.
        licence: terms of use.
        most_atoms: entries with more atoms in the primitive cell raise TooManyAtomsError; None takes all.
    """

    name: str
    path: Path
    source_id: str
    citation: str
    licence: str
    most_atoms: int | None = None
    expected: int | None = None

    def records(self) -> Iterator[Record]:
        """Yield every structure; ids are the file names without suffix, and the block's where there are several."""
        ids = _Ids()
        for name, data in iter_files(self.path, (".cif", ".mcif"), MAX_BYTES):
            id_, parts = ids.new(name), _structures(data)
            if len(parts) == 1:
                yield Record(id_, data)
            else:
                yield from (
                    Record(ids.new_part(id_, block or str(n)), part) for n, (block, part) in enumerate(parts, 1)
                )
        if not ids.taken:
            raise UserError(f"no .cif files in {self.path}")

    def read(self, record: Record) -> Crystal:
        """Return the crystal of one CIF in the cell that the file gives."""
        crystal = read_cif(record.data, record.id)
        if self.most_atoms is not None and len(crystal) > self.most_atoms:
            count = len(primitive(crystal))
            if count > self.most_atoms:
                raise TooManyAtomsError(
                    f"{record.id}: {count} atoms in the primitive cell; {self.name} takes {self.most_atoms}"
                )
        return crystal


def open_cif_files(path: Path) -> CifFiles:
    """Open the user's own CIF files."""
    if not (path.is_file() or path.is_dir()):
        raise UserError(f"no file or folder at {path}; give cif:PATH of a .cif file, a folder, a .zip or a .tar")
    name = plain_stem(path.resolve())
    return CifFiles(name, path, f"cif:{name}:{fingerprint(path)}", str(path), "as stated by the files' owner")


def _structures(data: bytes) -> list[tuple[str, bytes]]:
    """Return the structures of a file; one that cannot be taken apart is one structure, whose reading says why."""
    try:
        return structures(data)
    except UserError:
        return [("", data)]


class _Ids:
    """Turns file names into unique ids: the stem; on a clash the path; on a further clash a counter.

    Of a file with several structures, each has the file's id and the name of its block: ``mofs@ABAVIJ``.
    """

    def __init__(self) -> None:
        self.taken: set[str] = set()
        self._repeats: Counter[str] = Counter()

    def new(self, name: str) -> str:
        """Return the id of the next file, fit to be a file name; it depends only on the names so far."""
        path = PurePosixPath(name)
        stem = re.sub(r"\.cif$", "", path.name, flags=re.IGNORECASE)
        chosen = _clean(stem)
        if chosen in self.taken:
            chosen = _clean(str(path.parent / stem))
        return self._unique(chosen)

    def new_part(self, file: str, block: str) -> str:
        """Return the id of one structure of the file with an id."""
        return self._unique(_clean(f"{file}@{block}"))

    def _unique(self, chosen: str) -> str:
        """Return an id that is not taken yet, and take it."""
        while chosen in self.taken:
            self._repeats[chosen] += 1
            chosen = f"{chosen}~{self._repeats[chosen] + 1}"
        self.taken.add(chosen)
        return chosen


def _clean(text: str) -> str:
    """Return text with everything but letters, digits and a few signs replaced, the end of it if it is very long."""
    return re.sub(r"[^\w.()+,=@-]+", "_", text).lstrip(".")[-LONGEST_ID:] or "_"
