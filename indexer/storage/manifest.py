"""The manifest of a build: what is in it, where it came from, and a digest of every file."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from indexer.storage.files import sha256
from indexer.storage.vectors import SearchNote
from xtal.console import spelled
from xtal.errors import UserError

THEN = " && "  # between the command lines of an index that takes several
FORMAT = 1  # raised when older code could misread the files


@dataclass(frozen=True)
class FileNote:
    """Name, SHA-256 (hex) and size in bytes of one file of a build."""

    name: str
    sha256: str
    size: int

    @classmethod
    def of(cls, path: Path) -> "FileNote":
        """Describe a file on disk."""
        return cls(path.name, sha256(path), path.stat().st_size)

    def problem(self, folder: Path, content: bool = True) -> str | None:
        """Say what is wrong with the file in a folder; its digest is checked if its `content` is asked for."""
        path = folder / self.name
        if not path.is_file():
            return f"{path} is missing"
        if (size := path.stat().st_size) != self.size:
            return f"{path} has {size} bytes instead of {self.size}"
        return self.changed(folder) if content and sha256(path) != self.sha256 else None

    def changed(self, folder: Path) -> str:
        """Say that the file in a folder has another digest."""
        return f"{folder / self.name} does not have the digest that manifest.json states"


@dataclass(frozen=True)
class SourceNote:
    """One source of crystals: its name, the identity of its content, and to whom credit is due."""

    name: str
    source_id: str
    citation: str
    licence: str


@dataclass(frozen=True)
class Counts:
    """Sizes of an index.

    Attributes:
        entries: crystals in the index.
        groups: different structures among them.
        broken: entries of the sources that could not be read.
        left_out: sound entries with more atoms than their source takes in.
    """

    entries: int = 0
    groups: int = 0
    broken: int = 0
    left_out: int = 0


@dataclass(frozen=True)
class Broken:
    """An entry of a source that could not be used, and why."""

    id: str
    reason: str


@dataclass(frozen=True)
class Manifest:
    """Everything known about a build without opening its data.

    Attributes:
        name: of the index.
        build_id: of this build.
        created: time of publication, ISO 8601, UTC.
        embedder: short name of the embedder, for example ``profile``.
        model_id: the embedder's `model_id`; patterns must be embedded by the same model.
        dimension: length of a vector.
        sources: where the crystals came from.
        limit: how many entries of each source were taken at most, or None.
        counts: sizes.
        command: command lines that build this index, without the embedder; "" when a program built it.
        versions: "package version" lines of what computed the content.
        files: digests of all other files of the build.
        search: how the vectors are searched.
        format: layout of the files, `FORMAT`.
    """

    name: str
    build_id: str
    created: str
    embedder: str
    model_id: str
    dimension: int
    sources: tuple[SourceNote, ...]
    limit: int | None
    counts: Counts
    command: str
    versions: tuple[str, ...]
    files: tuple[FileNote, ...] = ()
    search: SearchNote = field(default_factory=SearchNote)
    format: int = FORMAT

    def rebuild_command(self, embedder: str | None = None) -> str:
        """Return the command line that builds this index again, with another embedder when one is given."""
        command = self.command or f"{spelled('indexer build')} NAME --name {self.name}"
        steps = command.split(THEN)  # of an index that grew, only the first builds choose the model
        chosen = f" --embedder {embedder or self.embedder}"
        return THEN.join(step + chosen * (f"{spelled('indexer build')} " in step) for step in steps)

    def to_json(self) -> bytes:
        """Write the manifest as JSON text."""
        raw = asdict(self)
        if self.search == SearchNote():
            del raw["search"]  # as in indexes of versions that know of no other
        return (json.dumps(raw, indent=2, ensure_ascii=False) + "\n").encode()

    @classmethod
    def from_json(cls, data: bytes) -> "Manifest":
        """Read a manifest whose digest has been checked; UserError when another version of the program wrote it."""
        raw: dict[str, Any] = json.loads(data)
        if raw.get("format") != FORMAT:
            raise UserError(f"index format {raw.get('format')} is not supported, this version reads {FORMAT}")
        raw["sources"] = tuple(SourceNote(**s) for s in raw["sources"])
        raw["counts"] = Counts(**raw["counts"])
        raw["versions"] = tuple(raw["versions"])
        raw["files"] = tuple(FileNote(**f) for f in raw["files"])
        raw["search"] = SearchNote(**raw.get("search", {}))
        return cls(**raw)
