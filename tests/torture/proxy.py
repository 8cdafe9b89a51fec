"""A proxy on loopback before a real S3 server, which does to single requests what networks and servers do."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from functools import cache
from urllib.parse import parse_qs, urlsplit

from storage.base import ObjectStore
from storage.s3 import S3Store
from tests.storage.odd_s3 import OddS3, Reply, Request, refusal

Forward = Callable[[Request], Reply]
Fault = Callable[[Request, Forward], Reply]

PATIENCE = 30.0  # seconds that a store behind the proxy waits, as a rule: the machine may be busy
SHORT = 2.0  # where the server is to be too slow
_HOP = {"connection", "content-length", "transfer-encoding", "expect", "date", "server"}


def slow_down(request: Request, forward: Forward) -> Reply:
    return refusal(503, "SlowDown")


def internal_error(request: Request, forward: Forward) -> Reply:
    return refusal(500, "InternalError")


def error_in_200(request: Request, forward: Forward) -> Reply:
    return Reply(200, refusal(500, "InternalError").body, {"Content-Type": "application/xml"})


def expired(request: Request, forward: Forward) -> Reply:
    return refusal(403, "ExpiredToken")


def skewed(request: Request, forward: Forward) -> Reply:
    return refusal(403, "RequestTimeTooSkewed")


def hangs_up(request: Request, forward: Forward) -> Reply:
    return Reply(0, silent=True)


def answer_lost(request: Request, forward: Forward) -> Reply:
    """What was asked for is done, and nobody is told."""
    forward(request)
    return Reply(0, silent=True)


def too_slow(request: Request, forward: Forward) -> Reply:
    """Done, and told to somebody who does not listen any more."""
    reply = forward(request)
    time.sleep(SHORT * 1.5)
    return reply


def half_a_body(request: Request, forward: Forward) -> Reply:
    reply = forward(request)
    reply.cut = len(reply.body) // 2
    return reply if reply.body else Reply(0, silent=True)


def denied_later(request: Request, forward: Forward) -> Reply:
    return refusal(403, "AccessDenied")


class FaultProxy(OddS3):
    """Hands requests on, and lets things happen to them; `stale` freezes listings as they were first."""

    def __init__(self, endpoint: str) -> None:
        super().__init__()
        self._server_at = urlsplit(endpoint).netloc
        self._counting = threading.Lock()
        self._lists: dict[str, Reply] = {}
        self.heal()

    def heal(self) -> None:
        """Nothing happens from here on, until it is told otherwise."""
        self.strike(None)

    def strike(
        self,
        fault: Fault | None,
        at: int = 1,
        *,
        once: bool = False,
        wanted: Callable[[Request], bool] = lambda request: True,
    ) -> None:
        """From the n-th request that is wanted on, or only to it, let this happen."""
        self.fault, self.at, self.once, self.wanted = fault, at, once, wanted
        self.stale = False
        self.counted = self.struck = 0

    def answer(self, request: Request) -> Reply:
        with self._counting:
            counts = self.wanted(request)
            self.counted += counts
            number = self.counted
        now = counts and self.fault is not None and (number == self.at if self.once else number >= self.at)
        if now and self.fault is not None:
            self.struck += 1
            return self.fault(request, self._forward)
        reply = self._forward(request)
        if "list-type" in request.query:
            if self.stale:
                self.struck += 1
                return self._lists.get(request.path, reply)
            self._lists.setdefault(request.path, reply)
        return reply

    def _forward(self, request: Request) -> Reply:
        connection = http.client.HTTPConnection(self._server_at, timeout=60)
        try:
            connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers.items():
                if name not in {"connection", "expect"}:
                    connection.putheader(name, value)
            connection.endheaders(request.body or None)
            response = connection.getresponse()
            body = response.read()
            if request.method == "HEAD":  # its length is all that is told of it
                body = bytes(int(response.headers.get("Content-Length") or 0))
            headers = {name: value for name, value in response.headers.items() if name.lower() not in _HOP}
            return Reply(response.status, body, headers)
        finally:
            connection.close()


@cache
def store_at(url: str, attempts: int, timeout: float = PATIENCE) -> S3Store:
    """The store of an address, with patience of our own."""
    parts = urlsplit(url)
    endpoint = parse_qs(parts.query)["endpoint"][0]
    return S3Store(
        parts.netloc,
        parts.path.strip("/"),
        endpoint=endpoint,
        multipart=5 << 20,
        attempts=attempts,
        timeout=timeout,
    )


def with_attempts(attempts: int, fault: str = "") -> Callable[[ObjectStore], ObjectStore]:
    return lambda store: store_at(store.url, attempts, SHORT if fault == "too slow" else PATIENCE)
