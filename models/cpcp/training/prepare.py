"""From databases of crystals to the set that training uses, kept on disk so that a second run starts at once."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from models.cpcp.training.dataset import CrystalSet
from xtal.crystals import Crystal, primitive
from xtal.errors import UserError
from xtal.sources import Source, open_source

VERSION = 1  # raise it when what is computed changes


def prepare(sources: Sequence[str], folder: Path, limit: int | None = None) -> tuple[Path, list[int]]:
    """Compute the crystals of several sources, in order, and join them.

    Args:
        sources: names that `xtal.sources.open_source` understands; the first one is the gallery of validation.
        folder: receives one file per source and the joined file; what is there already is used again.
        limit: take only so many entries of each source.

    Returns:
        The joined file, and how many crystals each source gave.

    Raises:
        UserError: a source cannot be opened or holds no usable crystal.
    """
    folder.mkdir(parents=True, exist_ok=True)
    opened = [open_source(name) for name in sources]
    paths = [folder / f"{source.name}-{_key(source, limit)}.npz" for source in opened]
    for source, path in zip(opened, paths, strict=True):
        if not path.exists():
            CrystalSet.compute(_crystals(source, limit)).save(path)
    joined = folder / f"joined-{hashlib.sha256(' '.join(p.name for p in paths).encode()).hexdigest()[:12]}.npz"
    sets = [CrystalSet.load(path) for path in paths]
    for source, one in zip(opened, sets, strict=True):
        if not len(one):
            raise UserError(f"source '{source.name}' holds no usable crystal")
    if not joined.exists():
        CrystalSet.join(sets).save(joined)
    return joined, [len(one) for one in sets]


def _crystals(source: Source, limit: int | None) -> Iterator[tuple[str, Crystal]]:
    """Yield the readable crystals of a source in their primitive cells, as an index keeps them."""
    for count, record in enumerate(source.records()):
        if limit is not None and count >= limit:
            return
        try:
            yield record.id, primitive(source.read(record))
        except UserError:  # broken entries are the index's business to report
            continue


def _key(source: Source, limit: int | None) -> str:
    text = f"{source.source_id} {limit} {VERSION}"
    return hashlib.sha256(text.encode()).hexdigest()[:12]
