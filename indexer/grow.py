"""Indexes made of published ones: new sources added, or several put together, without doing their work again."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from indexer.build import Progress, draft, prepared, silent, versions
from indexer.duplicates import group_duplicates
from indexer.plan import Plan
from indexer.storage import Manifest, open_index
from indexer.storage.contents import Contents
from indexer.storage.joined import join
from indexer.storage.manifest import THEN, Broken
from indexer.storage.publish import publish
from indexer.storage.store import broken_entries, building
from xtal.console import spelled
from xtal.errors import UserError


def add(plan: Plan, workers: int | None = None, progress: Progress = silent, scheduler: str | None = None) -> Manifest:
    """Add the sources of a plan to the published index of its name; that stays usable until the new one is whole.

    Entries keep their ids; new ones have their source's name in front, as in an index of several sources.

    Raises:
        UserError: there is no such index, it holds one of the sources, its model is another, or as `build`.
    """
    with building(plan.name, plan.home):
        old = open_index(plan.name, plan.home, plan.embedder)
        if twice := {s.name for s in plan.sources} & {s.name for s in old.manifest.sources}:
            raise UserError(
                f"index {plan.name!r} already holds {', '.join(sorted(twice))}; build it anew: "
                f"{old.manifest.rebuild_command()}"
            )
        new, broken, left_out = prepared(plan, workers, progress, scheduler)
        every = [*broken_entries(plan.name, plan.home), *broken]
        parts = [(old.manifest, old.contents), (draft(plan, left_out), new)]
        command = THEN.join(filter(None, (old.manifest.command, plan.command)))
        return _published(parts, every, plan.name, plan.home, command, plan.tier)


def merge(names: Sequence[str], name: str, home: Path | None = None, tier: str | None = None) -> Manifest:
    """Put published indexes together as one more; an id that several hold gets its index's name in front.

    Raises:
        UserError: fewer than two indexes, one that is missing or damaged, or other models.
    """
    if len(set(names)) < 2 or name in names:
        raise UserError(f"merging takes two or more indexes and a new name, got {', '.join(names)} and {name}")
    with building(name, home):
        parts = [open_index(one, home) for one in names]
        models = {part.manifest.model_id: part.manifest for part in parts}
        if len(models) > 1:
            said = ", ".join(f"{m.name}: {m.embedder} ({m.model_id[:12]})" for m in models.values())
            raise UserError(f"indexes of several models cannot be merged ({said}); build them with one model")
        broken = [one for part in names for one in broken_entries(part, home)]
        options = ["--name", name, *(("--tier", tier) if tier else ())]
        own = f"{spelled('indexer merge')} {shlex.join([*names, *options])}"
        command = THEN.join([*(part.manifest.command for part in parts if part.manifest.command), own])
        return _published([(part.manifest, part.contents) for part in parts], broken, name, home, command, tier)


def _published(
    parts: Sequence[tuple[Manifest, Contents]],
    broken: Sequence[Broken],
    name: str,
    home: Path | None,
    command: str,
    tier: str | None,
) -> Manifest:
    """Publish the parts as one index of this name, in which equal structures are found anew."""
    manifest, contents = join(parts)
    rows = np.arange(len(contents.entries))
    entries, lines = contents.entries.take(rows), contents.lines.take(rows)
    grouped = replace(contents, entries=replace(entries, group=group_duplicates(entries, lines)), lines=lines)
    return publish(replace(manifest, name=name, command=command, versions=versions()), grouped, broken, home, tier)
