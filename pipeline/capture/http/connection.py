"""One connection: an address that was checked, a socket that was checked again, and exchanges recorded over it."""

from __future__ import annotations

import asyncio
import math
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import SupportsIndex

import h11

from archive.model import Exchange, Truncation
from archive.times import now
from pipeline.capture.http.address_policy import refusal
from pipeline.capture.http.failures import Failure
from pipeline.capture.http.recorder import BlockSink, Recorder
from pipeline.capture.http.request import Request, request_headers
from pipeline.capture.http.resolver import Addresses, resolve
from pipeline.capture.http.settings import FetchSettings
from pipeline.capture.http.urls import WebUrl

_READ = 1 << 18


class Stale(Exception):
    """A kept connection was no good any more, through no fault of the URL: worth one new connection."""


class _Reader(asyncio.StreamReader):
    """A reader that counts, so that bytes which nobody asked for are noticed."""

    def __init__(self) -> None:
        super().__init__(limit=_READ, loop=asyncio.get_running_loop())
        self.fed = 0

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        """Take what the transport received."""
        assert isinstance(data, bytes | bytearray | memoryview), "transports give bytes"
        self.fed += len(data)
        super().feed_data(data)


@dataclass(slots=True)
class Connection:
    """An open connection to a host, ready for the next exchange."""

    reader: _Reader
    writer: asyncio.StreamWriter
    ip: str
    tls: str | None = None  # "tls/1.3"
    notes: tuple[str, ...] = ()
    exchanges: int = 0
    taken: int = 0  # bytes that belonged to exchanges
    state: h11.Connection | None = field(default=None)

    @property
    def usable(self) -> bool:
        """Whether it is open and silent: bytes behind one answer must never pass for the next one."""
        return self.reader.fed == self.taken and not self.reader.at_eof() and not self.writer.is_closing()

    def close(self) -> None:
        """Let the socket go, without a farewell."""
        self.writer.transport.abort()


async def connect(url: WebUrl, settings: FetchSettings) -> Connection:
    """Connect to one of a host's addresses, all of them checked; raises Failure."""
    last: Failure | None = None
    for address in await _addresses(url, settings):
        try:
            return await _connect_to(address, url, settings)
        except Failure as failure:
            last = failure
            if failure.verdict.name in {"refused-address", "tls-certificate"}:
                break
    assert last is not None, "a name that resolves to nothing is a dns-failure"
    raise last


async def _addresses(url: WebUrl, settings: FetchSettings) -> Addresses:
    try:
        async with asyncio.timeout(settings.connect_timeout):
            addresses = await resolve(url.host, url.port)
    except TimeoutError as error:  # before OSError, which it is one of
        raise Failure("dns-failure", f"{url.host} cannot be resolved: no answer in time") from error
    except (OSError, UnicodeError) as error:
        raise Failure("dns-failure", f"{url.host} cannot be resolved: {_reason(error)}") from error
    if not settings.allow_private:
        for address, _ in addresses:
            # One refused address refuses the name: a name that is public today and private tomorrow is an attack.
            _check(address, url)
    return addresses


def _check(address: str, url: WebUrl) -> None:
    reason = refusal(address)
    if reason:
        named = "" if address == url.host else f"{url.host} is "
        raise Failure("refused-address", f"{named}{address}: {reason}; --allow-private captures it all the same")


async def _connect_to(address: tuple[str, int], url: WebUrl, settings: FetchSettings) -> Connection:
    try:
        async with asyncio.timeout(settings.connect_timeout):
            if url.scheme == "http":
                return await _open(address, url, settings, None)
            return await _open_tls(address, url, settings)
    except TimeoutError as error:
        raise Failure(
            "connect-timeout", f"no connection to {address[0]} within {settings.connect_timeout:g} s"
        ) from error
    except ssl.SSLError as error:
        raise Failure("tls-failure", f"no TLS with {url.host}: {error.reason or error}") from error
    except OSError as error:
        raise Failure("connect-failed", f"no connection to {address[0]} port {address[1]}: {_reason(error)}") from error


async def _open_tls(address: tuple[str, int], url: WebUrl, settings: FetchSettings) -> Connection:
    try:
        return await _open(address, url, settings, _context(verify=True))
    except ssl.SSLCertVerificationError as error:
        if not settings.insecure:
            message = (
                f"the certificate of {url.host} is not valid: {error.verify_message}; --insecure records it and goes on"
            )
            raise Failure("tls-certificate", message) from error
        connection = await _open(address, url, settings, _context(verify=False))
        connection.notes = (f"certificate not valid: {error.verify_message}",)
        return connection


async def _open(
    address: tuple[str, int], url: WebUrl, settings: FetchSettings, context: ssl.SSLContext | None
) -> Connection:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)
        ip = str(sock.getpeername()[0])
        if not settings.allow_private:
            _check(ip, url)
        name = url.host.rstrip(".") if context else None
        reader = _Reader()
        protocol = asyncio.StreamReaderProtocol(reader)
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_connection(lambda: protocol, sock=sock, ssl=context, server_hostname=name)
    except BaseException:
        sock.close()
        raise
    writer = asyncio.StreamWriter(transport, protocol, reader, loop)
    version = writer.get_extra_info("ssl_object").version() if context else None
    return Connection(reader, writer, ip, version and version.lower().replace("tlsv", "tls/"))


_CONTEXTS: dict[bool, ssl.SSLContext] = {}


def _context(*, verify: bool) -> ssl.SSLContext:
    if verify not in _CONTEXTS:
        context = ssl.create_default_context()
        context.set_alpn_protocols(["http/1.1"])
        if not verify:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        _CONTEXTS[verify] = context
    return _CONTEXTS[verify]


async def exchange(
    connection: Connection, url: WebUrl, request: Request, settings: FetchSettings, folder: Path
) -> tuple[Exchange, str | None, bool]:
    """Send a request and record its response.

    Returns the exchange, why it is not whole (or None), and whether the connection can be used again. Raises Stale, or
    Failure when nothing that is a response came.
    """
    state = connection.state
    if state is None:
        state = connection.state = h11.Connection(h11.CLIENT, max_incomplete_event_size=settings.max_header_bytes)
    else:
        state.start_next_cycle()
    sent, notes = _to_send(state, url, request, settings)
    sink = BlockSink(folder, settings.memory_limit)
    recorder = Recorder(
        state,
        sink,
        max_size=settings.max_size,
        max_header_bytes=settings.max_header_bytes,
        bodiless=request.method == "HEAD",
    )
    started = now().replace(microsecond=0)
    try:
        await _converse(connection, sent, recorder, url, settings)
        response = sink.finish()
    except BaseException:
        sink.discard()
        raise
    recorded = Exchange(
        url=str(url),
        started=started,
        request=sent,
        response=response,
        head_length=recorder.head_length,
        status=recorder.status,
        headers=recorder.headers,
        ip=connection.ip,
        protocols=(f"http/{recorder.version}", *([connection.tls] if connection.tls else [])),
        truncated=recorder.truncated,
        notes=connection.notes + tuple(notes + recorder.notes),
    )
    return recorded, recorder.error, recorder.reusable


def _to_send(state: h11.Connection, url: WebUrl, request: Request, settings: FetchSettings) -> tuple[bytes, list[str]]:
    headers, notes = request_headers(url, request, settings)
    sent = state.send(h11.Request(method=request.method, target=url.path, headers=headers)) or b""
    if request.body:
        sent += state.send(h11.Data(data=request.body)) or b""
    return sent + (state.send(h11.EndOfMessage()) or b""), notes


async def _converse(
    connection: Connection, sent: bytes, recorder: Recorder, url: WebUrl, settings: FetchSettings
) -> None:
    """Send the request and read until the recorder has its response; raises Stale or Failure when there is none."""
    reused = connection.exchanges > 0
    connection.exchanges += 1
    try:
        connection.writer.write(sent)
        await _read(connection.reader, recorder, settings)
    except Failure as failure:
        # On a kept connection, what is not HTTP may be the tail of the answer before.
        if reused and failure.verdict.name in {"empty-reply", "not-http"}:
            raise Stale from failure
        raise
    except OSError as error:
        if reused and not recorder.received:
            raise Stale from error
        if isinstance(error, ssl.SSLError):
            raise Failure("tls-failure", f"TLS with {url.host} broke: {error.reason or error}") from error
        raise Failure("connect-failed", f"the connection broke: {_reason(error)}") from error
    finally:
        connection.taken += recorder.received


async def _read(reader: asyncio.StreamReader, recorder: Recorder, settings: FetchSettings) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + settings.deadline
    pace = _Pace(settings)
    while not recorder.complete:
        present = loop.time()
        waits = {"silent": settings.timeout, "whole": end - present, "slow": pace.due - present}
        first = min(waits, key=lambda name: waits[name])
        try:
            async with asyncio.timeout(waits[first]):
                data = await reader.read(_READ)
        except TimeoutError:
            if first == "slow" and pace.holds(recorder.received, pace.due):
                continue
            _out_of_time(recorder, settings, first)
            return
        except OSError as error:
            if not recorder.begun:
                raise
            # Also where only the end of the connection ends the body: a connection that broke has not ended it.
            recorder.give_up(Truncation.DISCONNECT, f"the connection broke: {_reason(error)}")
            return
        recorder.feed(data)
        if not recorder.complete and not pace.holds(recorder.received, loop.time()):
            _out_of_time(recorder, settings, "slow")


class _Pace:
    """Whether a response comes fast enough, looked at after each span of time, from its first byte on."""

    def __init__(self, settings: FetchSettings) -> None:
        self._span = settings.low_speed_time
        self._least = settings.low_speed * settings.low_speed_time  # bytes in a span
        self._before = 0  # bytes that had come when the span began
        self.due = math.inf  # when the span ends

    def holds(self, received: int, present: float) -> bool:
        """Return whether enough came in the span, as far as one is over, given all bytes up to now."""
        if not received or not self._least:
            return True
        enough = True
        if self.due < math.inf and present >= self.due:
            enough, self._before = received - self._before >= self._least, received
            self.due = math.inf
        if self.due == math.inf:
            self.due = present + self._span
        return enough


def _out_of_time(recorder: Recorder, settings: FetchSettings, limit: str) -> None:
    """End a response at one of the limits of time: "silent", "whole" or "slow"."""
    why = {
        "silent": f"no byte for {settings.timeout:g} s; raise --timeout to wait longer",
        "whole": f"not whole within {settings.deadline:g} s",
        "slow": f"fewer than {settings.low_speed:g} bytes per second over {settings.low_speed_time:g} s; lower "
        "--low-speed to wait longer",
    }[limit]
    if not recorder.begun:
        raise Failure("timeout", f"no answer: {why}")
    recorder.give_up(Truncation.TIME, why)


def _reason(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text or type(error).__name__
