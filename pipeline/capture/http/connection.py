"""One connection: an address that was checked and a socket that was checked again, or a way through a proxy."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import SupportsIndex

import h11

from pipeline.capture.http.address_policy import refusal
from pipeline.capture.http.failures import Failure
from pipeline.capture.http.proxies import Proxy, private_name
from pipeline.capture.http.proxy_tunnel import NoWay, socket_through
from pipeline.capture.http.resolver import Addresses, resolve
from pipeline.capture.http.settings import FetchSettings
from pipeline.capture.http.urls import WebUrl

READ = 1 << 18

_Opener = Callable[
    [], Awaitable[tuple[socket.socket, str]]
]  # a connected socket, and its peer where that is the server


class Stale(Exception):
    """A kept connection was no good any more, through no fault of the URL: worth one new connection."""


class _Reader(asyncio.StreamReader):
    """A reader that counts, so that bytes which nobody asked for are noticed."""

    def __init__(self) -> None:
        super().__init__(limit=READ, loop=asyncio.get_running_loop())
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
    forward: Proxy | None = None  # that is asked for whole URLs, as RFC 9112 §3.2.2 has it
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
    """Connect to one of a host's addresses, all of them checked, or through the user's proxy; raises Failure."""
    proxy = settings.ways.proxy_of(url)
    if proxy is not None:
        return await _by_proxy(proxy, url, settings)
    last: Failure | None = None
    for address in await _addresses(url, settings):
        try:
            opener = partial(_socket_to, address, url, settings)
            return await _connected(opener, f"{address[0]} port {address[1]}", url, settings)
        except Failure as failure:
            last = failure
            if failure.verdict.name in {"refused-address", "tls-certificate"}:
                break
    assert last is not None, "a name that resolves to nothing is a dns-failure"
    raise last


async def _by_proxy(proxy: Proxy, url: WebUrl, settings: FetchSettings) -> Connection:
    """Connect through a proxy, which resolves the name: what it connects to cannot be checked here."""
    if not settings.allow_private and (why := private_name(url.host)):
        raise Failure("refused-address", f"{url.host}: {why}; --allow-private asks the proxy for it all the same")
    is_forward = proxy.scheme == "http" and url.scheme == "http"
    opener = partial(socket_through, proxy, None if is_forward else (url.host, url.port))
    connection = await _connected(opener, f"{url.host} port {url.port} by {proxy}", url, settings)
    connection.notes += (f"by the proxy {proxy}: the address it connected to is not known, and was not checked",)
    connection.forward = proxy if is_forward else None
    return connection


async def _addresses(url: WebUrl, settings: FetchSettings) -> Addresses:
    if url.host.rstrip(".").endswith(".onion"):  # RFC 7686 §2: no resolver is asked
        raise Failure(
            "dns-failure", f"{url.host} is reached through Tor alone: --proxy socks5h://127.0.0.1:9050 goes by it"
        )
    try:
        async with asyncio.timeout(settings.connect_timeout):
            addresses = await resolve(url.host, url.port)
    except TimeoutError as error:  # before OSError, which it is one of
        raise Failure("dns-failure", f"{url.host} cannot be resolved: no answer in time") from error
    except (OSError, UnicodeError) as error:
        raise Failure("dns-failure", f"{url.host} cannot be resolved: {reason_of(error)}") from error
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


async def _connected(opener: _Opener, where: str, url: WebUrl, settings: FetchSettings) -> Connection:
    try:
        async with asyncio.timeout(settings.connect_timeout):
            if url.scheme == "http":
                return await _open(opener, url, None)
            return await _open_tls(opener, url, settings)
    except TimeoutError as error:
        raise Failure("connect-timeout", f"no connection to {where} within {settings.connect_timeout:g} s") from error
    except ssl.SSLError as error:
        if speaks_http2_only(error):
            raise Failure("http2-only", f"{url.host} does not speak HTTP/1") from error
        raise Failure("tls-failure", f"no TLS with {url.host}: {error.reason or error}") from error
    except NoWay as error:
        raise Failure("connect-failed", str(error)) from error
    except OSError as error:
        raise Failure("connect-failed", f"no connection to {where}: {reason_of(error)}") from error


async def _open_tls(opener: _Opener, url: WebUrl, settings: FetchSettings) -> Connection:
    try:
        return await _open(opener, url, _context(verify=True))
    except ssl.SSLCertVerificationError as error:
        if not settings.insecure:
            message = (
                f"the certificate of {url.host} is not valid: {error.verify_message}; --insecure records it and goes on"
            )
            raise Failure("tls-certificate", message) from error
        connection = await _open(opener, url, _context(verify=False))
        connection.notes = (f"certificate not valid: {error.verify_message}",)
        return connection


async def _socket_to(address: tuple[str, int], url: WebUrl, settings: FetchSettings) -> tuple[socket.socket, str]:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, or asyncio leaves Nagle on
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, address)
        ip = str(sock.getpeername()[0])
        if not settings.allow_private:
            _check(ip, url)
    except BaseException:
        sock.close()
        raise
    return sock, ip


async def _open(opener: _Opener, url: WebUrl, context: ssl.SSLContext | None) -> Connection:
    sock, ip = await opener()
    try:
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


def speaks_http2_only(error: ssl.SSLError) -> bool:
    """Return whether a server has refused HTTP/1 in its TLS handshake, by the alert of RFC 7301 §3.2.

    Python gives that alert no `reason` of its own: its words are in the message.
    """
    return "no application protocol" in str(error).lower().replace("_", " ")


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


def reason_of(error: BaseException) -> str:
    """Return what went wrong with a socket, in the system's words."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text or type(error).__name__
