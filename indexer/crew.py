"""Work that is shared out: done in this process or by the workers of a Dask cluster, with the same answers.

What all of the work needs (an index, models, known crystals) is its base. This process has it; workers make the same
from a recipe, once each. Pieces of work are independent of each other and of who does them, so that a seed gives one
answer wherever it is asked.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from indexer.cluster import ClusterPool
from indexer.proof import LIBRARIES, PACKAGES, Standing
from xtal.errors import UserError

Base = TypeVar("Base")
Made = TypeVar("Made", covariant=True)
Item = TypeVar("Item")
Result = TypeVar("Result")
BESIDE = (
    *LIBRARIES,
    *("faiss-cpu", "faiss-gpu", "onnxruntime", "onnxruntime-gpu", "pybaselines", "numba", "pymatgen", "rdkit"),
)  # what takes part in searching and generating


class Recipe(Protocol[Made]):
    """Picklable; makes the base of the work. A worker keeps the recipe, so let it keep what it made."""

    def made(self) -> Made:
        """Return the base; UserError where this machine cannot make it, or not the same."""


@dataclass(frozen=True)
class Nothing:
    """The recipe of work that needs nothing."""

    def made(self) -> None:
        """Make it."""


@dataclass(frozen=True)
class Elsewhere:
    """A Dask cluster.

    Attributes:
        scheduler: its address.
        gpu: whether the work is only for workers that were started with ``--resources GPU=1``.
    """

    scheduler: str
    gpu: bool = False


def elsewhere(scheduler: str | None, gpu: bool = False) -> Elsewhere | None:
    """Return the cluster at the address of a scheduler; None where there is no address.

    Raises:
        UserError: workers with GPUs of no cluster.
    """
    if scheduler is None and gpu:
        raise UserError("workers with a GPU are those of a cluster; give the address of its scheduler, too")
    return None if scheduler is None else Elsewhere(scheduler, gpu)


class Crew(Generic[Base]):
    """Whoever does the work: this process, or a pool of workers elsewhere."""

    def __init__(self, base: Base, pool: "ClusterPool[Any, Any] | None" = None) -> None:
        self.base, self._pool = base, pool

    @property
    def here(self) -> bool:
        """Whether this process does the work."""
        return self._pool is None

    def map(self, work: Callable[[Base, Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """Yield ``work(base, item)`` of each item in order; `items` is read only a little ahead.

        Args:
            work: a function of a module, or a `functools.partial` of one: it travels, and so do the results.
            items: picklable.

        Raises:
            UserError: what `work` raises; or a worker has other code or cannot make the base, or the cluster is lost.
        """
        if self._pool is None:
            yield from (work(self.base, item) for item in items)
            return
        for (result,) in self._pool.map([(work, item)] for item in items):
            if isinstance(result, Exception):
                raise result
            yield result


HERE: Crew[None] = Crew(None)  # for work that needs nothing


@contextmanager
def hired(
    where: Elsewhere | None, base: Base, recipe: Callable[[], Recipe[Base]], packages: tuple[str, ...]
) -> Iterator[Crew[Base]]:
    """Have work done where it is asked for, None: here.

    Args:
        where: a cluster.
        base: of the work, in this process.
        recipe: returns the recipe of the base; asked only for a cluster.
        packages: whose code takes part; workers prove theirs before and after each piece of work.
    """
    if where is None:
        yield Crew(base)
        return
    standing = Standing.here((*PACKAGES, *packages), BESIDE)
    pool = ClusterPool[Any, Any](
        where.scheduler, done, crashed, trouble, standing=standing, common=(recipe(),), gpu=where.gpu
    )
    with pool:
        yield Crew(base, pool)


def done(task: tuple[Callable[[Any, Any], Any], Any], recipe: Recipe[Any]) -> Any:
    """Do one piece of work: what a worker does. Errors are returned."""
    work, item = task
    try:
        return work(recipe.made(), item)
    except (UserError, MemoryError, OSError) as error:
        return error


def crashed(_task: object) -> UserError:
    """Return what stands for the result of work that crashed its worker."""
    return UserError("a piece of the work crashed the worker that did it, twice; the worker's own log says why")


def trouble(result: object) -> str:
    """Say what passing trouble of a machine a result tells of."""
    if isinstance(result, MemoryError | OSError):
        return f"a worker of the cluster could not do its work ({type(result).__name__}: {result})"
    return ""
