"""One request to an address that the user named: no redirect is followed, and it ends in time."""

from __future__ import annotations

import base64
import http.client
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from urllib.parse import SplitResult, unquote, urlsplit

from pipeline.outbound.deadline import TimeUp, bounded
from pipeline.outbound.errors import DeliveryError
from pipeline.outbound.plain_text import one_line
from pipeline.outbound.ways import connected

TIMEOUT = 10.0  # seconds for a whole request
_TEMPORARY = {408, 425, 429}
_ANSWER = 64 << 10  # bytes of an answer that are read


def address(url: str) -> SplitResult:
    """Return the parts of an http or https address; raises ValueError, without what it holds: it may be a secret."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("it is no address") from None
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("write an address that begins with https:// or http://")
    if not url.isascii() or not url.isprintable() or " " in url or port == 0:
        raise ValueError("write it in ASCII, without spaces, other characters percent-encoded")
    return parts


def request(
    url: str, body: bytes | None, headers: Mapping[str, str], *, method: str = "POST", timeout: float = TIMEOUT
) -> None:
    """Send one request and want a 2xx; raises DeliveryError, which names the host and no more of the address."""
    ask(url, body, headers, method=method, timeout=timeout)


def ask(
    url: str,
    body: bytes | None,
    headers: Mapping[str, str],
    *,
    method: str = "POST",
    timeout: float = TIMEOUT,
    limit: int = _ANSWER,
) -> bytes:
    """Send one request and return its 2xx answer, or the first `limit` bytes of it; raises as `request` does."""
    parts = address(url)
    host = parts.hostname or ""
    connection = _connection(parts, timeout)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    wire: socket.socket | None = None  # once the answer's head is there, the connection forgets it
    sent = False
    try:
        with _named(host, timeout, lambda: sent), bounded(timeout, lambda: wire or connection.sock):
            connection.connect()
            wire, sent = connection.sock, True
            connection.request(method, path, body=body, headers=_headers(parts, headers))
            answer = connection.getresponse()
            status, location, wait = answer.status, answer.getheader("Location"), answer.getheader("Retry-After")
            data = answer.read(limit)
    finally:
        connection.close()
    _judge(host, status, location, wait)
    return data


def reach(url: str, *, timeout: float = TIMEOUT) -> None:
    """Connect, with TLS where the address says so, and ask for nothing; raises DeliveryError."""
    connection = _connection(address(url), timeout)
    try:
        with _named(connection.host, timeout), bounded(timeout, lambda: connection.sock):
            connection.connect()
    finally:
        connection.close()


@contextmanager
def _named(host: str, timeout: float, sent: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Errors of the network as DeliveryError."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        raise DeliveryError(f"the certificate of {host} is not valid: {error.verify_message}", permanent=True) from None
    except (TimeUp, TimeoutError):
        raise DeliveryError(f"{host} did not answer within {timeout:g} s", uncertain=sent()) from None
    except (OSError, http.client.HTTPException) as error:
        raise DeliveryError(f"{host}: {_reason(error)}", uncertain=sent()) from None


def _judge(host: str, status: int, location: str | None, wait: str | None) -> None:
    if 200 <= status < 300:
        return
    if 300 <= status < 400:
        try:
            target = urlsplit(location or "").hostname or host
        except ValueError:
            target = host
        raise DeliveryError(
            f"{host} answered {status} and redirects, to {one_line(target, 100)}: name the final address",
            permanent=True,
        )
    after = float(wait) if wait and wait.isascii() and wait.isdigit() and len(wait) < 7 else 0.0
    permanent = status < 500 and status not in _TEMPORARY
    raise DeliveryError(f"{host} answered {status}", permanent=permanent or after > 0, after=after)


def _connection(parts: SplitResult, timeout: float) -> http.client.HTTPConnection:
    return (_Tls if parts.scheme == "https" else _Plain)(parts.hostname or "", parts.port, timeout=timeout)


class _Plain(http.client.HTTPConnection):
    """A connection by the user's way."""

    def connect(self) -> None:
        self.sock = connected(self.host, self.port, self.timeout or TIMEOUT, tls=False)


class _Tls(http.client.HTTPSConnection):
    """The same with TLS."""

    def connect(self) -> None:
        plain = connected(self.host, self.port, self.timeout or TIMEOUT, tls=True)
        self.sock = plain  # what is cut off when the time is up
        self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)


def _headers(parts: SplitResult, headers: Mapping[str, str]) -> dict[str, str]:
    made = {"User-Agent": f"onrecord/{version('onrecord')}", "Connection": "close"}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        made["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return made | dict(headers)


def _reason(error: Exception) -> str:
    """Return what went wrong, in words of the system: an HTTP error may quote what a stranger sent."""
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
