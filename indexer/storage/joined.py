"""Several indexes searched as one: ``coremof2019-asr+lab``."""

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.storage.contents import Contents, flat_index, join_crystals
from indexer.storage.entries import EntryTable
from indexer.storage.manifest import Counts, Manifest
from xtal.physics import LineTable

JOINT = "+"  # between the names of indexes; no name may hold it


def split(names: str) -> list[str]:
    """Return the names of the indexes that are to be searched as one, each once."""
    return list(dict.fromkeys(part.strip() for part in names.split(JOINT)))


def join(parts: Sequence[tuple[Manifest, Contents]]) -> tuple[Manifest, Contents]:
    """Put indexes one below the other, in memory; an id that several hold gets its index's name in front."""
    contents = [one for _, one in parts]
    tables = [one.entries for one in contents]
    columns: dict[str, Any] = {f.name: np.concatenate([getattr(t, f.name) for t in tables]) for f in fields(EntryTable)}
    first = np.cumsum([0, *(int(t.group.max()) + 1 for t in tables)])
    groups = [table.group + number for table, number in zip(tables, first, strict=False)]
    entries = EntryTable(**{**columns, "ids": _distinct(parts), "group": np.concatenate(groups).astype(np.int32)})
    joined = Contents(
        entries,
        join_crystals([one.crystals for one in contents]),
        LineTable.join([one.lines for one in contents]),
        flat_index(np.concatenate([one.vectors.reconstruct_n(0, len(one.entries)) for one in contents])),
    )
    return _manifest([manifest for manifest, _ in parts]), joined


def _distinct(parts: Sequence[tuple[Manifest, Contents]]) -> NDArray[np.object_]:
    """Return (S,) ids that are unique among all indexes."""
    ids = np.concatenate([one.entries.ids for _, one in parts])
    owner = np.repeat([manifest.name for manifest, _ in parts], [len(one.entries) for _, one in parts])
    _, which, count = np.unique(ids.astype(np.str_), return_inverse=True, return_counts=True)
    for row in np.flatnonzero(count[which] > 1).tolist():
        ids[row] = f"{owner[row]}/{ids[row]}"
    return ids


def _manifest(manifests: Sequence[Manifest]) -> Manifest:
    """Describe what was joined."""
    counts = [m.counts for m in manifests]
    return replace(
        manifests[0],
        name=JOINT.join(m.name for m in manifests),
        build_id=JOINT.join(m.build_id for m in manifests),
        sources=tuple(source for m in manifests for source in m.sources),
        counts=Counts(*(sum(getattr(c, f.name) for c in counts) for f in fields(Counts))),
        files=(),
    )
