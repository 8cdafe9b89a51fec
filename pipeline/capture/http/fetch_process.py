"""`fetch` in a process of its own, so that reading from the network and writing the archive each have a core.

Targets go one way, results the other. A slow consumer fills the socket between them and so slows the fetching.
"""

from __future__ import annotations

import copyreg
import os
import queue
import signal
import sys
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import fields, replace
from operator import attrgetter
from pathlib import Path

from archive.model import Block, Digests, Exchange, Fetched, Target, Verdict
from archive.warc import measure
from pipeline.capture.bridge import Ended, ReadAhead
from pipeline.capture.http.settings import FetchSettings
from pipeline.child_process import Channel, ChildProcess
from storage.errors import OnrecordError

_BUFFER = 1 << 22  # bytes of results that may lie between the two
_BATCH = 64  # targets sent in one message, when so many are at hand
_TARGETS_AHEAD = 1000
_ENDING = 10.0  # seconds the child gets to clear away after itself


def _pickle_by_fields(kind: type) -> None:
    """Pickle a value as a call of its class: a frozen dataclass's own way takes ten times as long."""
    values = attrgetter(*[field.name for field in fields(kind)])
    copyreg.pickle(kind, lambda value: (kind, values(value)))


for _kind in (Block, Digests, Exchange, Fetched, Target, Verdict):
    _pickle_by_fields(_kind)


def fetch_apart(
    targets: Iterable[Target], settings: FetchSettings, workdir: Path, *, tick: float | None = None
) -> Generator[Fetched | None, None, None]:
    """Fetch as `fetch` does, with the same results and the same manners, in a process of its own.

    Raises what the source of targets raises, StoreUnavailable when the work folder's disk fails, OnrecordError when the
    process is ended by something else.
    """
    child = ChildProcess("pipeline.capture.http.fetch_process:serve", buffer=_BUFFER)
    feeder = _Feeder(targets, child.channel, settings, workdir)
    try:
        while True:
            try:
                item = child.channel.receive(tick)
            except TimeoutError:
                feeder.ended.check()
                yield None
                continue
            except (EOFError, ConnectionError) as error:
                feeder.ended.check()
                raise OnrecordError(
                    f"the process that fetches was ended (exit code {child.wait(_ENDING)}); run again"
                ) from error
            if item is None:
                feeder.ended.check()
                return
            if isinstance(item, BaseException):
                raise item
            assert isinstance(item, Fetched), "the child sends nothing else"
            yield item
    finally:
        feeder.stop()
        child.end(_ENDING)


class _Feeder:
    """Sends targets as they come from their source, several in a message when the source is ahead."""

    def __init__(self, targets: Iterable[Target], channel: Channel, settings: FetchSettings, workdir: Path) -> None:
        self.ended = Ended()  # with the error that ended the source, once there is one
        self._first = (settings, workdir)
        self._channel = channel
        self._waiting: queue.SimpleQueue[Target | Ended] = queue.SimpleQueue()
        self._stopped = False
        self._reader = ReadAhead(targets, _TARGETS_AHEAD, self._waiting.put)
        threading.Thread(target=self._send, name="sender", daemon=True).start()

    def stop(self) -> None:
        self._stopped = True
        self._reader.stop()
        self._waiting.put(Ended())

    def _send(self) -> None:
        with suppress(OSError):  # the child is gone: the consumer sees that for itself
            self._channel.send(self._first)
            while not self._stopped:
                item = self._waiting.get()
                batch: list[Target | None] = []  # what waits, at least one
                with suppress(queue.Empty):
                    while not isinstance(item, Ended) and len(batch) < _BATCH - 1:
                        batch.append(item)
                        item = self._waiting.get_nowait()
                    batch.append(None if isinstance(item, Ended) else item)
                if isinstance(item, Ended):
                    self.ended = item
                self._channel.send(batch)
                if batch[-1] is None:  # the end
                    return
                self._reader.release(len(batch))


def serve(channel: Channel) -> None:
    """Fetch in the child: targets in, results out, until either ends."""
    from pipeline.capture.http.fetch_many import fetch

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    threading.Thread(target=_watch, args=(channel,), daemon=True).start()
    settings, workdir = channel.receive()
    with suppress(EOFError, ConnectionError):  # the parent is gone
        try:
            with closing(fetch(_received(channel), settings, workdir)) as results:
                for result in results:
                    channel.send(result and _measured(result))
            channel.send(None)
        except OnrecordError as error:
            channel.send(error)


def _measured(fetched: Fetched) -> Fetched:
    """With the digests of its responses: hashing costs this process less than the one that writes."""
    exchanges = tuple(replace(exchange, digests=measure(exchange)) for exchange in fetched.exchanges)
    return Fetched(fetched.target, exchanges, fetched.verdict)


def _watch(channel: Channel) -> None:
    """End this process, files and all, when the parent closes its end or dies."""
    channel.wait_for_end()
    os.kill(os.getpid(), signal.SIGTERM)


def _received(channel: Channel) -> Iterator[Target]:
    while True:
        batch = channel.receive()
        assert isinstance(batch, list), "the parent sends lists of targets"
        for target in batch:
            if target is None:
                return
            yield target
