"""The recorder: bytes of a response go in as they arrive, and what comes out is where it begins, ends, and is whole.

It does no I/O of its own but for the file that a large body goes to.

h11 parses; every byte is kept before h11 sees it. Where h11 refuses what browsers accept, `framing` reads on leniently.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import h11

from archive.model import Block, Headers, Truncation
from archive.warc import Head, parse_head
from pipeline.capture.http.failures import Failure
from pipeline.capture.http.framing import Counted, Framing, framing_of
from storage.errors import StoreUnavailable

_FRAMES = {b"\4\0", b"\7\0"}  # the types and flags of SETTINGS and GOAWAY: what comes first (RFC 9113 §3.4)
_SWITCHING = 101  # final: what follows is another protocol (RFC 9110 §15.2.2)
_BYTES_BEHIND = "more bytes came behind the response; they are no part of it"


class BlockSink:
    """Bytes kept in memory up to a limit, then in a file."""

    def __init__(self, folder: Path, memory_limit: int) -> None:
        self._folder = folder
        self._memory_limit = memory_limit
        self._pieces: list[bytes] = []
        self._file: BinaryIO | None = None
        self._path: Path | None = None
        self.size = 0

    def write(self, data: bytes) -> None:
        """Take more bytes; raises StoreUnavailable when the disk fails."""
        self.size += len(data)
        if self._file is None:
            self._pieces.append(data)
            if self.size <= self._memory_limit:
                return
        try:
            self._spill(data)
        except OSError as error:
            raise self._full(error) from error

    def _full(self, error: OSError) -> StoreUnavailable:
        return StoreUnavailable(f"{self._folder}: {error.strerror or error}; free space there, then run again")

    def _spill(self, data: bytes) -> None:
        if self._file is None:
            with tempfile.NamedTemporaryFile(dir=self._folder, prefix="body-", delete=False) as named:
                self._path = Path(named.name)
            self._file = self._path.open("wb", buffering=1 << 18)
            data = b"".join(self._pieces)
            self._pieces.clear()
        self._file.write(data)

    def finish(self) -> Block:
        """Return the bytes as a block; raises StoreUnavailable when the disk fails."""
        if self._file is None:
            return Block.of(b"".join(self._pieces))
        try:
            self._file.close()
        except OSError as error:
            raise self._full(error) from error
        return Block(self.size, path=self._path)

    def discard(self) -> None:
        """Forget the bytes and remove the file."""
        self._pieces.clear()
        if self._file is not None:
            with suppress(OSError):  # what is buffered still may not fit on the disk
                self._file.close()
        if self._path is not None:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)


class Recorder:
    """One response on its way in, to the request that `connection` has just sent; to a HEAD it is `bodiless`."""

    def __init__(
        self,
        connection: h11.Connection,
        sink: BlockSink,
        *,
        max_size: int,
        max_header_bytes: int,
        bodiless: bool = False,
    ) -> None:
        self._h11 = connection
        self._sink = sink
        self._max_size = max_size
        self._max_header = max_header_bytes
        self._bodiless = bodiless
        self._head = bytearray()  # until the final response's head is complete
        self._fresh = b""  # what came last and is not kept yet
        self._framing: Framing | None = None  # once h11 has refused the head
        self.received = 0  # bytes that came, of whatever kind
        self.status = 0
        self.headers: Headers = ()
        self.version = "1.1"
        self.head_length = 0
        self.complete = False
        self.reusable = False
        self.truncated: Truncation | None = None
        self.error: str | None = None  # why the response was given up, when it was
        self.notes: list[str] = []

    @property
    def begun(self) -> bool:
        """Whether a final response's head has come."""
        return self.head_length > 0

    def feed(self, data: bytes) -> None:
        """Take what the socket gave, b"" at its end; raises Failure for what is no response at all."""
        self.received += len(data)
        if self._framing is not None:
            self._feed_leniently(data)
            return
        if not self.begun:
            self._head += data
            self._check_head()
        self._fresh = data
        try:
            self._h11.receive_data(data)
            self._read_events(closed=not data)
        except h11.RemoteProtocolError as error:
            self._refused(error, closed=not data)

    def _check_head(self) -> None:
        start = bytes(self._head[:5])
        if start[3:] in _FRAMES and start[:2] in {b"\0\0", b"\0\1"}:
            raise Failure("http2-only", "the server answers HTTP/1 with frames of HTTP/2 (RFC 9113 §4.1)")
        if start[:1] == b"\0" and len(start) < len(b"HTTP/"):  # a frame's head may come in pieces
            return
        if start and not b"HTTP/".startswith(start) and start != b"HTTP/":
            raise Failure("not-http", f"what came is not HTTP: it begins with {bytes(self._head[:20])!r}")

    def _read_events(self, *, closed: bool) -> None:
        while not self.complete:
            event = self._h11.next_event()
            if event is h11.NEED_DATA:
                break
            if isinstance(event, h11.InformationalResponse):
                del self._head[: len(self._head) - self._unread()]
            elif isinstance(event, h11.Response):
                self._begin(event)
            elif isinstance(event, h11.EndOfMessage):
                self._end()
            elif isinstance(event, h11.ConnectionClosed) or event is h11.PAUSED:
                break
        if self.begun:
            self._keep(self._fresh[: len(self._fresh) - self._unread()] if self.complete else self._fresh)
        elif closed:
            raise self._no_answer()

    def _unread(self) -> int:
        return len(self._h11.trailing_data[0])

    def _begin(self, event: h11.Response) -> None:
        self.head_length = len(self._head) - self._unread()
        if self.head_length > self._max_header:
            raise self._too_large()
        self.status = event.status_code
        self.version = event.http_version.decode()
        self.headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in event.headers.raw_items())
        if b"\r\n\r\n" not in self._head[self.head_length - 4 : self.head_length]:
            self.notes.append("the head's lines end in bare LF")
        self._fresh = bytes(self._head)
        self._head.clear()

    def _end(self) -> None:
        self.complete = True
        doubly_framed = self._note_double_framing()
        if self._unread():
            self.notes.append(_BYTES_BEHIND)
        self.reusable = not doubly_framed and not self._unread() and self._h11.their_state is h11.DONE
        self.reusable = self.reusable and self._h11.our_state is h11.DONE

    def _note_double_framing(self) -> bool:
        doubly = {"content-length", "transfer-encoding"} <= {name.lower() for name, _ in self.headers}
        if doubly:
            self.notes.append("both Content-Length and Transfer-Encoding: the latter is followed (RFC 9112 §6.3)")
        return doubly

    def _keep(self, data: bytes) -> None:
        room = max(self._max_size, self.head_length) - self._sink.size  # a response without its head is none
        if len(data) > room:
            self._sink.write(data[:room])
            self.give_up(Truncation.LENGTH, f"longer than {self._max_size:,} bytes; raise --max-size to keep all of it")
        elif data:
            self._sink.write(data)

    def give_up(self, reason: Truncation, error: str) -> None:
        """End the response before its end: it is kept as far as it came."""
        self.complete = True
        self.reusable = False
        self.truncated = reason
        self.error = error

    def _refused(self, error: h11.RemoteProtocolError, *, closed: bool) -> None:
        """h11 will not go on: the response broke off, is no HTTP, or is only sloppy."""
        if self.begun:
            self._keep(self._fresh)
            if self.truncated is None:
                reason = Truncation.DISCONNECT if closed else Truncation.UNSPECIFIED
                self.give_up(reason, "the connection closed before the end" if closed else f"broken framing: {error}")
            return
        if error.error_status_hint == 431 or len(self._head) > self._max_header:
            raise self._too_large()
        if closed:
            raise self._no_answer()
        self.notes.append(f"malformed head, read leniently: {error}")
        self._framing = Framing()
        head = bytes(self._head)
        self._head.clear()
        self._feed_leniently(head)

    def _feed_leniently(self, data: bytes) -> None:
        if not self.begun:
            self._head += data
            if not data:
                raise self._no_answer()
            head = self._lenient_head()
            if head is None:
                return
            data = bytes(self._head[head.length :])
            self._begin_leniently(head)
            if not data and not self._framing_now.done:
                return
        framing = self._framing_now
        taken = framing.feed(data)
        self._keep(data[:taken])
        if self.truncated is not None:
            return
        if framing.done:
            self.complete = True
            if taken < len(data):
                self.notes.append(_BYTES_BEHIND)
        if framing.broken:
            self.give_up(Truncation.UNSPECIFIED if data else Truncation.DISCONNECT, framing.broken)

    def _lenient_head(self) -> Head | None:
        """Return the final response's head once it is complete; interim ones before it are dropped (RFC 9110 §15.2)."""
        while True:
            end = _head_end(self._head)
            if (end or len(self._head)) > self._max_header:
                raise self._too_large()
            if not end:
                return None
            head = parse_head(bytes(self._head[:end]))
            if not head.status:
                raise Failure("not-http", f"the answer begins with no status line: {bytes(self._head[:40])!r}")
            if not 100 <= head.status < 200 or head.status == _SWITCHING:
                return head
            del self._head[:end]

    def _begin_leniently(self, head: Head) -> None:
        self.head_length, self.status, self.headers = head.length, head.status, head.headers
        self.version = self._head[5:8].decode("latin-1")  # of "HTTP/1.0", which parse_head has seen
        self._framing = Counted(0) if self._bodiless else framing_of(head)
        self._note_double_framing()
        self._keep(bytes(self._head[: head.length]))
        self._head.clear()

    @property
    def _framing_now(self) -> Framing:
        assert self._framing is not None, "lenient reading began with it"
        return self._framing

    def _too_large(self) -> Failure:
        return Failure("header-too-large", f"the answer's head is longer than {self._max_header:,} bytes")

    def _no_answer(self) -> Failure:
        if self.received:
            return Failure("not-http", f"the connection closed within the head: {bytes(self._head[:40])!r}")
        return Failure("empty-reply", "the server closed the connection without an answer")


def _head_end(data: bytearray) -> int:
    """Where the blank line ends, 0 when it has not come."""
    ends = [at + len(mark) for mark in (b"\r\n\r\n", b"\n\n", b"\n\r\n") if (at := data.find(mark)) >= 0]
    return min(ends, default=0)
