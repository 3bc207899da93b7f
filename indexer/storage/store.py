"""Published indexes: open, check, list and remove them."""

import contextlib
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from indexer.storage import folders
from indexer.storage.contents import BROKEN, Contents, read_broken
from indexer.storage.entries import Entries
from indexer.storage.files import discard, exclusive, reading, sha256
from indexer.storage.folders import Current, DamagedIndexError
from indexer.storage.joined import join, split
from indexer.storage.manifest import Broken, Manifest
from indexer.storage.seal import open_sealed
from indexer.storage.vectors import FlatVectors
from models.embedder import Embedder
from xtal.crystals import Crystal
from xtal.errors import UserError
from xtal.physics import LineRows

MANIFEST = "manifest.json"
Read = TypeVar("Read")


@dataclass(frozen=True, eq=False)
class Index:
    """An opened index; its files stay readable for it when a rebuild or removal takes their names away.

    Row i of `entries`, `lines`, `vectors` and `crystal(i)` belong together.
    """

    manifest: Manifest
    contents: Contents

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self.entries)

    @property
    def entries(self) -> Entries:
        """Properties of the entries by column."""
        return self.contents.entries

    @property
    def lines(self) -> LineRows:
        """Computed lines of the entries."""
        return self.contents.lines

    @property
    def vectors(self) -> FlatVectors:
        """The entries' unit vectors, searched by inner product."""
        return self.contents.vectors

    def take(self, rows: NDArray[np.integer]) -> "Index":
        """Return an index of the chosen rows, in memory only: for benchmarks with a smaller gallery."""
        return Index(self.manifest, self.contents.take(rows))

    def crystal(self, row: int) -> Crystal:
        """Return the primitive crystal of one entry."""
        return self.contents.crystals[row]

    def row_of(self, id_: str) -> int:
        """Return the row of an id; UserError when the index has no such entry."""
        row = self.entries.row_of(id_)
        if row is None:
            raise UserError(f"index {self.manifest.name!r} has no entry {id_!r}")
        return row


@dataclass(frozen=True)
class Verification:
    """What was found in the checked `files` of a published index; nothing is wrong when `problems` is empty."""

    name: str
    files: int
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Listing:
    """The published indexes, sorted by name, and what is wrong with those that cannot be read."""

    manifests: tuple[Manifest, ...]
    problems: tuple[str, ...]


def open_index(name: str, home: Path | None = None, embedder: Embedder | None = None) -> Index:
    """Open a published index; every file is compared with its digest unless that was done and it has not changed since.

    Args:
        name: of the index; several names with a "+" between them are opened as one.
        home: folder of indexes and caches, by default the setting ``XTALSCOUT_HOME``.
        embedder: what will embed the patterns; its model must be the one the index was built with.

    Raises:
        UserError: there is no such index, a file is damaged or missing, or the models differ.
    """
    if len(names := split(name)) > 1:
        parts = [open_index(part, home, embedder) for part in names]
        return Index(*join([(part.manifest, part.contents) for part in parts]))
    name = names[0]
    index = _of_current(name, home, lambda current: load_build(name, current, home))
    if embedder is not None and embedder.model_id != index.manifest.model_id:
        raise UserError(
            f"index {name!r} was built with model {index.manifest.embedder} ({index.manifest.model_id[:12]}), "
            f"but {embedder.name} ({embedder.model_id[:12]}) is in use. "
            f"Rebuild it: {index.manifest.rebuild_command(embedder.name)}"
        )
    return index


def read_manifest(name: str, home: Path | None = None) -> Manifest:
    """Read the checked manifest of a published index without its data."""
    return _of_current(name, home, lambda current: _manifest(name, current, home))


def broken_entries(name: str, home: Path | None = None) -> list[Broken]:
    """Return the entries of the sources that the index could not use, with reasons."""

    def read(current: Current) -> list[Broken]:
        """Read those of one build."""
        manifest = _manifest(name, current, home)
        folder = folders.index_folder(name, home) / current.build_id
        for note in manifest.files:
            if note.name == BROKEN and (problem := note.problem(folder)):
                raise folders.damaged(name, problem)
        return read_broken(folder)

    return _of_current(name, home, read)


def list_indexes(home: Path | None = None) -> Listing:
    """Read the manifests of all published indexes; one that cannot be read does not hide the others."""
    manifests, problems = [], []
    for name in folders.built_names(home):
        try:
            manifests.append(read_manifest(name, home))
        except UserError as error:
            problems.append(str(error))
    return Listing(tuple(manifests), tuple(problems))


def verify(name: str, home: Path | None = None) -> Verification:
    """Check every file of a published index and report all problems at once."""
    try:
        manifest = read_manifest(name, home)
    except DamagedIndexError as error:
        return Verification(name, 0, (str(error),))
    folder = folders.index_folder(name, home) / manifest.build_id
    problems = [p for note in manifest.files if (p := note.problem(folder))]
    return Verification(name, len(manifest.files) + 2, tuple(problems))


def remove(name: str, home: Path | None = None) -> None:
    """Remove an index and whatever an interrupted build left; UserError when there is nothing or a build is running."""
    folder = folders.index_folder(name, home)
    if not folder.is_dir():
        folders.read_current(name, home)  # says what is missing
    with building(name, home):
        (folder / "current").unlink(missing_ok=True)
        for part in folder.iterdir():
            if part.is_dir():
                discard(part)
        shutil.rmtree(folder)


@contextlib.contextmanager
def building(name: str, home: Path | None = None) -> Iterator[None]:
    """Hold the right to change an index; UserError when another process is building or removing it."""
    with exclusive(folders.lock_path(name, home), f"index {name!r} is being built or removed by another process"):
        yield


def load_build(name: str, current: Current, home: Path | None = None) -> Index:
    """Check and read one build of an index, which stays on disk meanwhile; see `publish`.

    Raises:
        DamagedIndexError: it is not as it was written.
    """
    manifest = _manifest(name, current, home)
    folder = folders.index_folder(name, home) / current.build_id
    with reading(folder / MANIFEST):
        refused = partial(folders.damaged, name)
        return Index(manifest, open_sealed(folder, manifest, current.manifest_sha256, refused))


def _of_current(name: str, home: Path | None, read: Callable[[Current], Read]) -> Read:
    """Return what `read` makes of the published build; of the newer one where another was published meanwhile.

    A reader that found the name of a build just before it was removed meets all kinds of trouble.
    """
    current = folders.read_current(name, home)
    while True:
        try:
            return read(current)
        except (UserError, OSError, ValueError) as error:
            latest = folders.read_current(name, home)
            if latest == current:
                raise error if isinstance(error, UserError) else folders.damaged(name, str(error)) from error
            current = latest


def _manifest(name: str, current: Current, home: Path | None) -> Manifest:
    path = folders.index_folder(name, home) / current.build_id / MANIFEST
    if not path.is_file():
        raise folders.damaged(name, f"'current' names build {current.build_id}, but {path} is missing")
    if sha256(path) != current.manifest_sha256:
        raise folders.damaged(name, f"{path} does not have the digest that 'current' beside it states")
    return Manifest.from_json(path.read_bytes())
