"""The hypothetical MOFs of the XtalNet paper, from its LMDB files or from CIFs of the same database."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gemmi
import numpy as np
from numpy.typing import NDArray

from xtal.console import spelled
from xtal.crystals import Crystal, cell_lattice
from xtal.crystals.cif import MAX_ATOMS, MAX_COORDINATE
from xtal.errors import UserError
from xtal.sources.archive import fingerprint
from xtal.sources.cif_files import CifFiles
from xtal.sources.plain_pickle import load_plain
from xtal.sources.record import Record, Source, TooManyAtomsError

MOST_ATOMS = {"hmof100": 100, "hmof400": 400}  # atoms in the unit cell; section 2.2 of the XtalNet paper
ZENODO = "https://zenodo.org/records/13629658"
CITATION = (
    f"hMOF: Wilmer et al., Nat. Chem. 4, 83 (2012), doi:10.1038/nchem.1192; selection and files: XtalNet, {ZENODO}"
)
LICENCE = f"as stated at {ZENODO}"
LARGEST_VALUE = 2**24  # bytes of one unpacked entry; 400 atoms and a pattern take 0.2 MB
FIELDS = ("atom_type", "atom_frac_pos", "parameters")


@dataclass(frozen=True)
class HmofLmdb:
    """The LMDB files of the XtalNet paper; values are gzip(pickle(dict)).

    Attributes:
        name: ``hmof100`` or ``hmof400``.
        files: LMDB files or folders.
        source_id: identity of the data.
        most_atoms: entries with more atoms raise TooManyAtomsError.
        citation: whom to cite.
        licence: terms of use.
    """

    name: str
    files: tuple[Path, ...]
    source_id: str
    most_atoms: int
    citation: str = CITATION
    licence: str = LICENCE
    expected: int | None = None

    def records(self) -> Iterator[Record]:
        """Yield every entry; ids are the file's name and the key, ``test-17``."""
        for file in self.files:
            for key, value in _items(file):
                text = key.decode("ascii", "replace")
                yield Record(f"{file.stem}-{text if text.isalnum() else key.hex()}", value)

    def read(self, record: Record) -> Crystal:
        """Return the crystal of one entry."""
        try:
            return _crystal(load_plain(_unzipped(record.data)), record.id, self.most_atoms)
        except TooManyAtomsError:
            raise
        except UserError as error:
            raise UserError(f"{record.id}: {error}") from None


def open_hmof(name: str, path: Path | None) -> Source:
    """Open the database `name` (a key of `MOST_ATOMS`) from LMDB files, a folder of them, or CIFs in any form.

    Raises:
        UserError: no path, nothing there, or LMDB files without the lmdb package; each says what to do.
    """
    if path is None:
        raise UserError(
            f"{name} must be downloaded first: fetch the files of {ZENODO}, then run: "
            f"{spelled('indexer build')} {name} --source PATH"
        )
    if not path.exists():
        raise UserError(f"no file or folder at {path}; give the LMDB files of {ZENODO} or CIFs of hMOF")
    identity = f"{name}:{fingerprint(path)}"
    files = _lmdb_files(path)
    if not files:
        return CifFiles(name, path, identity, CITATION, LICENCE, MOST_ATOMS[name])
    if find_spec("lmdb") is None:
        raise UserError(f"{files[0]} is an LMDB file, which needs the lmdb package; run: pip install lmdb")
    return HmofLmdb(name, files, identity, MOST_ATOMS[name])


def _lmdb_files(path: Path) -> tuple[Path, ...]:
    """Return the LMDB files that `path` is or holds, sorted; a folder with data.mdb is one."""
    if path.suffix in (".lmdb", ".mdb") or (path / "data.mdb").exists():
        return (path,)
    return tuple(sorted(path.rglob("*.lmdb"))) if path.is_dir() else ()


def _items(file: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of an LMDB file."""
    import lmdb

    try:
        with (
            lmdb.open(str(file), subdir=file.is_dir(), readonly=True, lock=False, create=False) as environment,
            environment.begin() as transaction,
        ):
            yield from transaction.cursor()
    except lmdb.Error as error:
        raise UserError(f"{file} is not a readable LMDB file: {error}") from None


def _unzipped(data: bytes) -> bytes:
    """Return gzip data unpacked, within `LARGEST_VALUE`."""
    unpacker = zlib.decompressobj(wbits=31)  # 31: with a gzip header
    try:
        plain = unpacker.decompress(data, LARGEST_VALUE)
    except zlib.error as error:
        raise UserError(f"not a gzip value: {error}") from None
    if not unpacker.eof:
        raise UserError(f"the gzip value is cut off or holds more than {LARGEST_VALUE:,} bytes")
    return plain


def _crystal(entry: dict[str, Any], name: str, most_atoms: int) -> Crystal:
    """Return the crystal of an entry with fields `FIELDS`."""
    missing = [field for field in FIELDS if field not in entry]
    if missing:
        raise UserError(f"the entry lacks {', '.join(missing)}; it holds {', '.join(sorted(entry)[:20])}")
    kinds = _flat(entry["atom_type"], MAX_ATOMS)
    if len(kinds) > most_atoms:
        raise TooManyAtomsError(f"{name}: {len(kinds)} atoms; the database takes {most_atoms}")
    frac = _numbers(_flat(entry["atom_frac_pos"], 3 * MAX_ATOMS), "atom_frac_pos")
    cell = _numbers(_flat(entry["parameters"], 9), "parameters")
    if len(frac) != 3 * len(kinds) or len(cell) != 6:
        raise UserError(
            f"{len(kinds)} atoms need 3 coordinates each and 6 cell parameters, got {len(frac)}, {len(cell)}"
        )
    if (np.isfinite(frac) & (abs(frac) > MAX_COORDINATE)).any():
        raise UserError(f"atom_frac_pos must lie within {MAX_COORDINATE:g} cells")
    lattice = cell_lattice(cell.tolist())
    return Crystal(lattice, frac.reshape(-1, 3), np.array([_atomic_number(kind) for kind in kinds]), name=name)


def _flat(value: Any, most: int) -> list[Any]:
    """Return the elements of an array, a list, or a list of lists, at most `most`."""
    rows = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(rows, list) or len(rows) > most:
        raise UserError(f"a list of at most {most:,} elements is needed, got {type(rows).__name__}")
    flat: list[Any] = []
    for row in rows:
        part = row.tolist() if isinstance(row, np.ndarray) else row
        flat += part if isinstance(part, list | tuple) else [part]
        if len(flat) > most:
            raise UserError(f"more than {most:,} elements where a structure holds fewer")
    return flat


def _numbers(values: list[Any], field: str) -> NDArray[np.float64]:
    """Return real numbers as an array."""
    if not all(isinstance(value, int | float) for value in values):
        raise UserError(f"{field} must hold numbers only")
    try:
        return np.array(values, dtype=np.float64)
    except OverflowError:
        raise UserError(f"{field} holds a number beyond all bounds") from None


def _atomic_number(kind: Any) -> int:
    """Return the atomic number of a number or an element symbol; 0 for anything else, which no crystal takes."""
    if isinstance(kind, str):
        return gemmi.Element(kind).atomic_number if kind.isascii() else 0
    return int(kind) if isinstance(kind, int) or (isinstance(kind, float) and kind.is_integer()) else 0
