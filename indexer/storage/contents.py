"""The data files of one build, written and read together."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.storage.entries import Entries, EntryTable, write_entries
from indexer.storage.files import replacing, write_durably
from indexer.storage.manifest import Broken
from indexer.storage.stored import CrystalRows
from indexer.storage.vectors import FlatVectors
from xtal.crystals import CrystalTable
from xtal.physics import LineRows, LineTable

VECTORS, ENTRIES, LINES, STRUCTURES = "vectors.faiss", "entries.parquet", "lines.npz", "structures.npz"
BROKEN = "broken.json"
DATA_FILES = (VECTORS, ENTRIES, LINES, STRUCTURES, BROKEN)


@dataclass(frozen=True, eq=False)
class Contents:
    """S entries and everything that belongs to them, row by row: in memory, on disk, or of several indexes."""

    entries: Entries
    crystals: CrystalRows
    lines: LineRows
    vectors: FlatVectors

    def __post_init__(self) -> None:
        """Raise ValueError when the parts do not have the same number of rows."""
        sizes = len(self.entries), len(self.crystals), len(self.lines), len(self.vectors)
        if len(set(sizes)) != 1:
            raise ValueError(f"entries, crystals, lines and vectors must have equally many rows, got {sizes}")

    def take(self, rows: NDArray[np.integer]) -> "Contents":
        """Return the contents of the chosen rows, in memory only."""
        vectors = self.vectors.reconstruct_batch(np.asarray(rows, dtype=np.int64))
        return Contents(self.entries.take(rows), self.crystals.take(rows), self.lines.take(rows), flat_index(vectors))

    def write(self, folder: Path, broken: Sequence[Broken]) -> None:
        """Write every data file of a build, which must fit into memory.

        Raises:
            ValueError: ids repeat.
        """
        import faiss

        entries, crystals, lines, vectors = self._loaded()
        if len(set(entries.ids)) != len(entries):
            raise ValueError("the ids of an index must be unique; a source repeats some")
        flat = faiss.IndexFlatIP(vectors.shape[1])
        flat.add(vectors)
        # faiss.write_index returns normally on a full disk and leaves a truncated file, so Python writes the bytes
        write_durably(folder / VECTORS, faiss.serialize_index(flat).data)
        write_entries(folder / ENTRIES, entries)
        save_lines(folder / LINES, lines)
        save_crystals(folder / STRUCTURES, crystals)
        text = json.dumps([asdict(b) for b in broken], indent=1, ensure_ascii=False)
        write_durably(folder / BROKEN, text.encode())

    def _loaded(self) -> tuple[EntryTable, CrystalTable, LineTable, NDArray[np.float32]]:
        """Return everything as it is in memory."""
        rows = np.arange(len(self.entries))
        return (
            self.entries if isinstance(self.entries, EntryTable) else self.entries.take(rows),
            self.crystals if isinstance(self.crystals, CrystalTable) else self.crystals.take(rows),
            self.lines if isinstance(self.lines, LineTable) else self.lines.take(rows),
            self.vectors.reconstruct_n(0, len(rows)),
        )


def read_broken(folder: Path) -> list[Broken]:
    """Read which entries of the sources could not be used."""
    return [Broken(**raw) for raw in json.loads((folder / BROKEN).read_bytes())]


def flat_index(vectors: NDArray[np.float32]) -> FlatVectors:
    """Return (S, D) unit vectors ready to be searched; ValueError when they are not finite."""
    if not np.isfinite(vectors).all():
        raise ValueError("the embedder returned vectors that are not finite")
    return FlatVectors([np.ascontiguousarray(vectors, dtype=np.float32)])


def save_lines(path: Path, lines: LineTable) -> None:
    """Write computed lines as an uncompressed npz: they hardly compress and are read at every opening."""
    with replacing(path) as file:
        arrays: dict[str, Any] = {name: np.ascontiguousarray(array) for name, array in vars(lines).items()}
        np.savez(file, **arrays)


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
