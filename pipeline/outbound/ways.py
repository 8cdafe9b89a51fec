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
    from python_socks import ProxyConnectionError, ProxyTimeoutError, ProxyType
    from python_socks import ProxyError as Refusal
    from python_socks.sync import Proxy as Client

    kind = ProxyType.SOCKS5 if proxy.scheme == "socks5h" else ProxyType.HTTP
    client = Client(kind, proxy.host, proxy.port, username=proxy.username, password=proxy.password, rdns=True)
    end = time.monotonic() + timeout
    try:
        sock = client.connect(host, port, timeout=timeout)
    except ProxyTimeoutError:
        raise TimeoutError(f"no answer of the proxy {proxy}") from None
    except ProxyConnectionError as error:
        raise DeliveryError(f"the proxy {proxy} cannot be reached: {error.strerror or 'no connection'}") from None
    except Refusal:
        raise DeliveryError(f"the proxy {proxy} does not connect to {host} port {port}") from None
    sock.settimeout(max(end - time.monotonic(), 0.001))
    return sock


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
