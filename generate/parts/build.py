"""Making a library of parts from databases of crystals."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import TypeVar

import numpy as np

from generate.parts.chemistry import measured
from generate.parts.conformers import conformers, mirrored
from generate.parts.library import Kind, Library, Role, with_images
from generate.parts.prior import metal_charges
from generate.parts.survey import Sight, Survey, survey
from indexer.pool import CrashProofPool
from indexer.prepare import NONSENSE, TIME_LIMIT
from indexer.time_limit import time_limit
from models.cpcp.training.dataset import split_of
from xtal.crystals import primitive
from xtal.crystals.linkers import CARBON, METALS
from xtal.crystals.parts import Part, charge, graph_of, smiles
from xtal.errors import UserError
from xtal.settings import cores
from xtal.sources import Record, Source, open_source

Item = TypeVar("Item")
CHUNK = 32  # records per message to a worker
KEPT = 12  # instances of a kind, drawn at random, from which its conformers are chosen
Progress = Callable[[str, int, int | None], None]


@dataclass(frozen=True, eq=False)
class Task:
    """One record to look into; crystals of another split are left out."""

    source: Source
    record: Record
    split: str | None


def build(
    sources: Sequence[str], split: str | None = None, workers: int | None = None, progress: Progress = lambda *_: None
) -> Library:
    """Look into every ordered crystal of the sources and collect its parts.

    Args:
        sources: names, as for an index.
        split: "train", "val" or "test": only crystals of it, see `split_of`.
        workers: number of processes, by default one per core.
        progress: is told of finished crystals and kinds.

    Raises:
        UserError: a source cannot be opened, or nothing of it is usable.
    """
    opened = [open_source(name) for name in sources]
    tasks = (Task(source, record, split) for source in opened for record in source.records())
    surveys = []
    with CrashProofPool(workers or cores(), surveyed, _nothing) as pool:
        for results in pool.map(_batches(tasks)):
            surveys += [result for result in results if result is not None]
            progress("look into crystals", len(results), None)
        if not surveys:
            raise UserError(f"no ordered crystal without endless parts in {', '.join(sources)}, split {split or 'all'}")
    about = "; ".join(f"{source.name} ({source.licence}): {source.citation}" for source in opened)
    return gathered(surveys, about + (f"; split {split}" if split else ""), workers, progress)


def surveyed(task: Task) -> Survey | None:
    """Look into one record; None where it is broken, disordered, endless or of another split."""
    try:
        with time_limit(TIME_LIMIT):
            crystal = primitive(task.source.read(task.record))
            if (crystal.occupancies < 1).any() or task.split not in (None, split_of(crystal.reduced_formula)):
                return None
            return survey(crystal)
    except NONSENSE:  # broken entries are the index's business to report
        return None


def gathered(
    surveys: Iterable[Survey], about: str, workers: int | None = 1, progress: Progress = lambda *_: None
) -> Library:
    """Make a library of what was seen in crystals."""
    surveys = list(surveys)
    sights = defaultdict(list)
    for one in surveys:
        for sight in one.sights:
            sights[sight.graph].append(sight)
    ordered = sorted(sights, key=lambda graph: (-len(sights[graph]), graph))
    groups: list[list[Sequence[Sight]]] = [[sights[graph] for graph in some] for some in _batches(ordered)]
    kinds: list[Kind] = []
    if workers == 1:
        kinds += [kind_of(seen) for group in groups for seen in group]
    else:
        with CrashProofPool(workers or cores(), kind_of, partial(kind_of, plain=True)) as pool:
            for found in pool.map(groups):
                kinds += found
                progress("choose conformers", len(found), len(ordered))
    row = {kind.key: at for at, kind in enumerate(kinds)}
    held = [(row[sight.graph], sight.number) for one in surveys for sight in one.sights]
    offsets = np.concatenate([[0], np.cumsum([len(one.sights) for one in surveys])]).astype(np.int64)
    rows, number = np.array(held, dtype=np.int64).reshape(-1, 2).T
    observed = (np.concatenate([getattr(s, name) for s in surveys]) for name in ("bonds", "coordination", "contacts"))
    library = Library(tuple(kinds), offsets, rows, number, measured(*observed), about)
    return replace(library, kinds=_with_charges_of_metals(library))


def kind_of(seen: Sequence[Sight], plain: bool = False) -> Kind:
    """Describe one kind of part from where it was seen; `plain`: without what may fail, one shape only."""
    rng = np.random.default_rng(len(seen))
    parts = [seen[at].part for at in rng.permutation(len(seen))[:KEPT]]
    shapes = parts[:1] if plain else conformers(parts)
    ties = float(np.mean([sight.ties for sight in seen]))
    chiral = [not plain and mirrored(part) is not None for part in shapes]
    first = shapes[0]
    known = (None, "") if plain else (charge(first), smiles(first))
    key = graph_of(first.key)
    return Kind(key, with_images(shapes, chiral), len(seen), *known, role_of(first, ties), ties, len(shapes))


def role_of(part: Part, ties: float) -> Role:
    """Say what a part is, given how many bonds it usually has to others."""
    if METALS[part.numbers].any():
        return "metal" if len(part) == 1 else "node"
    if (part.numbers != CARBON).all():
        return "inorganic"
    return "linker" if ties >= 0.5 else "organic"


def _with_charges_of_metals(library: Library) -> tuple[Kind, ...]:
    """Give metals and nodes the charge that most often makes the crystals neutral in which they are the only ones."""
    metal = np.array([METALS[kind.numbers].any() for kind in library.kinds], dtype=bool)
    votes = metal_charges(library, metal, np.array([kind.charge or 0 for kind in library.kinds]))
    return tuple(
        replace(kind, charge=votes[row].most_common(1)[0][0]) if row in votes else kind
        for row, kind in enumerate(library.kinds)
    )


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Cut items into chunks for the workers."""
    left = iter(items)
    while chunk := list(islice(left, CHUNK)):
        yield chunk


def _nothing(_task: Task) -> None:
    """Stand for a record that ended its worker process."""
