"""Many targets at once, politely: a synchronous iterator over results, with one event loop in a thread behind it."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import AsyncIterator, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from archive.model import Fetched, Target
from pipeline.capture.http.fetch_target import fetch_target
from pipeline.capture.http.politeness import HostQueue, Hosts
from pipeline.capture.http.settings import FetchSettings

_LOOK_AHEAD = 10_000  # targets read from the source before those in front are done: what lets other hosts overtake
_RESULTS = 32  # results that may wait for the consumer
_RELEASED = 8  # consumed results are made room for in such lots: a wake-up of the loop is dear


@dataclass(frozen=True, slots=True)
class _Ended:
    error: BaseException | None


def fetch(
    targets: Iterable[Target], settings: FetchSettings, workdir: Path, *, tick: float | None = None
) -> Generator[Fetched | None, None, None]:
    """Fetch targets and yield each with its exchanges as it finishes, in no order.

    With `tick`, None is yielded whenever so many seconds brought no result. Targets are read lazily, and results wait
    for a slow consumer. Bodies over `memory_limit` lie in `workdir`, which is the caller's to clear. Closing the
    iterator ends everything. Raises StoreUnavailable when the work folder's disk fails.
    """
    fetcher = _Fetcher(targets, settings, workdir)
    fetcher.start()
    try:
        while True:
            try:
                item = fetcher.results.get(timeout=tick)
            except queue.Empty:
                yield None
                continue
            if isinstance(item, _Ended):
                if item.error is not None:
                    raise item.error
                return
            fetcher.consumed()
            yield item
    finally:
        fetcher.stop()


class _Fetcher:
    def __init__(self, targets: Iterable[Target], settings: FetchSettings, workdir: Path) -> None:
        self.results: queue.SimpleQueue[Fetched | _Ended] = queue.SimpleQueue()
        self._source = iter(targets)
        self._settings = settings
        self._workdir = workdir
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="fetch", daemon=True)
        self._main: asyncio.Task[None] | None = None
        self._ready = threading.Event()
        self._taken = 0

    def start(self) -> None:
        self._thread.start()
        self._ready.wait()

    def stop(self) -> None:
        with suppress(RuntimeError):  # the loop is closed already
            self._loop.call_soon_threadsafe(self._cancel)
        self._thread.join()
        while not self.results.empty():
            item = self.results.get()
            if isinstance(item, Fetched):
                _discard(item)

    def _cancel(self) -> None:
        if self._main is not None:
            self._main.cancel()

    def consumed(self) -> None:
        self._taken += 1
        if self._taken >= _RELEASED:
            taken, self._taken = self._taken, 0
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._release, taken)

    def _release(self, count: int) -> None:
        for _ in range(count):
            self._room.release()

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            self._loop.run_until_complete(self._supervise())
        except asyncio.CancelledError:
            pass
        except BaseException as raised:  # noqa: BLE001 - raised again in the consumer's thread
            error = raised
        finally:
            self._loop.close()
            self.results.put(_Ended(error))

    async def _supervise(self) -> None:
        self._room = asyncio.Semaphore(_RESULTS)
        self._main = asyncio.ensure_future(self._fetch_all())
        self._ready.set()
        await self._main

    async def _fetch_all(self) -> None:
        hosts = Hosts(self._settings)
        inbox = _Inbox(self._source, self._loop)
        slots = asyncio.Semaphore(self._settings.concurrency)
        inbox.start()
        try:
            async with asyncio.TaskGroup() as group:
                async for target in inbox:
                    queued = hosts.queue(target)
                    if queued.wants_worker:
                        await slots.acquire()
                        if queued.wants_worker:
                            queued.workers += 1
                            group.create_task(self._work(queued, hosts, inbox, slots))
                        else:
                            slots.release()
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            inbox.stop()
            await hosts.close()

    async def _work(self, queued: HostQueue, hosts: Hosts, inbox: _Inbox, slots: asyncio.Semaphore) -> None:
        """Fetch a host's targets one after the other, until none is left."""
        try:
            while (target := queued.next()) is not None:
                fetched = await fetch_target(target, hosts, self._settings, self._workdir)
                inbox.finished()
                try:
                    await self._room.acquire()
                except BaseException:
                    _discard(fetched)
                    raise
                self.results.put(fetched)
        finally:
            hosts.worker_ended(queued)
            slots.release()


def _discard(fetched: Fetched) -> None:
    for exchange in fetched.exchanges:
        exchange.response.discard()


class _Inbox:
    """Targets from a source that may block (a pipe, a generator), read in a thread of its own."""

    def __init__(self, source: Iterator[Target], loop: asyncio.AbstractEventLoop) -> None:
        self._source = source
        self._loop = loop
        self._arrived: deque[Target | _Ended] = deque()
        self._news = asyncio.Event()
        self._room = threading.Semaphore(_LOOK_AHEAD)
        self._stopped = False
        self._thread = threading.Thread(target=self._read, name="targets", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """The thread is not waited for: its source may never give another line."""
        self._stopped = True
        self._room.release()

    def finished(self) -> None:
        self._room.release()

    def _read(self) -> None:
        error: BaseException | None = None
        try:
            for target in self._source:
                self._room.acquire()
                if self._stopped:
                    return
                self._add(target)
        except BaseException as raised:  # noqa: BLE001 - raised again in the consumer's thread
            error = raised
        self._add(_Ended(error))

    def _add(self, item: Target | _Ended) -> None:
        self._arrived.append(item)
        if len(self._arrived) == 1:
            with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                self._loop.call_soon_threadsafe(self._news.set)

    async def __aiter__(self) -> AsyncIterator[Target]:
        while True:
            while self._arrived:
                item = self._arrived.popleft()
                if isinstance(item, _Ended):
                    if item.error is not None:
                        raise item.error
                    return
                yield item
            self._news.clear()
            if not self._arrived:
                await self._news.wait()
