"""Shards: finished parts of a build, kept on disk so that an interrupted build goes on where it stopped.

A shard is named after its place in the build and the content of its records. Found again, it needs no other check.
"""

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from indexer.prepare import LeftOut, Outcome, Prepared, Task
from indexer.storage.contents import LINES, STRUCTURES, load_lines, save_crystals, save_lines
from indexer.storage.files import sync_folder, write_durably
from indexer.storage.manifest import Broken
from xtal.crystals import CrystalTable
from xtal.physics import LineTable

RECORDS = "records.json"


@dataclass(frozen=True, eq=False)
class Shard:
    """The outcome of a run of records: n entries with crystals and lines, the broken ones, the number left out."""

    ids: tuple[str, ...]
    crystals: CrystalTable
    lines: LineTable
    broken: tuple[Broken, ...]
    left_out: int

    @classmethod
    def collect(cls, outcomes: Sequence[Outcome]) -> "Shard":
        """Pack the outcomes of single records."""
        good = [o for o in outcomes if isinstance(o, Prepared)]
        return cls(
            tuple(p.id for p in good),
            CrystalTable.from_crystals([p.crystal for p in good]),
            LineTable.stack([p.lines for p in good]),
            tuple(o for o in outcomes if isinstance(o, Broken)),
            sum(isinstance(o, LeftOut) for o in outcomes),
        )

    def save(self, folder: Path) -> None:
        """Write the shard so that `folder` appears whole or not at all."""
        staging = folder.with_name(f".{folder.name}")
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir(parents=True)
        save_lines(staging / LINES, self.lines)
        save_crystals(staging / STRUCTURES, self.crystals)
        records = {"ids": self.ids, "broken": [asdict(b) for b in self.broken], "left_out": self.left_out}
        write_durably(staging / RECORDS, json.dumps(records).encode())
        staging.rename(folder)
        sync_folder(folder.parent)

    @classmethod
    def load(cls, folder: Path) -> "Shard":
        """Read a shard written by `save`."""
        records = json.loads((folder / RECORDS).read_bytes())
        broken = tuple(Broken(**raw) for raw in records["broken"])
        crystals = CrystalTable.load(folder / STRUCTURES)
        return cls(tuple(records["ids"]), crystals, load_lines(folder / LINES), broken, records["left_out"])


def shard_folder(folder: Path, number: int, tasks: Sequence[Task]) -> Path:
    """Return where the shard of these records lies: the name holds a digest of their ids and content."""
    digest = hashlib.sha256()
    for task in tasks:
        digest.update(f"{len(task.id)} {len(task.record.data)} {task.id}".encode())
        digest.update(task.record.data)
    return folder / f"shard-{number:05d}-{digest.hexdigest()[:16]}"
