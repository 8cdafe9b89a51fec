"""A loopback server that costs little: precomputed answers, any number of addresses, any latency. A process of its own.

    python -m tests.bench.server FOLDER PORT HOSTS LATENCY EDITION_FILE

The edition file holds two numbers, read anew for every connection: an edition, and of how many pages in a hundred it
changes the content. `/large` answers with two gigabytes.
"""

from __future__ import annotations

import asyncio
import sys
import zlib
from pathlib import Path

LARGE = 2_000_000_000
_PIECE = bytes(range(256)) * 4096
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: %d\r\n\r\n"


class Pages:
    """Answers by path, `?copy=N` making as many distinct pages of each file as are asked for."""

    def __init__(self, folder: Path, edition_file: Path) -> None:
        self._files = {f"/{path.relative_to(folder)}": path.read_bytes() for path in folder.rglob("*.html")}
        self._edition_file = edition_file

    def look_at_edition(self) -> None:
        edition, share = self._edition_file.read_text().split()
        self._edition = int(edition), int(share)

    def answer(self, target: str) -> bytes:
        path = target.partition("?")[0]
        body = self._files.get(path)
        if body is None:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
        edition, share = self._edition
        changed = zlib.crc32(target.encode()) % 100 < share
        body += f"<!-- {target} {edition if changed else 0} -->".encode()
        return _HEAD % len(body) + body


class Talk(asyncio.Protocol):
    def __init__(self, pages: Pages, latency: float) -> None:
        self._pages = pages
        self._latency = latency
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._pages.look_at_edition()
        self._may_write = asyncio.Event()
        self._may_write.set()

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            target = self._received[:end].split(b" ", 2)[1].decode()
            self._received = self._received[end + 4 :]
            if target == "/large":
                self._task = asyncio.ensure_future(self._send_large())
            elif self._latency:
                asyncio.get_running_loop().call_later(self._latency, self._send, target)
            else:
                self._send(target)

    def _send(self, target: str) -> None:
        self._transport.write(self._pages.answer(target))

    async def _send_large(self) -> None:
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: %d\r\n\r\n" % LARGE)
        left = LARGE
        while left:
            await self._may_write.wait()
            piece = _PIECE[:left]
            self._transport.write(piece)
            left -= len(piece)


async def main(folder: str, port: str, hosts: str, latency: str, edition_file: str) -> None:
    pages = Pages(Path(folder), Path(edition_file))
    loop = asyncio.get_running_loop()
    addresses = [f"127.0.0.{number + 1}" for number in range(int(hosts))]
    await loop.create_server(lambda: Talk(pages, float(latency)), addresses, int(port), backlog=1024)
    print("ready", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
