"""Sockets through a proxy that the user names: SOCKS5 (RFC 1928) and CONNECT (RFC 9110 §9.3.6)."""

from __future__ import annotations

import asyncio
import base64
import socket

from pipeline.capture.http.proxies import Proxy
from pipeline.capture.http.resolver import resolve


class NoWay(Exception):
    """The proxy cannot be reached, or does not connect; its text names the proxy and the reason."""


async def socket_through(proxy: Proxy, target: tuple[str, int] | None) -> tuple[socket.socket, str]:
    """Return a socket that leads to a target's host, a name or an address, and port; without a target, to the proxy.

    The name goes to the proxy as it is: no resolver is asked for it. The address behind it is not known: "". Raises
    NoWay.
    """
    try:
        addresses = await resolve(proxy.host, proxy.port)
    except (OSError, UnicodeError) as error:
        raise NoWay(f"the proxy {proxy} cannot be resolved: {getattr(error, 'strerror', None) or error}") from error
    last: Exception = OSError("no address")
    for host, port in addresses:
        try:
            return await (_plain(host, port) if target is None else _tunnel(proxy, host, target)), ""
        except OSError as error:
            last = error
    reason = getattr(last, "strerror", None) or str(last)
    raise NoWay(f"no connection to the proxy {proxy}: {reason}") from last


async def _plain(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # named, or asyncio leaves Nagle on
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (host, port))
    except BaseException:
        sock.close()
        raise
    return sock


async def _tunnel(proxy: Proxy, host: str, target: tuple[str, int]) -> socket.socket:
    from python_socks import ProxyConnectionError, ProxyType
    from python_socks import ProxyError as Refusal
    from python_socks.async_.asyncio import Proxy as Client

    kind = ProxyType.SOCKS5 if proxy.scheme == "socks5h" else ProxyType.HTTP
    client = Client(kind, host, proxy.port, username=proxy.username, password=proxy.password, rdns=True)
    try:
        return await client.connect(*target, timeout=_FOREVER)
    except ProxyConnectionError as error:
        raise OSError(error.errno, (error.strerror or str(error)).rpartition("[")[2].rstrip("]")) from error
    except Refusal as error:
        raise NoWay(f"the proxy {proxy} does not connect to {target[0]} port {target[1]}: {error}") from error


def authorization(proxy: Proxy) -> bytes:
    """Return the header line by which a proxy knows its user (RFC 9110 §11.7.2), b"" where no user is named."""
    if proxy.username is None:
        return b""
    pair = f"{proxy.username}:{proxy.password or ''}".encode()
    return b"Proxy-Authorization: Basic " + base64.b64encode(pair) + b"\r\n"


_FOREVER = 3600.0  # seconds: the caller has a limit of its own
