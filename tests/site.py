"""A web site on loopback that behaves, misbehaves, and knows every byte it sent.

`Site` serves from an event loop in a thread of its own: raw answers by path, or handlers that talk to the connection
themselves. `folder_answers` makes well-behaved answers from files.
"""

from __future__ import annotations

import asyncio
import gzip
import ssl
import threading
import time
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

Handler = Callable[["Talk"], Awaitable[None]]
Answer = bytes | Handler


@dataclass
class Talk:
    """One request being answered."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    request: bytes
    site: Site

    @property
    def path(self) -> str:
        return self.request.split(b" ", 2)[1].decode()

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def close(self) -> None:
        self.writer.close()


@dataclass
class Site:
    """Answers by path, or by path and "?*" for any query; what has none is a 404.

    `closing` names paths after whose answer the connection is closed.
    """

    answers: dict[str, Answer] = field(default_factory=dict)
    closing: set[str] = field(default_factory=set)
    host: str = "127.0.0.1"
    tls: ssl.SSLContext | None = None
    latency: float = 0.0

    def __post_init__(self) -> None:
        self.requests: list[tuple[float, str]] = []  # monotonic time and path
        self.raw_requests: list[bytes] = []
        self.connections = 0
        self.open_now = 0
        self.most_open = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, self.host, 0, ssl=self.tls, backlog=1024)

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _stop(self) -> None:
        self._server.close()
        tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def url(self, path: str = "/", host: str | None = None) -> str:
        scheme = "https" if self.tls else "http"
        return f"{scheme}://{host or self.host}:{self.port}{path}"

    @property
    def paths(self) -> list[str]:
        return [path for _, path in self.requests]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        try:
            await self._converse(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.open_now -= 1
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            request = await reader.readuntil(b"\r\n\r\n")
            talk = Talk(reader, writer, request, self)
            self.requests.append((time.monotonic(), talk.path))
            self.raw_requests.append(request)
            if self.latency:
                await asyncio.sleep(self.latency)
            anyhow = f"{talk.path.partition('?')[0]}?*"
            answer = self.answers.get(talk.path) or self.answers.get(anyhow, NOT_FOUND)
            if isinstance(answer, bytes):
                await talk.send(answer)
            else:
                await answer(talk)
            if talk.path in self.closing:
                return


def answer(
    body: bytes, *, status: str = "200 OK", kind: str = "text/html; charset=utf-8", headers: tuple[str, ...] = ()
) -> bytes:
    """A well-behaved answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chunked(body: bytes, size: int) -> bytes:
    """A body in chunks of so many bytes."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


def redirect(location: str, status: str = "302 Found") -> bytes:
    """An answer that sends its reader elsewhere."""
    return f"HTTP/1.1 {status}\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode("latin-1")


def folder_answers(folder: Path) -> dict[str, Answer]:
    """An answer for every HTML file below a folder, by its path."""
    return {f"/{path.relative_to(folder)}": answer(path.read_bytes()) for path in sorted(folder.rglob("*.html"))}


NOT_FOUND = answer(b"<h1>Not here</h1>", status="404 Not Found")

_INTERIM = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
INTERIM = len(_INTERIM)

# Whole answers in odd forms: each is recorded to its last byte, and is "ok".
PAGE = b"<html><title>Odd</title><p>An odd page.</p></html>"
ODD: dict[str, bytes] = {
    "/chunked": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5;name=value\r\nhello\r\n1\r\n!\r\n0\r\nX-Trailer: t\r\n\r\n"
    ),
    "/chunk-case": b"HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n00A\r\n0123456789\r\n0;last\r\n\r\n",
    "/bare-lf": b"HTTP/1.1 200 OK\nContent-Type: text/html\nContent-Length: 5\n\nhello",
    "/mixed-line-ends": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\nContent-Length: 5\r\n\nhello",
    "/odd-spacing": b"HTTP/1.1 200 OK\r\ncontent-length:5\r\nX-Empty:\r\nX-Spaces:   a  b   \r\n\r\nhello",
    "/duplicates": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\r\nhello",
    "/no-reason": b"HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello",
    "/folded": b"HTTP/1.1 200 OK\r\nX-Folded: one\r\n  two\r\nContent-Length: 5\r\n\r\nhello",
    "/no-colon": b"HTTP/1.1 200 OK\r\nthis line is no header\r\nContent-Length: 5\r\n\r\nhello",
    "/space-before-colon": b"HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\nhello",
    "/latin-1": b"HTTP/1.1 200 OK\r\nX-Name: Jos\xe9\r\nContent-Length: 5\r\n\r\nhello",
    "/nul-in-header": b"HTTP/1.1 200 OK\r\nX-Nul: a\x00b\r\nContent-Length: 5\r\n\r\nhello",
    "/same-lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "/gzip": answer(gzip.compress(PAGE, mtime=0), headers=("Content-Encoding: gzip",)),
    "/gzip-chunked": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
    + chunked(gzip.compress(PAGE, mtime=0), 7),
    "/deflate": answer(zlib.compress(PAGE), headers=("Content-Encoding: deflate",)),
    "/continue-first": b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    + answer(b"hello"),
    "/no-content": b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n",
    "/gzip-chunked-lenient": (
        b"HTTP/1.1 200 OK\r\nbroken header\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nhel\r\n2;x\r\nlo\r\n0\r\nT: t\r\n\r\n"
    ),
}
# Answers that only the connection's end completes.
ODD_CLOSING: dict[str, bytes] = {
    "/http-1.0": b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\nhello until the end",
    "/no-headers": b"HTTP/1.1 200 OK\r\n\r\nhello until the end",
    "/lengths-differ": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "/garbage-behind": answer(b"hello"),
}


async def empty_reply(talk: Talk) -> None:
    talk.close()


async def endless_header(talk: Talk) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\n")
    for _ in range(100_000):
        await talk.send(b"X-More: " + b"x" * 1000 + b"\r\n")


async def a_byte_at_a_time(talk: Talk) -> None:
    for byte in answer(b"slow " * 1000):
        await talk.send(bytes([byte]))
        await asyncio.sleep(0.05)


async def silent(talk: Talk) -> None:
    await asyncio.sleep(3600)


async def stalls(talk: Talk) -> None:
    await talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await asyncio.sleep(3600)


def gzip_bomb(size: int) -> bytes:
    """An answer of a thousandth of `size` bytes that decodes to `size` bytes."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b"\0" * (1 << 20)
    body = b"".join(compressor.compress(block) for _ in range(size >> 20)) + compressor.flush()
    return answer(body, headers=("Content-Encoding: gzip",))


def streamed(size: int, piece: int = 1 << 20) -> Handler:
    """A body of so many bytes, sent piece by piece."""

    async def send(talk: Talk) -> None:
        await talk.send(f"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: {size}\r\n\r\n".encode())
        data = bytes(range(256)) * (piece // 256)
        for _ in range(size // piece):
            await talk.send(data)
        await talk.send(data[: size % piece])

    return send
