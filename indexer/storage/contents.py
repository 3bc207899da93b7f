"""The data files of one build, written and read together."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.storage.entries import EntryTable, read_entries, write_entries
from indexer.storage.files import replacing, write_durably
from indexer.storage.manifest import Broken
from xtal.crystals import CrystalTable
from xtal.physics import LineTable

VECTORS, ENTRIES, LINES, STRUCTURES = "vectors.faiss", "entries.parquet", "lines.npz", "structures.npz"
BROKEN = "broken.json"
DATA_FILES = (VECTORS, ENTRIES, LINES, STRUCTURES, BROKEN)


@dataclass(frozen=True, eq=False)
class Contents:
    """S entries and everything that belongs to them, row by row; `vectors` is a FAISS index of inner products."""

    entries: EntryTable
    crystals: CrystalTable
    lines: LineTable
    vectors: Any

    def __post_init__(self) -> None:
        """Raise ValueError when the parts do not have the same number of rows."""
        sizes = len(self.entries), len(self.crystals), len(self.lines), self.vectors.ntotal
        if len(set(sizes)) != 1:
            raise ValueError(f"entries, crystals, lines and vectors must have equally many rows, got {sizes}")
        if len(self.entries.rows) != len(self.entries):
            raise ValueError("the ids of an index must be unique; a source repeats some")

    def take(self, rows: NDArray[np.integer]) -> "Contents":
        """Return the contents of the chosen rows, in memory only."""
        vectors = self.vectors.reconstruct_batch(np.asarray(rows, dtype=np.int64))
        return Contents(self.entries.take(rows), self.crystals.take(rows), self.lines.take(rows), flat_index(vectors))

    def write(self, folder: Path, broken: Sequence[Broken]) -> None:
        """Write every data file of a build."""
        import faiss

        # faiss.write_index returns normally on a full disk and leaves a truncated file, so Python writes the bytes
        write_durably(folder / VECTORS, faiss.serialize_index(self.vectors).data)
        write_entries(folder / ENTRIES, self.entries)
        save_lines(folder / LINES, self.lines)
        save_crystals(folder / STRUCTURES, self.crystals)
        text = json.dumps([asdict(b) for b in broken], indent=1, ensure_ascii=False)
        write_durably(folder / BROKEN, text.encode())

    @classmethod
    def read(cls, folder: Path) -> "Contents":
        """Read the data files of a build whose digests have been checked."""
        import faiss

        return cls(
            read_entries(folder / ENTRIES),
            CrystalTable.load(folder / STRUCTURES),
            load_lines(folder / LINES),
            faiss.read_index(str(folder / VECTORS)),
        )


def read_broken(folder: Path) -> list[Broken]:
    """Read which entries of the sources could not be used."""
    return [Broken(**raw) for raw in json.loads((folder / BROKEN).read_bytes())]


def flat_index(vectors: NDArray[np.float32]) -> Any:
    """Return an exact FAISS index of (S, D) unit vectors, searched by inner product."""
    import faiss

    if not np.isfinite(vectors).all():
        raise ValueError("the embedder returned vectors that are not finite")
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors, dtype=np.float32))
    return index


def save_lines(path: Path, lines: LineTable) -> None:
    """Write computed lines as an uncompressed npz: they hardly compress and are read at every opening."""
    with replacing(path) as file:
        np.savez(file, **vars(lines))


def save_crystals(path: Path, crystals: CrystalTable) -> None:
    """Write crystals as an uncompressed npz, whole or not at all."""
    with replacing(path) as file:
        crystals.save(file)


def join_crystals(tables: Sequence[CrystalTable]) -> CrystalTable:
    """Put tables of crystals one below the other."""
    mixed = [np.ones(len(t.numbers), np.float32) if t.occupancies is None else t.occupancies for t in tables]
    return CrystalTable(
        np.concatenate([t.names for t in tables]),
        np.concatenate([t.lattice for t in tables]),
        np.concatenate([[0], np.cumsum(np.concatenate([t.n_atoms for t in tables]))]).astype(np.int64),
        np.concatenate([t.numbers for t in tables]),
        np.concatenate([t.frac for t in tables]),
        None if all(t.occupancies is None for t in tables) else np.concatenate(mixed),
    )


def load_lines(path: Path) -> LineTable:
    """Read a table written by `save_lines`."""
    with np.load(path, allow_pickle=False) as arrays:
        return LineTable(**arrays)
