"""The seal of a build: proof that its files were compared with their digests, and how to read them where they lie.

Checking the digests of a build takes a second for every 2 GB. The first that does so seals the build: it notes the
state of every file, a sum of every block and the place of every array. As long as the files have that state, they are
opened by the seal alone, and a block is compared with its sum before anything in it is used. What was changed is
checked as a whole again. The entries, which are published as a parquet table for other programs to read, are put beside
it as plain columns. Both files can be removed at any time: they are made again.
"""

import hashlib
import json
import struct
import threading
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from indexer.storage.columns import ATOMS, StoredEntries, write_columns
from indexer.storage.contents import ENTRIES, LINES, STRUCTURES, VECTORS, Contents
from indexer.storage.entries import EntryTable, read_entries
from indexer.storage.files import replacing, write_durably
from indexer.storage.manifest import FileNote, Manifest
from indexer.storage.mapped import BLOCK, Blocks, Place, State, StoredArray, block_sums
from indexer.storage.stored import StoredCrystals, StoredLines, running_total
from indexer.storage.vectors import CODES, FlatVectors, Tier, open_codes
from xtal.errors import UserError

SEAL, COLUMNS = "seal", "columns.npz"
LAYOUT = 1  # of the seal; one of another layout counts as none
PIECE = 64 * BLOCK  # bytes read at once
FLAT = struct.Struct(
    "<4siqqqBiQ"
)  # the head of a serialised faiss.IndexFlatIP: name, dimension, rows, -, -, -, -, floats
Refused = Callable[[str], UserError]

_making = threading.Lock()


@dataclass(frozen=True)
class Seal:
    """What is known of the files of a build: states, block sums (B,) by file, and places of arrays by their names.

    Attributes:
        manifest: SHA-256 of the build's manifest.
    """

    manifest: str
    states: Mapping[str, State]
    sums: Mapping[str, NDArray[np.uint32]]
    places: Mapping[str, Place]

    def to_bytes(self) -> bytes:
        """Write the seal, its own digest in front."""
        head = {
            "layout": LAYOUT,
            "manifest": self.manifest,
            "files": [[name, len(self.sums[name]), asdict(state)] for name, state in self.states.items()],
            "places": {name: asdict(place) for name, place in self.places.items()},
        }
        text = json.dumps(head).encode()
        body = b"\n".join([text, b"".join(self.sums[name].astype("<u4").tobytes() for name in self.states)])
        return hashlib.sha256(body).digest() + body

    @classmethod
    def from_bytes(cls, data: bytes) -> Self | None:
        """Read a seal; None when it is not as it was written."""
        digest, body = data[:32], data[32:]
        if hashlib.sha256(body).digest() != digest:
            return None
        text, _, rest = body.partition(b"\n")
        head = json.loads(text)
        if head["layout"] != LAYOUT:
            return None
        states = {name: State(**state) for name, _, state in head["files"]}
        ends = np.cumsum([count for _, count, _ in head["files"]])
        sums = dict(zip(states, np.split(np.frombuffer(rest, "<u4"), ends[:-1]), strict=True))
        places = {name: Place(**{**raw, "shape": tuple(raw["shape"])}) for name, raw in head["places"].items()}
        return cls(head["manifest"], states, sums, places)

    def holds(self, folder: Path, manifest: str) -> bool:
        """Tell whether it is of this build, and all files are as they were."""
        with suppress(OSError):
            return manifest == self.manifest and all(State.of((folder / n).stat()) == s for n, s in self.states.items())
        return False


def open_sealed(folder: Path, manifest: Manifest, digest: str, refused: Refused) -> Contents:
    """Open a build whose manifest, of this SHA-256, has been checked.

    Args:
        folder: of the build.
        manifest: of the build.
        digest: of the manifest.
        refused: makes an error of what is wrong with a file.

    Raises:
        UserError: a file is not as it was written.
        ValueError: the files do not fit together.
        OSError: a file cannot be read.
    """
    for note in manifest.files:
        if problem := note.problem(folder, note.size <= BLOCK):
            raise refused(problem)
    seal, table = _read(folder), None
    if seal is None or not seal.holds(folder, digest):
        with _making:
            seal, table = make_seal(folder, manifest, digest, refused)

    def broken(problem: str) -> UserError:
        """Have everything checked when it is opened next: a column that was damaged is then made again."""
        with suppress(OSError):
            (folder / SEAL).unlink()
        return refused(problem)

    blocks = {name: Blocks(folder / name, seal.states[name], seal.sums[name], broken) for name in seal.states}
    stored = {name: StoredArray(blocks[place.file], place) for name, place in seal.places.items()}
    lines, structures, columns = (_of_file(stored, name) for name in (LINES, STRUCTURES, COLUMNS))
    crystals = StoredCrystals(
        structures["name"],
        structures["lattice"],
        columns[ATOMS] if columns else running_total(structures["n_atoms"].whole()),
        structures["numbers"],
        structures["frac"],
        structures.get("occupancies"),
    )
    entries = StoredEntries(columns) if table is None else table
    vectors = FlatVectors([stored[VECTORS]])
    if manifest.search.tier != Tier.exact:
        if manifest.search.vectors != digest_of(VECTORS, manifest) or CODES not in blocks:
            raise refused(f"{folder / CODES} was made of other vectors")
        vectors = open_codes(folder / CODES, manifest.search, vectors, blocks[CODES], broken)
    return Contents(entries, crystals, StoredLines(**lines), vectors)


def make_seal(folder: Path, manifest: Manifest, digest: str, refused: Refused) -> tuple[Seal, EntryTable | None]:
    """Check all files of a build and seal it.

    Returns:
        The seal, and the entries where their columns could not be written: others may own the folder.

    Raises:
        UserError: a file is not as it was written.
    """
    states = {note.name: State.of((folder / note.name).stat()) for note in manifest.files}
    sums = {note.name: _checked_sums(folder, note, refused) for note in manifest.files}
    places = {VECTORS: flat_place(folder / VECTORS)}
    for name in (LINES, STRUCTURES):
        places.update(npz_places(folder / name))
    table = read_entries(folder / ENTRIES)
    mapped = (VECTORS, LINES, STRUCTURES, CODES)
    seal = Seal(digest, {name: state for name, state in states.items() if name in mapped}, sums, places)
    try:
        with replacing(folder / COLUMNS) as stream:
            write_columns(stream, table, _atom_offsets(folder, places))
        path = folder / COLUMNS
        states[COLUMNS], sums[COLUMNS] = State.of(path.stat()), _sums(path)[1]
        whole = replace(seal, states=states, sums=sums, places={**places, **npz_places(path)})
        write_durably(folder / SEAL, whole.to_bytes())
    except OSError:
        return seal, table
    return whole, None


def digest_of(file: str, manifest: Manifest) -> str:
    """Return the SHA-256 that a manifest states of a file."""
    return next(note.sha256 for note in manifest.files if note.name == file)


def npz_places(path: Path) -> dict[str, Place]:
    """Return where the arrays of an uncompressed npz lie, as ``file/array``; ValueError when they cannot be mapped."""
    places = {}
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        for member in archive.infolist():
            if member.compress_type != zipfile.ZIP_STORED:
                raise ValueError(f"{member.filename} in {path} is compressed")
            file.seek(member.header_offset + 26)  # of the local header: lengths of name and extra field, then these
            file.seek(sum(struct.unpack("<HH", file.read(4))), 1)
            version = np.lib.format.read_magic(file)
            head = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, by_column, dtype = head(file)
            if by_column or dtype.hasobject:
                raise ValueError(f"{member.filename} in {path} cannot be read where it lies")
            name = member.filename.removesuffix(".npy")
            places[f"{path.name}/{name}"] = Place(path.name, file.tell(), dtype.str, shape)
    return places


def flat_place(path: Path) -> Place:
    """Return where the vectors of a serialised FAISS index lie; ValueError when it is no flat one of inner products."""
    with path.open("rb") as file:
        name, dimension, rows, *_, floats = FLAT.unpack(file.read(FLAT.size))
    size = FLAT.size + 4 * floats
    if name != b"IxFI" or floats != dimension * rows or size != path.stat().st_size:
        raise ValueError(f"{path} does not hold plain vectors")
    return Place(path.name, FLAT.size, "<f4", (rows, dimension))


def _read(folder: Path) -> Seal | None:
    try:
        return Seal.from_bytes((folder / SEAL).read_bytes())
    except FileNotFoundError:
        return None


def _of_file(stored: Mapping[str, StoredArray], file: str) -> dict[str, StoredArray]:
    return {name.partition("/")[2]: array for name, array in stored.items() if name.startswith(f"{file}/")}


def _checked_sums(folder: Path, note: FileNote, refused: Refused) -> NDArray[np.uint32]:
    digest, sums = _sums(folder / note.name)
    if digest != note.sha256:
        raise refused(note.changed(folder))
    return sums


def _sums(path: Path) -> tuple[str, NDArray[np.uint32]]:
    """Return the SHA-256 (hex) of a file and the sums of its blocks, from one reading."""
    digest, sums = hashlib.sha256(), [np.empty(0, np.uint32)]
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            digest.update(piece)
            sums.append(block_sums(piece))
    return digest.hexdigest(), np.concatenate(sums)


def _atom_offsets(folder: Path, places: Mapping[str, Place]) -> NDArray[np.int64]:
    place = places[f"{STRUCTURES}/n_atoms"]
    counts = np.memmap(folder / STRUCTURES, place.dtype, "r", place.offset, place.shape)
    return running_total(np.asarray(counts))
