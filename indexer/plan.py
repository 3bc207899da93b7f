"""What is to be built: sources, embedder and name."""

import hashlib
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.proof import proof
from indexer.storage import folders
from indexer.storage.manifest import FORMAT
from models.embedder import Embedder
from xtal.console import spelled
from xtal.errors import UserError
from xtal.sources import Source, open_source
from xtal.sources.hmof import MOST_ATOMS


@dataclass(frozen=True)
class Plan:
    """What goes into an index; with the same plan, an interrupted build goes on.

    Attributes:
        name: of the index.
        sources: read in this order.
        embedder: makes the vectors.
        limit: take at most so many records of each source.
        home: folder of indexes and caches, by default the setting ``XTALSCOUT_HOME``.
        command: command line that builds this index, without the embedder; "" when a program builds it.
        beside: whether the index holds other sources already.
        tier: how the index is to be searched, see `indexer.storage.vectors.Tier`; as suits its size when None.
    """

    name: str
    sources: tuple[Source, ...]
    embedder: Embedder
    limit: int | None = None
    home: Path | None = None
    command: str = ""
    beside: bool = False
    tier: str | None = None

    def __post_init__(self) -> None:
        """Raise UserError on a plan that cannot be carried out."""
        folders.check_name(self.name)
        names = [source.name for source in self.sources]
        if not names or len(set(names)) < len(names):
            raise UserError(
                f"an index needs one or more sources with different names, got {', '.join(names) or 'none'}"
            )
        if self.limit is not None and self.limit < 1:
            raise UserError(f"limit must be at least 1, got {self.limit}")

    @property
    def several(self) -> bool:
        """Whether ids get the name of their source in front."""
        return self.beside or len(self.sources) > 1

    @property
    def folder(self) -> Path:
        """Where the finished parts of this build are kept until it is published; parts of other code lie elsewhere."""
        sources = [source.source_id for source in self.sources]
        facts = [*sources, self.embedder.model_id, str(self.limit), str(FORMAT), proof(), str(self.beside)]
        key = hashlib.sha256("\0".join(facts).encode()).hexdigest()[:12]
        return folders.index_folder(self.name, self.home) / f".building-{key}"


def open_plan(
    specs: Sequence[str],
    embedder: Embedder,
    name: str | None = None,
    path: Path | None = None,
    limit: int | None = None,
    home: Path | None = None,
    tier: str | None = None,
) -> Plan:
    """Make a plan from names of databases, see `xtal.sources.NAMES`.

    Args:
        specs: names of databases.
        embedder: makes the vectors.
        name: of the index; the names of the sources joined when None.
        path: files of a database that does not come with a package.
        limit: take at most so many records of each source.
        home: folder of indexes and caches.
        tier: how the index is to be searched; as suits its size when None.

    Raises:
        UserError: an unknown database, or one whose files are missing.
    """
    takers = [
        spec for spec in specs if spec in MOST_ATOMS
    ] or specs  # with no taker, open_source says what takes a path
    sources = tuple(open_source(spec, path if spec in takers else None) for spec in specs)
    name = name or "_".join(re.sub(r"[^A-Za-z0-9.-]+", "-", source.name).strip("-.") for source in sources)
    options = ["--name", name, *(("--source", str(path)) if path else ()), *(("--limit", str(limit)) if limit else ())]
    options += ["--tier", tier] if tier else []
    command = f"{spelled('indexer build')} {shlex.join([*specs, *options])}"
    return Plan(name, sources, embedder, limit, home, command, tier=tier)


def open_addition(
    name: str, specs: Sequence[str], embedder: Embedder, path: Path | None = None, tier: str | None = None
) -> Plan:
    """Make a plan of sources for an index that is there; see `open_plan`."""
    plan = open_plan(specs, embedder, name, path, tier=tier)
    more = shlex.join([name, *specs, *(("--source", str(path)) if path else ()), *(("--tier", tier) if tier else ())])
    return replace(plan, beside=True, command=f"{spelled('indexer add')} {more}")
