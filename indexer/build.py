"""Build an index: stream the sources, prepare every record in workers, embed, group, publish."""

import contextlib
import importlib.metadata
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np

from indexer import prepare
from indexer.cluster import ClusterPool
from indexer.duplicates import group_duplicates
from indexer.plan import Plan
from indexer.pool import CrashProofPool, Pool
from indexer.prepare import Outcome, Task
from indexer.shards import Shard, shard_folder
from indexer.storage import EntryTable, Manifest
from indexer.storage.contents import Contents, flat_index, join_crystals
from indexer.storage.manifest import Broken, Counts, SourceNote
from indexer.storage.publish import publish
from indexer.storage.store import building
from models.embedder import Embedder
from xtal import settings
from xtal.errors import UserError
from xtal.physics import LineTable

Item = TypeVar("Item")
Progress = Callable[[str, int, int | None], None]
"""Called with the stage ("prepare", "embed"), the number of entries just finished, and how many there are if known."""

SHARD = 1000  # records per shard: some 10 s of work on one core, which is what an interruption costs at most
CHUNK = 16  # records per message to a worker: 0.2 s of work, so that no worker idles at the end
LISTED = 5  # reasons quoted when nothing could be used
DISTRIBUTIONS = ("xtalscout", "numpy", "gemmi", "faiss-cpu", "faiss-gpu", "duckdb")


def silent(stage: str, count: int, total: int | None) -> None:
    """Report progress to nobody."""


def build(
    plan: Plan, workers: int | None = None, progress: Progress = silent, scheduler: str | None = None
) -> Manifest:
    """Build and publish an index; an earlier build of the same name stays usable until the new one is whole.

    Args:
        plan: what to build.
        workers: number of processes, by default one per core.
        progress: is told of finished entries.
        scheduler: address of a Dask cluster that prepares the records in place of processes of this machine.

    Raises:
        UserError: no record of the sources is usable, another process builds the same index, the cluster does not
            answer or has other code, or this machine cannot do the work now.
    """
    with building(plan.name, plan.home):
        contents, broken, left_out = prepared(plan, workers, progress, scheduler)
        return publish(draft(plan, left_out), contents, broken, plan.home, plan.tier)


def prepared(
    plan: Plan, workers: int | None, progress: Progress, scheduler: str | None
) -> tuple[Contents, list[Broken], int]:
    """Prepare and embed all records of a plan, whose lock the caller holds; see `build`.

    Returns:
        The entries, the broken ones, and how many were left out as too large.
    """
    total = _Total() if progress is silent else _Total.of(plan)
    progress("prepare", 0, total.records)
    with _open_pool(workers, scheduler) as pool:
        paths = _prepared_shards(plan, pool, lambda n: progress("prepare", n, total.records))
    shards = [Shard.load(path) for path in paths]
    broken = [b for shard in shards for b in shard.broken]
    if not any(shard.ids for shard in shards):
        reasons = "; ".join(f"{b.id}: {b.reason}" for b in broken[:LISTED]) or "every entry is too large for it"
        raise UserError(f"no usable crystal in {', '.join(s.name for s in plan.sources)}: {reasons}")
    contents = _assemble([shard for shard in shards if shard.ids], plan.embedder, progress)
    return contents, broken, sum(shard.left_out for shard in shards)


def finished_records(plan: Plan) -> int:
    """Return how many records (about) an interrupted build of this plan has finished."""
    return SHARD * len(list(plan.folder.glob("shard-*")))


def _open_pool(workers: int | None, scheduler: str | None) -> Pool[Task, Outcome]:
    """Return the workers that prepare records."""
    if scheduler is None:
        return CrashProofPool(workers or settings.cores(), prepare.prepare, prepare.crashed, prepare.trouble)
    if workers is not None:
        raise UserError(
            f"workers ({workers}) are processes of this machine, but the scheduler {scheduler} has its own; "
            "give one or the other"
        )
    return ClusterPool(scheduler, prepare.prepare, prepare.crashed, prepare.trouble)


def _prepared_shards(plan: Plan, pool: Pool[Task, Outcome], done: Callable[[int], None]) -> list[Path]:
    """Make every shard that is not there yet; return all of them in order."""
    paths: list[Path] = []
    under_way: deque[_ShardUnderWay] = deque()

    def chunks() -> Iterator[list[Task]]:
        """Hand out the shards that no earlier run finished."""
        for number, tasks in enumerate(_batches(_tasks(plan), SHARD)):
            paths.append(shard_folder(plan.folder, number, tasks))
            if paths[-1].is_dir():
                done(len(tasks))
            else:
                under_way.append(_ShardUnderWay(paths[-1], len(tasks)))
                yield from _batches(tasks, CHUNK)

    for outcomes in pool.map(chunks()):
        done(len(outcomes))
        shard = under_way[0]
        shard.outcomes.extend(outcomes)
        if len(shard.outcomes) == shard.size:
            Shard.collect(shard.outcomes).save(shard.path)
            under_way.popleft()
    return paths


@dataclass(frozen=True)
class _ShardUnderWay:
    """A shard that waits for the outcomes of its `size` records."""

    path: Path
    size: int
    outcomes: list[Outcome] = field(default_factory=list)


@dataclass
class _Total:
    """Number of records of a plan, once it is known."""

    records: int | None = None

    @classmethod
    def of(cls, plan: Plan) -> "_Total":
        """Ask the databases; where one does not know, count in the background: reading 12,000 CIFs takes 4 s."""
        expected = [source.expected for source in plan.sources]
        known = [count for count in expected if count is not None]
        if len(known) == len(expected):
            return cls(sum(count if plan.limit is None else min(count, plan.limit) for count in known))
        total = cls()

        def count() -> None:
            """Read every record once."""
            with contextlib.suppress(UserError):  # the reading that matters reports it
                total.records = sum(1 for _ in _tasks(plan))

        threading.Thread(target=count, daemon=True).start()
        return total


def _tasks(plan: Plan) -> Iterator[Task]:
    """Yield the records of all sources; with several sources, ids get the source's name in front."""
    for source in plan.sources:
        prefix = f"{source.name}/" if plan.several else ""
        for record in islice(source.records(), plan.limit):
            yield Task(source, record, prefix + record.id)


def _assemble(shards: Sequence[Shard], embedder: Embedder, progress: Progress) -> Contents:
    """Join the shards, embed their crystals, and group the equal ones."""
    entries, vectors = [], []
    total = sum(len(s.ids) for s in shards)
    for shard in shards:
        crystals = [shard.crystals[row] for row in range(len(shard.ids))]
        entries.append(EntryTable.describe(shard.ids, crystals))
        vectors.append(embedder.embed_crystals(crystals, shard.lines))
        progress("embed", len(crystals), total)
    table = EntryTable.join(entries)
    lines = LineTable.join([s.lines for s in shards])
    return Contents(
        replace(table, group=group_duplicates(table, lines)),
        join_crystals([s.crystals for s in shards]),
        lines,
        flat_index(np.concatenate(vectors)),
    )


def draft(plan: Plan, left_out: int) -> Manifest:
    """Return the manifest as far as it is known before anything is written."""
    return Manifest(
        name=plan.name,
        build_id="",
        created="",
        embedder=plan.embedder.name,
        model_id=plan.embedder.model_id,
        dimension=plan.embedder.dimension,
        sources=tuple(SourceNote(s.name, s.source_id, s.citation, s.licence) for s in plan.sources),
        limit=plan.limit,
        counts=Counts(left_out=left_out),
        command=plan.command,
        versions=versions(),
    )


def versions() -> tuple[str, ...]:
    """Return "package version" lines of what computes the content of an index."""
    found = []
    for name in DISTRIBUTIONS:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):  # a source tree, or the other FAISS
            found.append(f"{name} {importlib.metadata.version(name)}")
    return tuple(found)


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Cut into lists of `size` items, the last one shorter."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch
