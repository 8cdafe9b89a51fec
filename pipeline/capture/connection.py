"""One connection: an address that was checked, a socket that was checked again, and exchanges recorded over it."""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import h11

from archive.model import Exchange, Headers, Truncation
from pipeline.capture.addresses import refusal
from pipeline.capture.recorder import BlockSink, Recorder
from pipeline.capture.settings import FetchSettings
from pipeline.capture.urls import WebUrl
from pipeline.capture.verdicts import Failure

_READ = 1 << 18


class Stale(Exception):
    """A kept connection had been closed by the server before a byte of an answer: worth one new connection."""


@dataclass(slots=True)
class Connection:
    """An open connection to a host, ready for the next exchange."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    ip: str
    tls: str | None = None  # "tls/1.3"
    notes: tuple[str, ...] = ()
    exchanges: int = 0
    state: h11.Connection | None = field(default=None)

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


async def _addresses(url: WebUrl, settings: FetchSettings) -> list[tuple[str, int]]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(settings.connect_timeout):
            found = await loop.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise Failure("dns-failure", f"{url.host} cannot be resolved: {reason}") from error
    except TimeoutError as error:
        raise Failure("dns-failure", f"{url.host} cannot be resolved: no answer in time") from error
    addresses = list(dict.fromkeys((str(entry[4][0]), url.port) for entry in found))
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
        reader, writer = await asyncio.open_connection(sock=sock, ssl=context, server_hostname=name, limit=_READ)
    except BaseException:
        sock.close()
        raise
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
    connection: Connection, url: WebUrl, headers: Headers, settings: FetchSettings, folder: Path
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
    request = h11.Request(method="GET", target=url.path, headers=_headers(url, headers, settings))
    sent = (state.send(request) or b"") + (state.send(h11.EndOfMessage()) or b"")
    sink = BlockSink(folder, settings.memory_limit)
    recorder = Recorder(state, sink, max_size=settings.max_size, max_header_bytes=settings.max_header_bytes)
    started = datetime.now(UTC).replace(microsecond=0)
    reused = connection.exchanges > 0
    connection.exchanges += 1
    try:
        connection.writer.write(sent)
        await _read(connection.reader, recorder, settings)
    except (Failure, ConnectionError) as error:
        sink.discard()
        if reused and not recorder.received:
            raise Stale from error
        if isinstance(error, Failure):
            raise
        raise Failure("connect-failed", f"the connection broke: {_reason(error)}") from error
    except BaseException:
        sink.discard()
        raise
    protocols = (f"http/{recorder.version}", *([connection.tls] if connection.tls else []))
    recorded = Exchange(
        url=str(url),
        started=started,
        request=sent,
        response=sink.finish(),
        head_length=recorder.head_length,
        status=recorder.status,
        headers=recorder.headers,
        ip=connection.ip,
        protocols=protocols,
        truncated=recorder.truncated,
        notes=connection.notes + tuple(recorder.notes),
    )
    return recorded, recorder.error, recorder.reusable


async def _read(reader: asyncio.StreamReader, recorder: Recorder, settings: FetchSettings) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + settings.deadline
    while not recorder.complete:
        limit = min(settings.timeout, end - loop.time())
        try:
            async with asyncio.timeout(limit):
                data = await reader.read(_READ)
        except TimeoutError:
            _out_of_time(recorder, settings, whole=limit < settings.timeout)
            return
        except (ConnectionError, ssl.SSLError):
            if not recorder.begun:
                raise
            data = b""
        recorder.feed(data)


def _out_of_time(recorder: Recorder, settings: FetchSettings, *, whole: bool) -> None:
    seconds = settings.deadline if whole else settings.timeout
    told = f"not whole within {seconds:g} s" if whole else f"no byte for {seconds:g} s; raise --timeout to wait longer"
    if not recorder.begun:
        raise Failure("timeout", f"no answer: {told}")
    recorder.give_up(Truncation.TIME, told)


def _headers(url: WebUrl, further: Headers, settings: FetchSettings) -> list[tuple[str, str]]:
    named = {name.lower() for name, _ in further}
    usual = [
        ("Host", url.authority),
        ("User-Agent", settings.user_agent),
        ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
        ("Accept-Encoding", "gzip, deflate"),
    ]
    return [(name, value) for name, value in usual if name.lower() not in named] + list(further)


def _reason(error: BaseException) -> str:
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text or type(error).__name__
