"""The way that messages take: by the proxy that captures go by, where the user named one, else directly."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING

from pipeline.outbound.errors import DeliveryError

if TYPE_CHECKING:
    import socket

    from pipeline.capture.http.proxies import Proxy, Ways

# What `--proxy` says: a URL, "env", "none", or None where the user did not say. The command line sets it, once for all
# that it sends.
chosen: str | None = None


def connected(host: str, port: int, timeout: float, *, tls: bool) -> socket.socket:
    """Return a socket to a host and port; where a proxy leads there, it resolves the name.

    Hosts of the local network, and those in NO_PROXY, are reached directly, as the proxy would not find them. Raises
    DeliveryError where the proxy cannot be used, OSError.
    """
    import socket

    proxy = _proxy_of(host, port, tls=tls)
    if proxy is None:
        if host.rstrip(".").endswith(".onion"):  # RFC 7686 §2: no resolver is asked
            line = f"{host} is reached through Tor alone: set proxy in [capture], as in socks5h://127.0.0.1:9050"
            raise DeliveryError(line, permanent=True)
        return socket.create_connection((host, port), timeout)
    end = time.monotonic() + timeout
    sock = (_by_socks if proxy.scheme == "socks5h" else _by_http)(proxy, host, port, end)
    sock.settimeout(max(end - time.monotonic(), 0.001))
    return sock


def _by_socks(proxy: Proxy, host: str, port: int, end: float) -> socket.socket:
    from python_socks import ProxyConnectionError, ProxyTimeoutError, ProxyType
    from python_socks import ProxyError as Refusal
    from python_socks.sync import Proxy as Client

    client = Client(
        ProxyType.SOCKS5, proxy.host, proxy.port, username=proxy.username, password=proxy.password, rdns=True
    )
    try:
        return client.connect(host, port, timeout=max(end - time.monotonic(), 0.001))
    except ProxyTimeoutError:
        raise TimeoutError(f"no answer of the proxy {proxy}") from None
    except ProxyConnectionError as error:
        raise DeliveryError(f"the proxy {proxy} cannot be reached: {error.strerror or 'no connection'}") from None
    except Refusal:
        raise DeliveryError(f"the proxy {proxy} does not connect to {host} port {port}") from None


def _by_http(proxy: Proxy, host: str, port: int, end: float) -> socket.socket:
    """Connect by CONNECT (RFC 9110 §9.3.6), whose answer is read to the end of its head and no further.

    A mail server speaks first, and its words may come together with that head.
    """
    import socket

    from pipeline.capture.http.proxy_tunnel import connect_request, is_connected

    try:
        sock = socket.create_connection((proxy.host, proxy.port), max(end - time.monotonic(), 0.001))
    except TimeoutError:
        raise TimeoutError(f"no answer of the proxy {proxy}") from None
    except OSError as error:
        raise DeliveryError(f"the proxy {proxy} cannot be reached: {error.strerror or 'no connection'}") from None
    try:
        sock.sendall(connect_request(proxy, host, port))
        if not is_connected(_head(sock, end)):
            raise DeliveryError(f"the proxy {proxy} does not connect to {host} port {port}")
    except BaseException:
        sock.close()
        raise
    return sock


def _head(sock: socket.socket, end: float) -> bytes:
    """Read up to a blank line, as much as there is of it; raises OSError."""
    from pipeline.capture.http.proxy_tunnel import LONGEST_HEAD

    head = bytearray()
    while not head.endswith(b"\r\n\r\n") and len(head) < LONGEST_HEAD:
        sock.settimeout(max(end - time.monotonic(), 0.001))
        piece = sock.recv(1)
        if not piece:
            break
        head += piece
    return bytes(head)


def _proxy_of(host: str, port: int, *, tls: bool) -> Proxy | None:
    from pipeline.capture.http.proxies import private_name

    ways = _ways(chosen)
    if ways.undecided or ways.is_past(host, port) or private_name(host):
        return None
    return ways.https if tls else ways.http


@lru_cache(maxsize=8)
def _ways(choice: str | None) -> Ways:
    from pipeline.capture.http.proxies import ProxyError, ways_of

    try:
        return ways_of(choice)
    except ProxyError as error:
        raise DeliveryError(str(error), permanent=True) from None
