"""Stand-ins that the tests of the indexer share; a module of its own, so that worker processes can import it."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexer.plan import Plan
from indexer.storage import EntryTable, Manifest
from indexer.storage.contents import Contents, flat_index
from indexer.storage.manifest import Broken, Counts
from indexer.storage.publish import publish
from indexer.storage.store import building
from xtal.crystals import Crystal, CrystalTable, read_cif, write_cif
from xtal.errors import UserError
from xtal.physics import LineTable, crystal_lines
from xtal.sources import Record, TooManyAtomsError

ROCKSALT = [
    [0, 0, 0],
    [0.5, 0.5, 0],
    [0.5, 0, 0.5],
    [0, 0.5, 0.5],
    [0.5, 0, 0],
    [0, 0.5, 0],
    [0, 0, 0.5],
    [0.5, 0.5, 0.5],
]


def rocksalt(edge: float, cation: int, anion: int, name: str = "") -> Crystal:
    """The conventional cell of a rock salt."""
    return Crystal(edge * np.eye(3), ROCKSALT, [cation] * 4 + [anion] * 4, name=name)


SALTS = (
    rocksalt(5.640, 11, 17, "halite"),
    rocksalt(6.293, 19, 17, "sylvite"),
    rocksalt(4.212, 12, 8, "periclase"),
    rocksalt(4.811, 20, 8, "lime"),
    rocksalt(5.936, 82, 16, "galena"),
)
CIFS = tuple((salt.name, write_cif(salt).encode()) for salt in SALTS)


@dataclass(frozen=True)
class BinEmbedder:
    """A plain histogram of line positions: fast, and different for different crystals."""

    name: str = "bins"
    model_id: str = "b" * 64
    dimension: int = 64

    def embed_crystals(self, _crystals, lines):
        vectors = np.zeros((len(lines), self.dimension), np.float32)
        rows = np.repeat(np.arange(len(lines)), np.diff(lines.offsets))
        np.add.at(vectors, (rows, (lines.q * 10).astype(int) % self.dimension), np.sqrt(lines.intensity))
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@dataclass(frozen=True)
class ScriptedSource:
    """Records whose payload says what reading them does: a CIF is read, a word is obeyed."""

    payloads: tuple[tuple[str, bytes], ...]
    name: str = "scripted"
    source_id: str = "scripted:1"
    citation: str = "nobody"
    licence: str = "CC0"
    expected: int | None = None

    def records(self) -> Iterator[Record]:
        for id_, payload in self.payloads:
            yield Record(id_, payload)

    def read(self, record: Record) -> Crystal:
        if record.data == b"crash":
            os.abort()
        if record.data == b"hang":
            time.sleep(60)
        while record.data == b"loop":
            pass
        if record.data.startswith(b"memory ") and Path(record.data[7:].decode()).exists():
            raise MemoryError
        if record.data == b"large":
            raise TooManyAtomsError("too many atoms")
        if record.data == b"broken":
            raise UserError("no cell")
        return read_cif(CIFS[0][1] if record.data.startswith(b"memory ") else record.data, record.id)


def scripted_plan(home: Path, *payloads: tuple[str, bytes], **changes: str) -> Plan:
    """A plan of one index, `mine`."""
    return Plan("mine", (ScriptedSource(payloads, **changes),), BinEmbedder(), home=home)


def publish_salts(
    home: Path, name: str = "salts", crystals: tuple[Crystal, ...] = SALTS, tier: str | None = None
) -> Manifest:
    """Publish a small index without worker processes."""
    lines = LineTable.stack([crystal_lines(c) for c in crystals])
    embedder = BinEmbedder()
    contents = Contents(
        EntryTable.describe([c.name for c in crystals], crystals),
        CrystalTable.from_crystals(crystals),
        lines,
        flat_index(embedder.embed_crystals(crystals, lines)),
    )
    draft = Manifest(name, "", "", "bins", embedder.model_id, embedder.dimension, (), None, Counts(), "", ())
    with building(name, home):
        return publish(draft, contents, [Broken("x", "no cell")], home, tier)
