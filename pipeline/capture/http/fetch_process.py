"""`fetch` in a process of its own, so that reading from the network and writing the archive each have a core.

The two processes speak over a socket pair in pickled frames, both ends being this program: targets one way, results the
other. A slow consumer fills the socket and so slows the fetching; when either process dies, the other sees the end of
the stream.
"""

from __future__ import annotations

import copyreg
import os
import pickle
import queue
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import fields, replace
from operator import attrgetter
from pathlib import Path

from archive.model import Block, Digests, Exchange, Fetched, Target, Verdict
from archive.warc import payload_digest
from pipeline.capture.http.settings import FetchSettings
from storage.errors import OnrecordError

_HEADER = struct.Struct("!I")
_BUFFER = 1 << 22  # bytes of results that may lie between the two
_READ = 1 << 20
_BATCH = 64  # targets sent in one frame, when so many are at hand
_TARGETS_AHEAD = 1000
_ENDING = 10.0  # seconds the child gets to clear away after itself

_CHILD = "import sys; from pipeline.capture.http.fetch_process import serve; serve(int(sys.argv[1]))"


def _pickle_by_fields(kind: type) -> None:
    """Pickle a value as a call of its class: a frozen dataclass's own way takes ten times as long."""
    values = attrgetter(*[field.name for field in fields(kind)])
    copyreg.pickle(kind, lambda value: (kind, values(value)))


for _kind in (Block, Digests, Exchange, Fetched, Target, Verdict):
    _pickle_by_fields(_kind)


class _Frames:
    """Pickled objects over a socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._received = bytearray()
        self._poll = select.poll()  # a timeout of the socket's own would cut off the thread that sends
        self._poll.register(sock, select.POLLIN)

    def send(self, item: object) -> None:
        data = pickle.dumps(item, pickle.HIGHEST_PROTOCOL)
        self._socket.sendall(_HEADER.pack(len(data)) + data)

    def receive(self, timeout: float | None = None) -> object:
        """The next object; raises TimeoutError when none has begun by then, EOFError at the other end's end."""
        self._have(_HEADER.size, timeout)
        (size,) = _HEADER.unpack_from(self._received)
        end = _HEADER.size + size
        self._have(end, None)
        with memoryview(self._received) as view:
            item = pickle.loads(view[_HEADER.size : end])  # noqa: S301 - written by our own process
        del self._received[:end]
        return item

    def _have(self, size: int, timeout: float | None) -> None:
        while len(self._received) < size:
            if timeout is not None and not self._received and not self._poll.poll(timeout * 1000):
                raise TimeoutError
            data = self._socket.recv(_READ)
            if not data:
                raise EOFError
            self._received += data


def fetch_apart(
    targets: Iterable[Target], settings: FetchSettings, workdir: Path, *, tick: float | None = None
) -> Generator[Fetched | None, None, None]:
    """`fetch`, with the same results and the same manners, in a process of its own.

    Raises what the source of targets raises, StoreUnavailable when the work folder's disk fails, OnrecordError when the
    process is ended by something else.
    """
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        for option in (socket.SO_SNDBUF, socket.SO_RCVBUF):
            end.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
    with theirs:
        # -P: a folder named like one of our packages, where the user happens to be, is not imported instead.
        child = subprocess.Popen(  # noqa: S603 - our own interpreter and code
            [sys.executable, "-P", "-c", _CHILD, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
    feeder = _Feeder(targets, ours, settings, workdir)
    feeder.start()
    try:
        yield from _results(_Frames(ours), feeder, child, tick)
    finally:
        feeder.stop()
        ours.close()
        try:
            child.wait(_ENDING)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _results(
    frames: _Frames, feeder: _Feeder, child: subprocess.Popen[bytes], tick: float | None
) -> Generator[Fetched | None, None, None]:
    while True:
        try:
            item = frames.receive(tick)
        except TimeoutError:
            if feeder.error is not None:
                raise feeder.error from None
            yield None
            continue
        except (EOFError, ConnectionError) as error:
            if feeder.error is not None:
                raise feeder.error from None
            raise OnrecordError(
                f"the process that fetches was ended (exit code {child.wait(_ENDING)}); run again"
            ) from error
        if item is None:
            if feeder.error is not None:
                raise feeder.error
            return
        if isinstance(item, BaseException):
            raise item
        assert isinstance(item, Fetched), "the child sends nothing else"
        yield item


class _Feeder:
    """Sends targets as they come from their source, several in a frame when the source is ahead."""

    def __init__(self, targets: Iterable[Target], sock: socket.socket, settings: FetchSettings, workdir: Path) -> None:
        self.error: BaseException | None = None
        self._targets = targets
        self._first = (settings, str(workdir))
        self._frames = _Frames(sock)
        self._waiting: queue.Queue[Target | None] = queue.Queue(_TARGETS_AHEAD)
        self._stopped = False
        self._threads = [
            threading.Thread(target=target, name="targets", daemon=True) for target in (self._read, self._send)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """The threads are not waited for: the source may never give another line."""
        self._stopped = True
        with suppress(queue.Full):
            self._waiting.put_nowait(None)

    def _read(self) -> None:
        try:
            for target in self._targets:
                if self._stopped:
                    return
                self._waiting.put(target)
        except BaseException as error:  # noqa: BLE001 - raised again in the consumer's thread
            self.error = error
        self._waiting.put(None)

    def _send(self) -> None:
        with suppress(OSError):  # the child is gone: the consumer sees that for itself
            self._frames.send(self._first)
            while (batch := self._next_batch()) and not self._stopped:
                self._frames.send(batch)
                if batch[-1] is None:
                    return

    def _next_batch(self) -> list[Target | None]:
        batch = [self._waiting.get()]
        with suppress(queue.Empty):
            while batch[-1] is not None and len(batch) < _BATCH:
                batch.append(self._waiting.get_nowait())
        return batch


def serve(descriptor: int) -> None:
    """The child's life: targets in, results out, until either ends."""
    from pipeline.capture.http.fetch_many import fetch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with socket.socket(fileno=descriptor) as sock:
        threading.Thread(target=_watch, args=(sock,), daemon=True).start()
        frames = _Frames(sock)
        first = frames.receive()
        assert isinstance(first, tuple), "the parent sends settings first"
        settings, workdir = first
        sender = _Frames(sock)
        with suppress(EOFError, ConnectionError):  # the parent is gone
            try:
                with closing(fetch(_received(frames), settings, Path(workdir))) as results:
                    for result in results:
                        sender.send(result and _measured(result))
                sender.send(None)
            except OnrecordError as error:
                sender.send(error)


def _measured(fetched: Fetched) -> Fetched:
    """With the digests of its responses: hashing costs this process less than the one that writes."""
    exchanges = tuple(replace(exchange, digests=measure(exchange)) for exchange in fetched.exchanges)
    return Fetched(fetched.target, exchanges, fetched.verdict)


def _watch(sock: socket.socket) -> None:
    """End this process, files and all, when the parent closes its end or dies."""
    poll = select.poll()
    poll.register(sock, 0)  # nothing but the hang-up, which is always told
    poll.poll()
    os.kill(os.getpid(), signal.SIGTERM)


def _received(frames: _Frames) -> Iterator[Target]:
    while True:
        batch = frames.receive()
        assert isinstance(batch, list), "the parent sends lists of targets"
        for target in batch:
            if target is None:
                return
            yield target
