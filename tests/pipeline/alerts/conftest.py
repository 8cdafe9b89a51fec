"""Mail and web servers on loopback, as bad as they come, and an event to tell them of."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from pipeline.alerts.event import Event

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)


def event(path: str = "post", kind: str = "gone", **more: Any) -> Event:
    values = {"title": "The harbour tax", "before": "ok", "after": kind, "records": ("<urn:uuid:1>", "<urn:uuid:2>")}
    values |= {"times": (NOON, NOON.replace(hour=13)), "store": "s3://commentary", "summary": "410 Gone"}
    return Event(kind, f"https://gazette.example/{path}", NOON, **(values | more))


@dataclass
class Letters:
    """What a mail server was handed, and what it is to answer: a line to DATA, or nothing special."""

    got: list[Any] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    logins: list[bytes] = field(default_factory=list)

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address in self.refused:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            self.got.append(envelope)
        return answer

    @property
    def messages(self) -> list[Message]:
        return [message_from_bytes(envelope.content, policy=default) for envelope in self.got]

    def authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, data: LoginPassword) -> AuthResult:
        self.logins.append(data.password)
        return AuthResult(success=data.password == b"open sesame", handled=False)


class _OnAnyPort(Controller):
    """A controller whose port the system gives: one that was free a moment ago may be taken."""

    async def _create_server(self) -> asyncio.AbstractServer:  # type: ignore[override] # a coroutine is awaitable
        server: asyncio.AbstractServer = await super()._create_server()
        self.port = server.sockets[0].getsockname()[1]
        return server


@contextmanager
def smtp(letters: Letters, **options: Any) -> Iterator[int]:
    """A mail server; `tls` of the options is a context for TLS from the first byte."""
    tls = options.pop("tls", None)
    controller = _OnAnyPort(letters, hostname="127.0.0.1", port=0, ssl_context=tls, ready_timeout=60, **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@dataclass
class Hook:
    """A web server that keeps what is posted and answers as it is told, 204 when it is not."""

    requests: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: list[Callable[[BaseHTTPRequestHandler], None] | int] = field(default_factory=list)
    port: int = 0
    scheme: str = "http"

    def url(self, path: str = "/hook") -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"


@contextmanager
def hook_server(tls: ssl.SSLContext | None = None) -> Iterator[Hook]:
    hook = Hook(scheme="https" if tls else "http")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            hook.requests.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            answer = hook.answers.pop(0) if hook.answers else 204
            if callable(answer):
                with suppress(OSError):
                    answer(self)
                return
            self.send_response(answer)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD = do_POST  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass

    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    hook.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def drip(handler: BaseHTTPRequestHandler) -> None:
    """An answer that never ends, a byte at a time: no single wait is long, and the other side ends it."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.05)


def silent(handler: BaseHTTPRequestHandler) -> None:
    """No answer, until the other side has gone."""
    handler.connection.recv(1)


def late(handler: BaseHTTPRequestHandler) -> None:
    """An answer that takes its time, and comes."""
    time.sleep(1.0)
    handler.send_response(204)
    handler.end_headers()


def moved_to(location: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", location)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hook_server() as running:
        yield running


@pytest.fixture
def letters() -> Letters:
    return Letters()


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's context, of an authority that this process trusts."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    return stranger(authority)


def stranger(authority: trustme.CA | None = None) -> ssl.SSLContext:
    """A server's context, of an authority that nobody knows unless one is named."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    (authority or trustme.CA()).issue_cert("127.0.0.1").configure_cert(context)
    return context
