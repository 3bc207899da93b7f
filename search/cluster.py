"""Patterns searched by the workers of a Dask cluster.

A task carries a pattern and what is asked of it; each worker opens the index of its own machine, so all of them need
the same build of it: a folder that they share (``XTALSCOUT_HOME``), or a copy. What a worker answers would look sound
with other code, weights or another index, and be wrong: so it proves before and after each pattern that it has the
ones of the machine that asks (`indexer.proof` for code and libraries, the id of the build for the rest).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

import models
import search
from indexer.cluster import ClusterPool
from indexer.proof import LIBRARIES, PACKAGES, OtherCodeError, proof
from indexer.storage import read_manifest
from indexer.storage.joined import JOINT, split
from search.answer import Answer
from search.engine import Engine
from xtal.console import FAILED
from xtal.errors import UserError
from xtal.patterns import Lines, Pattern

CODE = (*PACKAGES, models, search)
BESIDE = (*LIBRARIES, "faiss-cpu", "faiss-gpu", "onnxruntime", "onnxruntime-gpu", "pybaselines")


class OtherIndexError(UserError):
    """A worker has not the index that is to be searched."""

    exit_code = FAILED


@dataclass(frozen=True)
class Ground:
    """What an answer rests on: the index by name, its build, and the digest of code and libraries.

    An index opens only with the weights that made it.
    """

    index: str
    build_id: str
    proof: str

    @classmethod
    def here(cls, index: str) -> Self:
        """Describe what this machine has; UserError when it has not the index."""
        builds = [read_manifest(name).build_id for name in split(index)]
        return cls(index, JOINT.join(builds), proof(CODE, BESIDE))


@dataclass(frozen=True, eq=False)
class Asked:
    """A pattern to search for, as `Engine.query` is asked, and what the answer must rest on."""

    ground: Ground
    pattern: Pattern
    k: int = 10
    elements: frozenset[str] | None = None
    formula: str | None = None
    copies: bool = False
    required: frozenset[str] = frozenset()
    lines: Lines | None = None


def answers(address: str, batches: Iterable[list[Asked]]) -> Iterator[list[Answer]]:
    """Yield the answers of each batch in order; `batches` is read only a little ahead.

    Args:
        address: of the scheduler.
        batches: of patterns.

    Raises:
        UserError: there is no such cluster, or a worker has other code or another index, or it refuses what is asked.
    """
    with ClusterPool(address, answer, crashed, trouble) as pool:
        for found in pool.map(batches):
            yield [_sound(one) for one in found]


def answer(asked: Asked) -> Answer | Exception:
    """Search for one pattern: what a worker does. Errors are returned."""
    try:
        engine = _standing_on(asked.ground)
        (found,) = engine.query(
            [asked.pattern],
            asked.k,
            asked.elements,
            asked.formula,
            copies=asked.copies,
            required=asked.required,
            lines=[asked.lines],
        )
        _proved(asked.ground)
    except (UserError, MemoryError, OSError) as error:
        return error
    return found


def crashed(asked: Asked) -> Answer | Exception:
    """Return what stands for the answer to a pattern that crashed its worker."""
    return UserError(f"searching for {asked.pattern.source or 'a pattern'} crashed a worker of the cluster")


def trouble(result: Answer | Exception) -> str:
    """Say what passing trouble of a machine a result tells of."""
    if isinstance(result, MemoryError | OSError):
        return f"a worker of the cluster could not search ({type(result).__name__}: {result})"
    return ""


def _sound(result: Answer | Exception) -> Answer:
    if isinstance(result, Exception):
        raise result
    return result


def _proved(ground: Ground) -> None:
    """Raise OtherCodeError unless this process runs the code of the machine that asks."""
    if proof(CODE, BESIDE) != ground.proof:
        raise OtherCodeError.here()


def _standing_on(ground: Ground) -> Engine:
    """Return the engine of an index in this process, when everything is as on the machine that asks."""
    _proved(ground)
    found = Ground.here(ground.index)
    if found != ground:
        raise OtherIndexError(
            f"a worker of the cluster has another build of index {ground.index!r} ({found.build_id}) than this machine "
            f"({ground.build_id}); let all share one XTALSCOUT_HOME, or copy the index to each"
        )
    return _opened(ground)


@lru_cache(maxsize=2)
def _opened(ground: Ground) -> Engine:
    return Engine.open(ground.index)
