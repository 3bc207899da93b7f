"""A pool whose workers are those of a Dask cluster.

The scheduler and its workers need the same version of this package, of Python and of Dask as the machine that builds,
which the workers prove before and after each chunk (`indexer.proof`). They need no files to prepare records: a task
carries the content of its record. What all tasks need is sent once to each worker. Workers with one thread each are
the fastest (``dask worker ADDRESS --nworkers -1 --nthreads 1``). They may come and go during the work. Whoever reaches
a scheduler can run code on its workers and on its clients, so give the address of one you trust; Dask's own settings
hold the certificates of a ``tls://`` address.
"""

import asyncio
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Self

from indexer.pool import Item, Pool, Result, never, run_items
from indexer.proof import Standing
from xtal.console import FAILED
from xtal.errors import UserError

GPU = "GPU"  # what Dask's documentation calls the resource
PATIENCE = 10.0  # seconds to wait for the scheduler, and again for its first worker


class ClusterLostError(UserError):
    """The scheduler stopped answering during the work."""

    exit_code = FAILED


class ClusterPool(Pool[Item, Result]):
    """A pool of the workers of a Dask cluster.

    Args:
        address: of the scheduler, such as ``tcp://10.0.0.5:8786``.
        function: see `Pool`; a top-level function of a module that the workers can import.
        on_crash: see `Pool`.
        trouble: see `Pool`.
        standing: see `Pool`.
        common: what `function` is called with besides each item; it is sent once to each worker.
        gpu: give the work only to workers that were started with ``--resources GPU=1``.

    Raises:
        UserError: on entering, when Dask is missing, the scheduler does not answer or has no worker, or they cannot
            import `function`; during the work, when the scheduler is lost.
    """

    def __init__(
        self,
        address: str,
        function: Callable[..., Result],
        on_crash: Callable[[Item], Result],
        trouble: Callable[[Result], str] = never,
        standing: Standing | None = None,
        common: tuple[object, ...] = (),
        gpu: bool = False,
    ) -> None:
        super().__init__(function, on_crash, trouble, standing)
        self._address = address
        self._dask = _load_distributed()
        self._client: Any = None
        self._common: list[Any] = list(common)
        self._resources = {GPU: 1} if gpu else None

    def __enter__(self) -> Self:
        self._client = _connect(self._dask, self._address)
        try:
            _check_workers(self._client, self._address, self._function, self._standing)
            if self._resources:
                _check_gpus(self._client, self._address)
            self._common = [self._client.scatter(one, broadcast=True, hash=False) for one in self._common]
        except UserError:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Give up what is under way and leave the cluster, which runs on."""
        self._client.close()

    def _count_workers(self) -> int:
        with self._reported_loss():
            return max(1, sum(self._client.nthreads().values()))  # asked each time: workers come and go

    def _submit(self, chunk: list[Item]) -> Any:
        with self._reported_loss():
            work = (run_items, self._function, chunk, self._standing, *self._common)
            return self._client.submit(*work, pure=False, resources=self._resources)  # no digest as its name

    def _collect(self, chunk: list[Item], future: Any) -> list[Result]:
        try:
            return self._wait_for(future)
        except self._dask.KilledWorker:
            return self._one_by_one(chunk)

    def _one_by_one(self, chunk: list[Item]) -> list[Result]:
        """Run single items with nothing of ours beside them: Dask blames all that a lost worker had in hand."""
        self._quiet()
        return [self._alone(item) for item in chunk]

    def _alone(self, item: Item) -> Result:
        try:
            return self._wait_for(self._submit([item]))[0]
        except self._dask.KilledWorker:
            return self._on_crash(item)

    def _wait_for(self, future: Any) -> list[Result]:
        with self._reported_loss():
            return future.result()

    @contextmanager
    def _reported_loss(self) -> Iterator[None]:
        """Raise ClusterLostError where the connection has ended: Dask cancels all futures then."""
        lost = ClusterLostError(
            f"lost the Dask scheduler at {self._address}; start it again (dask scheduler, then dask worker "
            f"{self._address}) and repeat the command: it goes on where it stopped"
        )
        if self._client.status != "running":
            raise lost
        try:
            yield
        except (self._dask.CancelledError, self._dask.comm.CommClosedError):
            raise lost from None


def _load_distributed() -> ModuleType:
    """Import Dask late: it is an extra, and slow to import."""
    try:
        import distributed
    except ModuleNotFoundError as error:
        raise UserError(
            f"a Dask cluster needs the package {error.name}, which is not installed; "
            "run: pip install 'xtalscout[cluster]'"
        ) from None
    return distributed


def _connect(dask: ModuleType, address: str) -> Any:
    """Return a client of the scheduler, within twice `PATIENCE`."""
    try:
        asyncio.run(_knock(dask, address))
        return dask.Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:  # ValueError: no address; TypeError: tls:// without certificates
        raise UserError(
            f"no Dask scheduler answers at {address!r} ({error or type(error).__name__}); give the address that "
            "`dask scheduler` prints, such as tcp://10.0.0.5:8786"
        ) from None


async def _knock(dask: ModuleType, address: str) -> None:
    """Open a connection and close it: the client would wait for ever for a server that accepts and then is silent."""
    certificates = dask.Security().get_connection_args("client")
    comm = await asyncio.wait_for(dask.comm.connect(address, timeout=PATIENCE, **certificates), PATIENCE)
    await comm.close()


def _check_workers(client: Any, address: str, function: Callable, standing: Standing) -> None:
    """Raise UserError unless there is a worker, and all have the code of this machine: else Dask waits without a word.

    Those that come later prove it with every chunk.
    """
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
        name = f"{function.__module__}:{function.__qualname__}"
        client.run_on_scheduler(pkgutil.resolve_name, name)
        client.run(pkgutil.resolve_name, name)
        client.run(standing.prove)
    except TimeoutError:
        raise UserError(
            f"the Dask scheduler at {address} has no worker; start some: "
            f"dask worker {address} --nworkers -1 --nthreads 1"
        ) from None
    except (ImportError, AttributeError) as error:  # a worker with another version, or none, of this package
        raise UserError(
            f"the Dask cluster at {address} has not the package of this machine ({error}); install the same version "
            "of xtalscout for the scheduler and every worker"
        ) from None


def _check_gpus(client: Any, address: str) -> None:
    """Raise UserError unless a worker says that it has a GPU: Dask would wait for one without a word."""
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    if not any(worker.get("resources", {}).get(GPU, 0) >= 1 for worker in workers):
        raise UserError(
            f"no worker of the Dask scheduler at {address} says that it has a GPU; start them with: "
            f"dask worker {address} --nworkers 1 --nthreads 1 --resources GPU=1"
        )
