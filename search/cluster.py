"""Patterns searched by the workers of a Dask cluster.

A task carries patterns and what is asked of them; each worker opens the index of its own machine, so all of them need
the same build of it: a folder that they share (``XTALSCOUT_HOME``), or a copy. What a worker answers would look sound
with other code, weights or another index, and be wrong: so it proves before and after each task that it has the ones
of the machine that asks (`indexer.crew` for code, weights and libraries, the id of the build for the index).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from indexer.crew import Crew, Elsewhere, hired
from indexer.storage import read_manifest
from indexer.storage.joined import JOINT, split
from search.answer import Answer
from search.engine import Engine
from xtal.console import FAILED
from xtal.errors import UserError
from xtal.patterns import Lines, Pattern

CODE = ("models", "generate", "search")


class OtherIndexError(UserError):
    """A worker has not the index that is to be searched."""

    exit_code = FAILED


@dataclass(frozen=True)
class Ground:
    """The recipe of an engine: an index by name, and its build. It opens only with the weights that made it."""

    index: str
    build_id: str

    @classmethod
    def here(cls, index: str) -> Self:
        """Describe what this machine has; UserError when it has not the index."""
        return cls(index, JOINT.join(read_manifest(name).build_id for name in split(index)))

    def made(self) -> Engine:
        """Return the engine, opened once in this process; UserError where the index is missing or another build."""
        return self._engine

    @cached_property
    def _engine(self) -> Engine:
        found = Ground.here(self.index)
        if found != self:
            raise OtherIndexError(
                f"a worker of the cluster has another build of index {self.index!r} ({found.build_id}) than this "
                f"machine ({self.build_id}); let all share one XTALSCOUT_HOME, or copy the index to each"
            )
        return Engine.open(self.index)


@dataclass(frozen=True, eq=False)
class Asked:
    """Patterns to search for as one batch, each with its own lines or those that are found."""

    patterns: list[Pattern]
    lines: list[Lines | None]


def answers(engine: Engine, asked: Asked, **options: Any) -> list[Answer]:
    """Search for one batch; `options` are those of `Engine.query`."""
    return engine.query(asked.patterns, lines=asked.lines, **options)


@contextmanager
def searchers(index: str, where: Elsewhere | None, engine: Engine) -> Iterator[Crew[Engine]]:
    """Offer a crew that searches an index of this name, which `engine` has opened here."""
    with hired(where, engine, lambda: Ground.here(index), CODE) as crew:
        yield crew
