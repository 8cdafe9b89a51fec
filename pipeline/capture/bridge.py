"""Between threads and an event loop: a source that may block on one side, a consumer that may be slow on the other.

Whatever captures reads its targets through a `ReadAhead`; what runs on an event loop is run by `run_on_loop`, which
makes a plain generator of it.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a source or of an engine, with the exception that ended it, if any."""

    error: BaseException | None = None

    def check(self) -> None:
        """Raise what ended it."""
        if self.error is not None:
            raise self.error


class ReadAhead(Generic[Item]):
    """Reads a source in a thread of its own, at most `ahead` items before they are released.

    `give` is called in that thread with each item, from the first moment on, and with `Ended` after the last;
    `release(count)` lets so many more items be read.
    """

    def __init__(self, source: Iterable[Item], ahead: int, give: Callable[[Item | Ended], None]) -> None:
        self._source = source
        self._give = give
        self._room = threading.Semaphore(ahead)
        self.release = self._room.release
        self._stopped = False
        threading.Thread(target=self._read, name="targets", daemon=True).start()

    def stop(self) -> None:
        """Read no further; the thread is not waited for, since the source may never give another item."""
        self._stopped = True
        self._room.release()

    def _read(self) -> None:
        error: BaseException | None = None
        try:
            for item in self._source:
                self._room.acquire()
                if self._stopped:
                    return
                self._give(item)
        except BaseException as raised:  # noqa: BLE001 - raised again in the consumer's thread
            error = raised
        self._give(Ended(error))


class Inbox(Generic[Item]):
    """The items of a source, for the tasks of one event loop; each goes to one of them. Raises what the source does."""

    def __init__(self, source: Iterable[Item], ahead: int, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._arrived: deque[Item | Ended] = deque()
        self._news = asyncio.Event()
        self._reader = ReadAhead(source, ahead, self._add)
        self.stop = self._reader.stop
        self.finished = self._reader.release  # one item is dealt with: another one may be read

    def _add(self, item: Item | Ended) -> None:
        self._arrived.append(item)
        if len(self._arrived) == 1:
            with suppress(RuntimeError):  # the loop is closed: nobody listens any more
                self._loop.call_soon_threadsafe(self._news.set)

    def __aiter__(self) -> Inbox[Item]:
        return self

    async def __anext__(self) -> Item:
        while not self._arrived:
            self._news.clear()
            if not self._arrived:
                await self._news.wait()
        item = self._arrived[0]
        if isinstance(item, Ended):  # it stays, for the other tasks
            item.check()
            raise StopAsyncIteration
        self._arrived.popleft()
        return item


class Outbox(Generic[Result]):
    """The results of tasks on an event loop, for one consumer in another thread; `put` waits for a slow one."""

    def __init__(self, room: int, discard: Callable[[Result], None], loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._discard = discard
        self._results: queue.SimpleQueue[Result | Ended] = queue.SimpleQueue()
        self._room = asyncio.Semaphore(room)
        self._lot = max(room // 4, 1)  # results are made room for in such lots: a wake-up of the loop is dear
        self._taken = 0

    async def put(self, result: Result) -> None:
        """Hand a result to the consumer, when there is room; a result that cannot be handed over is discarded."""
        try:
            await self._room.acquire()
        except BaseException:
            self._discard(result)
            raise
        self._results.put(result)

    def end(self, error: BaseException | None) -> None:
        """Say that no more results come."""
        self._results.put(Ended(error))

    def take(self, tick: float | None) -> Result | Ended:
        """Return the next result or the end, in the consumer's thread; raises queue.Empty after `tick` seconds."""
        item = self._results.get(timeout=tick)
        self._taken += 1
        if self._taken >= self._lot:
            taken, self._taken = self._taken, 0
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._release, taken)
        return item

    def _release(self, count: int) -> None:
        for _ in range(count):
            self._room.release()

    def clear(self) -> None:
        """Discard the results that nobody took."""
        while not self._results.empty():
            item = self._results.get()
            if not isinstance(item, Ended):
                self._discard(item)


def run_on_loop(
    engine: Callable[[Inbox[Item], Outbox[Result]], Coroutine[Any, Any, None]],
    source: Iterable[Item],
    *,
    ahead: int,
    room: int,
    discard: Callable[[Result], None],
    tick: float | None,
) -> Generator[Result | None, None, None]:
    """Run an engine on an event loop in a thread, and yield its results as they come.

    At most `ahead` items of the source are read that the engine has not finished, and `room` results wait. With `tick`,
    None is yielded whenever so many seconds brought no result. Closing the generator cancels the engine and discards
    what was not taken. Raises what the engine raises.
    """
    loop = asyncio.new_event_loop()
    inbox = Inbox(source, ahead, loop)
    outbox = Outbox(room, discard, loop)
    main = loop.create_task(engine(inbox, outbox))

    thread = threading.Thread(target=_run, args=(loop, main, inbox, outbox), name="event loop", daemon=True)
    thread.start()
    try:
        while True:
            try:
                item = outbox.take(tick)
            except queue.Empty:
                yield None
                continue
            if isinstance(item, Ended):
                item.check()
                return
            yield item
    finally:
        with suppress(RuntimeError):  # the loop is closed already
            loop.call_soon_threadsafe(main.cancel)
        thread.join()
        outbox.clear()


def _run(loop: asyncio.AbstractEventLoop, main: asyncio.Task[None], inbox: Inbox[Any], outbox: Outbox[Any]) -> None:
    """Run an engine in the thread of its loop, to its end."""
    error: BaseException | None = None
    try:
        loop.run_until_complete(main)
    except asyncio.CancelledError:
        pass
    except BaseException as raised:  # noqa: BLE001 - raised again in the consumer's thread
        error = raised
    finally:
        inbox.stop()
        loop.close()
        outbox.end(error)
