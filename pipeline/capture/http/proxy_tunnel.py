"""Sockets through a proxy that the user names: SOCKS5 (RFC 1928) and CONNECT (RFC 9110 §9.3.6)."""

from __future__ import annotations

import asyncio
import base64
import re
import socket

from pipeline.capture.http.proxies import Proxy
from pipeline.capture.http.resolver import resolve

LONGEST_HEAD = 1 << 16  # bytes of a proxy's answer


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
    return await (_by_socks if proxy.scheme == "socks5h" else _by_http)(proxy, host, target)


async def _by_http(proxy: Proxy, host: str, target: tuple[str, int]) -> socket.socket:
    """Connect by CONNECT; its answer is read to the end of its head, in however many pieces it comes."""
    loop = asyncio.get_running_loop()
    sock = await _plain(host, proxy.port)
    try:
        await loop.sock_sendall(sock, connect_request(proxy, *target))
        head = bytearray()
        while not head.endswith(b"\r\n\r\n") and len(head) < LONGEST_HEAD:
            piece = await loop.sock_recv(sock, 1)
            if not piece:
                break
            head += piece
        if not is_connected(bytes(head)):
            said = head.partition(b"\r\n")[0].decode("latin-1").partition(" ")[2] or "no answer"
            raise NoWay(f"the proxy {proxy} does not connect to {target[0]} port {target[1]}: {said}")
    except BaseException:
        sock.close()
        raise
    return sock


def connect_request(proxy: Proxy, host: str, port: int) -> bytes:
    """Return the request for a tunnel (RFC 9110 §9.3.6)."""
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\n".encode("ascii") + authorization(proxy) + b"\r\n"


def is_connected(head: bytes) -> bool:
    """Return whether a proxy's answer says that the tunnel is there."""
    return re.match(rb"HTTP/1\.\d 2\d\d", head) is not None


async def _by_socks(proxy: Proxy, host: str, target: tuple[str, int]) -> socket.socket:
    from python_socks import ProxyConnectionError, ProxyType
    from python_socks import ProxyError as Refusal
    from python_socks.async_.asyncio import Proxy as Client

    user, word = proxy.username, proxy.password
    client = Client(ProxyType.SOCKS5, host, proxy.port, username=user, password=word, rdns=True)
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
