"""What a worker does with one record: read it, reduce it to the primitive cell, compute its lines."""

from dataclasses import dataclass, replace

from indexer.storage.manifest import Broken
from indexer.time_limit import ItemTimeoutError, StalledError, time_limit
from xtal.crystals import Crystal, primitive
from xtal.errors import UserError
from xtal.patterns import Lines
from xtal.physics import crystal_lines
from xtal.sources import Record, Source, TooManyAtomsError

TIME_LIMIT = 60.0  # seconds of a core; a thousand times what a MOF takes
LONGEST_REASON = 300  # characters: a parser may quote the whole file

# What reading and computing raise on nonsense input. A TypeError or AttributeError would be a defect of ours: it ends
# the build instead of being counted as a broken entry.
NONSENSE = (ValueError, ArithmeticError, LookupError, RuntimeError, ItemTimeoutError)
PASSING = (MemoryError, StalledError)  # what a sound record meets on a machine that has too much to do
NO_THREAD = "can't start new thread"  # a RuntimeError of the same kind


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


@dataclass(frozen=True)
class Trouble:
    """A record that the machine could not prepare now. It says nothing of the record and is never kept."""

    id: str
    reason: str


Outcome = Prepared | Broken | LeftOut | Trouble


def prepare(task: Task) -> Outcome:
    """Turn a record into an entry, or say why it cannot be one."""
    try:
        with time_limit(TIME_LIMIT):
            crystal = task.source.read(task.record)
            reduced = primitive(crystal)
            lines = crystal_lines(reduced)
    except TooManyAtomsError:
        return LeftOut()
    except (*PASSING, *NONSENSE) as error:
        passes = isinstance(error, PASSING) or NO_THREAD in str(error)
        return (Trouble if passes else Broken)(task.id, _reason(error))
    if len(lines) == 0:
        return Broken(task.id, "it has no diffraction line in the computed range")
    return Prepared(task.id, replace(reduced, name=reduced.name or crystal.name or task.id), lines)


def crashed(task: Task) -> Broken:
    """Report a record whose processing ended the worker process."""
    return Broken(task.id, "reading it crashed the worker process")


def trouble(outcome: Outcome) -> str:
    """Return what the machine lacked for a record, or nothing."""
    return f"this machine could not prepare {outcome.id!r} ({outcome.reason})" if isinstance(outcome, Trouble) else ""


def _reason(error: Exception) -> str:
    kind = "" if isinstance(error, UserError) else f"{type(error).__name__}: "
    return (f"{kind}{error}"[:LONGEST_REASON]).strip(": ")
