"""Where many pages are read: in processes of this machine, or on the workers of a Dask cluster."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import Any

from pipeline.extract.extractor_pool import ExtractorPool, Extractors
from pipeline.extract.tasks import Page, Reading
from pipeline.extract.worker_pool import Allowance, TaskFailure
from storage.errors import LocationError, StoreUnavailable
from storage.extras import install_command

_CONNECT = 10.0  # seconds
_AHEAD = 4  # pages that wait for each thread of the cluster


def get_executor(where: str, workers: int, time_limit: float, memory_limit: int) -> Extractors:
    """Readers by name: "local", or "dask://host:port" for the scheduler of a cluster.

    Raises LocationError for what is neither, or when Dask is not installed; StoreUnavailable when no scheduler answers.
    """
    if where == "local":
        return ExtractorPool(workers, time_limit=time_limit, memory_limit=memory_limit)
    if where.startswith("dask://") and where.rpartition(":")[2].isdigit():
        return DaskExtractors(where.removeprefix("dask://"), time_limit, memory_limit)
    raise LocationError(f"no executor {where!r}: write local, or dask://host:port for a Dask scheduler")


class DaskExtractors:
    """Reads pages on a cluster whose workers have onrecord; the pages of a worker that dies are read by another."""

    def __init__(self, address: str, time_limit: float, memory_limit: int) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise LocationError(f"Dask is not installed; install it: {install_command('dask')}") from error
        try:
            self._client: Any = Client(f"tcp://{address}", timeout=_CONNECT, set_as_default=False)
        except (OSError, ValueError) as error:
            raise StoreUnavailable(
                f"no Dask scheduler answers at {address}; start one, or take --executor local"
            ) from error
        self._executor = self._client.get_executor(pure=False)
        self._limits = (time_limit, memory_limit)
        self._room: int = _AHEAD * max(sum(self._client.nthreads().values()), 1)
        self._under_way = 0
        self._changed = threading.Condition()

    @property
    def has_room(self) -> bool:
        """Whether `submit` would return at once."""
        return self._under_way < self._room

    def submit(self, page: Page, allowance: Allowance | None = None) -> Future[Reading]:
        """Read a page; the future raises TaskFailure when there is no result. A cluster knows no allowance."""
        assert allowance is None, "what is imported is read on this machine"
        with self._changed:
            while not self.has_room:
                self._changed.wait()
            self._under_way += 1
        result: Future[Reading] = Future()
        self._executor.submit(read_there, page, *self._limits).add_done_callback(
            lambda done: self._finish(done, result)
        )
        return result

    def _finish(self, done: Future[Reading], result: Future[Reading]) -> None:
        with self._changed:
            self._under_way -= 1
            self._changed.notify_all()
        error = done.exception() if not done.cancelled() else None
        if done.cancelled():
            result.set_exception(TaskFailure("killed", "the cluster was closed"))
        elif isinstance(error, TaskFailure):
            result.set_exception(error)
        elif error is not None:
            result.set_exception(TaskFailure("killed", f"the cluster lost it: {type(error).__name__}: {error}"[:300]))
        else:
            result.set_result(done.result())

    def close(self) -> None:
        """Let go of the cluster; what is under way is given up."""
        self._executor.shutdown(wait=False)
        self._client.close()


_pools: dict[tuple[Any, ...], ExtractorPool] = {}
_pools_lock = threading.Lock()


def read_there(page: Page, time_limit: float, memory_limit: int) -> Reading:
    """Return a cluster worker's side: the same guarded processes as anywhere, one for each of its threads."""
    key = (threading.get_ident(), time_limit, memory_limit)
    with _pools_lock:
        pool = _pools.get(key)
        if pool is None:
            pool = _pools[key] = ExtractorPool(1, time_limit=time_limit, memory_limit=memory_limit)
    return pool.submit(page).result()
