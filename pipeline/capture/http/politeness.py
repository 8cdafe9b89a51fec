"""Manners: how many connections a host gets, how far apart its requests are, which connections are used again."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from archive.model import Role, Target
from pipeline.capture.http.connection import Connection
from pipeline.capture.http.failures import Failure
from pipeline.capture.http.settings import FetchSettings
from pipeline.capture.http.urls import WebUrl, checked_url

_KEPT = 256  # idle connections, over all hosts
_MANNERS = 1000  # hosts remembered before those that need no pause any more are forgotten

_Place = tuple[str, str, int]


@dataclass
class HostQueue:
    """A host's waiting targets, and how many workers fetch them."""

    host: str
    most_workers: int
    requisites: deque[Target] = field(default_factory=deque)
    others: deque[Target] = field(default_factory=deque)
    workers: int = 0

    def add(self, target: Target) -> None:
        """Put a target behind its like; requisites go before pages: a page and what it shows should be of one time."""
        (self.requisites if target.role == Role.REQUISITE else self.others).append(target)

    def next(self) -> Target | None:
        """Return the target whose turn it is."""
        waiting = self.requisites or self.others
        return waiting.popleft() if waiting else None

    @property
    def is_empty(self) -> bool:
        """Whether no target waits."""
        return not self.requisites and not self.others

    @property
    def wants_worker(self) -> bool:
        """Whether another worker would find something to do."""
        return not self.is_empty and self.workers < self.most_workers


@dataclass
class _Manners:
    gate: asyncio.Semaphore
    pause: float  # between the starts of two requests
    next_start: float = 0.0
    users: int = 0  # that are in their turn, or wait for it


class Hosts:
    """Every host of a run."""

    def __init__(self, settings: FetchSettings) -> None:
        self._settings = settings
        self._queues: dict[str, HostQueue] = {}
        self._manners: dict[str, _Manners] = {}
        self._idle: OrderedDict[_Place, list[Connection]] = OrderedDict()
        self._idle_count = 0
        self._most_manners = _MANNERS

    def queue(self, target: Target) -> HostQueue:
        """Put a target behind the others of its host; what is no URL waits with its like."""
        try:
            host = checked_url(target.url).host
        except Failure:
            host = ""
        found = self._queues.get(host)
        if found is None:
            found = self._queues[host] = HostQueue(host, self._settings.connections_per_host)
        found.add(target)
        if target.pause is not None:
            self._of(host).pause = max(target.pause, self._settings.delay)
        return found

    def worker_ended(self, queued: HostQueue) -> None:
        """Forget a host that nothing waits for: a run may name millions."""
        queued.workers -= 1
        if queued.is_empty and not queued.workers and self._queues.get(queued.host) is queued:
            del self._queues[queued.host]

    @asynccontextmanager
    async def turn(self, host: str) -> AsyncIterator[None]:
        """Wait for a host's turn: one of its connections, and the pause since its last request."""
        manners = self._of(host)
        manners.users += 1
        try:
            async with manners.gate:
                loop = asyncio.get_running_loop()
                start = max(loop.time(), manners.next_start)
                manners.next_start = start + manners.pause
                if start > loop.time():
                    await asyncio.sleep(start - loop.time())
                yield
        finally:
            manners.users -= 1

    def back_off(self, host: str, seconds: float) -> None:
        """Let a host rest: it said that it has too much to do."""
        manners = self._of(host)
        manners.next_start = max(manners.next_start, asyncio.get_running_loop().time() + seconds)

    def _of(self, host: str) -> _Manners:
        found = self._manners.get(host)
        if found is None:
            if len(self._manners) >= self._most_manners:
                self._forget_the_past()
            found = self._manners[host] = _Manners(
                asyncio.Semaphore(self._settings.connections_per_host), self._settings.delay
            )
        return found

    def _forget_the_past(self) -> None:
        now = asyncio.get_running_loop().time()
        self._manners = {
            host: kept
            for host, kept in self._manners.items()
            if kept.users or kept.next_start > now or kept.pause > self._settings.delay
        }
        self._most_manners = max(_MANNERS, 2 * len(self._manners))

    def take_connection(self, url: WebUrl) -> Connection | None:
        """Return an idle connection to the host, if one is left that the server has neither closed nor written to."""
        idle = self._idle.get((url.scheme, url.host, url.port), [])
        while idle:
            connection = idle.pop()
            self._idle_count -= 1
            if connection.usable:
                return connection
            connection.close()
        return None

    def keep_connection(self, url: WebUrl, connection: Connection) -> None:
        """Keep a connection for the host's next request; the oldest is closed when there are many."""
        place = (url.scheme, url.host, url.port)
        self._idle.setdefault(place, []).append(connection)
        self._idle.move_to_end(place)
        self._idle_count += 1
        while self._idle_count > _KEPT:
            oldest = next(iter(self._idle))
            for left in self._idle.pop(oldest):
                left.close()
                self._idle_count -= 1

    async def close(self) -> None:
        """Close every idle connection."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()
        await asyncio.sleep(0)  # transports close in the loop's next round
