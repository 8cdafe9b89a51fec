"""Many targets at once, politely: a synchronous iterator over results, with one event loop in a thread behind it."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterable
from pathlib import Path

from archive.model import Fetched, Target
from pipeline.capture.bridge import Inbox, Outbox, run_on_loop
from pipeline.capture.http.fetch_target import fetch_target
from pipeline.capture.http.politeness import HostQueue, Hosts
from pipeline.capture.http.settings import FetchSettings

_LOOK_AHEAD = 10_000  # targets read from the source before those in front are done: what lets other hosts overtake
_RESULTS = 32  # results that may wait for the consumer


def fetch(
    targets: Iterable[Target], settings: FetchSettings, workdir: Path, *, tick: float | None = None
) -> Generator[Fetched | None, None, None]:
    """Fetch targets and yield each with its exchanges as it finishes, in no order.

    With `tick`, None is yielded whenever so many seconds brought no result. Targets are read lazily, and results wait
    for a slow consumer. Bodies over `memory_limit` lie in `workdir`, which is the caller's to clear. Closing the
    iterator ends everything. Raises StoreUnavailable when the work folder's disk fails.
    """

    async def fetch_all(inbox: Inbox[Target], outbox: Outbox[Fetched]) -> None:
        await _Fetcher(inbox, outbox, settings, workdir).fetch_all()

    return run_on_loop(fetch_all, targets, ahead=_LOOK_AHEAD, room=_RESULTS, discard=Fetched.discard, tick=tick)


class _Fetcher:
    """Workers, a few for each host, on one event loop."""

    def __init__(self, inbox: Inbox[Target], outbox: Outbox[Fetched], settings: FetchSettings, workdir: Path) -> None:
        self._inbox = inbox
        self._outbox = outbox
        self._settings = settings
        self._workdir = workdir
        self._hosts = Hosts(settings)
        self._slots = asyncio.Semaphore(settings.concurrency)

    async def fetch_all(self) -> None:
        """Fetch every target of the inbox."""
        slots = self._slots
        try:
            async with asyncio.TaskGroup() as group:
                async for target in self._inbox:
                    queued = self._hosts.queue(target)
                    if queued.wants_worker:
                        await slots.acquire()
                        if queued.wants_worker:
                            queued.workers += 1
                            group.create_task(self._work(queued))
                        else:
                            slots.release()
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
        finally:
            await self._hosts.close()

    async def _work(self, queued: HostQueue) -> None:
        """Fetch a host's targets one after the other, until none is left."""
        try:
            while (target := queued.next()) is not None:
                fetched = await fetch_target(target, self._hosts, self._settings, self._workdir)
                self._inbox.finished()
                await self._outbox.put(fetched)
        finally:
            self._hosts.worker_ended(queued)
            self._slots.release()
