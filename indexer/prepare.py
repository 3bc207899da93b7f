"""What a worker does with one record: read it, reduce it to the primitive cell, compute its lines."""

from dataclasses import dataclass, replace

from indexer.pool import ItemTimeoutError, time_limit
from indexer.storage.manifest import Broken
from xtal.crystals import Crystal, primitive
from xtal.errors import UserError
from xtal.patterns import Lines
from xtal.physics import crystal_lines
from xtal.sources import Record, Source, TooManyAtomsError

TIME_LIMIT = 60.0  # seconds; a thousand times what a MOF takes
LONGEST_REASON = 300  # characters: a parser may quote the whole file

# What reading and computing raise on nonsense input. A TypeError or AttributeError would be a defect of ours: it ends
# the build instead of being counted as a broken entry.
NONSENSE = (ValueError, ArithmeticError, LookupError, RuntimeError, MemoryError, ItemTimeoutError)


@dataclass(frozen=True, eq=False)
class Task:
    """One record to prepare, and the id it will have in the index."""

    source: Source
    record: Record
    id: str


@dataclass(frozen=True, eq=False)
class Prepared:
    """One entry of the index to be: its primitive crystal and computed lines."""

    id: str
    crystal: Crystal
    lines: Lines


@dataclass(frozen=True)
class LeftOut:
    """A sound entry with more atoms than its source takes in."""


Outcome = Prepared | Broken | LeftOut


def prepare(task: Task) -> Outcome:
    """Turn a record into an entry, or say why it cannot be one."""
    try:
        with time_limit(TIME_LIMIT):
            crystal = task.source.read(task.record)
            reduced = primitive(crystal)
            lines = crystal_lines(reduced)
    except TooManyAtomsError:
        return LeftOut()
    except NONSENSE as error:
        return Broken(task.id, _reason(error))
    if len(lines) == 0:
        return Broken(task.id, "it has no diffraction line in the computed range")
    return Prepared(task.id, replace(reduced, name=reduced.name or crystal.name or task.id), lines)


def crashed(task: Task) -> Broken:
    """Report a record whose processing ended the worker process."""
    return Broken(task.id, "reading it crashed the worker process")


def _reason(error: Exception) -> str:
    kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
    return f"{kind}{error}"[:LONGEST_REASON]
