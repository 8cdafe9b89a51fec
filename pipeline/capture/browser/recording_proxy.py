"""The only way out of a browser's page: a proxy on loopback that answers with what our own recorder has fetched.

A proxy, and no interception by the browser's debugger, because nothing slips past it: every hop of a redirect, CORS
preflights, workers, frames and popups come by, and the browser follows, decodes and refuses as it always does. Each
page has a proxy of its own, so that it is known which page asked, and a credential, so that no other process of this
machine uses it.
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass

import h11

from archive.model import Exchange, Headers
from archive.warc import Head, parse_head, read_entity
from pipeline.capture.browser.credential import ASK, REFUSAL, Credential

_READ = 1 << 16
_MAX_HEAD = 256 * 1024
_MAX_BODY = 16 << 20  # of a request
_TLS = b"\x16"  # a handshake's first byte (RFC 8446 §5.1)
_AUTHORITY = re.compile(r"[^\s/?#@]{1,300}\Z")

# Two lengths that differ: browsers report a network error for it, as for a host that cannot be reached, and unlike a
# connection that closes it does not make them ask again (RFC 9112 §6.3).
_NETWORK_ERROR = b"HTTP/1.1 502 No Answer\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"
_STAY = b"HTTP/1.1 204 No Content\r\n\r\n"  # a browser that is told so stays on the page it shows (RFC 9110 §15.3.5)

_ASKS = 3  # times that a connection is asked for the credential before it is closed

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_HOP_BY_HOP = {
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade", "content-length",
}  # fmt: skip
# What a server tells browsers that leads to connections later or elsewhere.
_NOT_PASSED_ON = _HOP_BY_HOP | {"alt-svc", "nel", "report-to", "reporting-endpoints"}
# Conditions are about the browser's own copy: a 304 would leave the record without what the page was drawn from.
_NOT_SENT = _HOP_BY_HOP | {"host", "expect", "if-none-match", "if-modified-since"}


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as the page makes it; `headers` are those that may be sent on."""

    url: str
    method: str
    headers: Headers
    body: bytes
    websocket: bool

    @property
    def navigates(self) -> bool:
        """Whether a document is asked for, to take the place of the one that is shown."""
        return any(name.lower() == "upgrade-insecure-requests" for name, _ in self.headers)


class Refused(Exception):
    """The request is not made; a navigation that is to be passed over leaves the page where it is."""

    def __init__(self, *, stay: bool = False) -> None:
        super().__init__()
        self.stay = stay


Answer = Callable[[Asked], Awaitable[Exchange]]


class PageProxy:
    """A proxy for one page; `answer` gives the exchange of each request, or raises Refused."""

    def __init__(self, answer: Answer, certificate: ssl.SSLContext) -> None:
        self._answer = answer
        self._certificate = certificate
        self.credential = Credential.new()
        self._tasks: set[asyncio.Task[None]] = set()
        # With its protocol named, or asyncio leaves Nagle's algorithm on for what is accepted.
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)

    async def __aenter__(self) -> PageProxy:
        self._listener.setblocking(False)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(128)
        self._start(self._accept())
        return self

    async def __aexit__(self, *_: object) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._listener.close()

    @property
    def address(self) -> str:
        """The proxy's URL."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                sock, _ = await loop.sock_accept(self._listener)
            except OSError:  # too many open files: some will be closed
                await asyncio.sleep(0.1)
                continue
            sock.setblocking(False)
            self._start(self._serve(sock))

    async def _serve(self, sock: socket.socket) -> None:
        try:
            authority, secure = await self._tunnel(sock)
            reader, writer = await _streams(sock, self._certificate if secure else None)
        except (OSError, ValueError):  # ssl.SSLError is an OSError: neither TLS nor HTTP, whatever it was
            sock.close()
            return
        except BaseException:
            sock.close()
            raise
        try:
            await self._converse(reader, writer, authority and f"{'https' if secure else 'http'}://{authority}")
        except (OSError, h11.ProtocolError):
            pass
        finally:
            writer.transport.abort()

    async def _tunnel(self, sock: socket.socket) -> tuple[str | None, bool]:
        """Grant a CONNECT (RFC 9110 §9.3.6), which leads no further than here; the authority, and whether TLS comes."""
        if not (await _peek(sock, 8)).startswith(b"CONNECT "):
            return None, False
        loop = asyncio.get_running_loop()
        for _ in range(_ASKS):
            head = await _connect_head(sock)
            authority = head.split(b" ", 2)[1].decode("ascii")
            if not _AUTHORITY.match(authority):
                raise ValueError("no authority")
            if self.credential.granted(parse_head(head).header("Proxy-Authorization")):
                await loop.sock_sendall(sock, b"HTTP/1.1 200 Connection established\r\n\r\n")
                return authority, await _peek(sock, 1) == _TLS
            await loop.sock_sendall(sock, REFUSAL)
        raise ValueError("no credential")

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, base: str | None) -> None:
        state = h11.Connection(h11.SERVER, max_incomplete_event_size=_MAX_HEAD)
        while await self._turn(state, reader, writer, base):
            state.start_next_cycle()

    async def _turn(
        self, state: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, base: str | None
    ) -> bool:
        """One request and its answer; whether the connection can be used again."""
        came = await _next_request(state, reader)
        if came is None:
            return False
        request, body = came
        if base is None and not self._granted(request):  # a tunnel was granted when it was opened
            writer.write(state.send(h11.Response(status_code=407, headers=list(ASK.items()))) or b"")
            writer.write(state.send(h11.EndOfMessage()) or b"")
            await writer.drain()
            return state.our_state is h11.DONE and state.their_state is h11.DONE
        asked = _asked(request, body, base)
        if self.credential.is_greeting(asked.url):
            writer.write(state.send(h11.Response(status_code=204, headers=[])) or b"")
            writer.write(state.send(h11.EndOfMessage()) or b"")
            return True
        try:
            recorded = await self._answer(asked)
        except Refused as refused:
            writer.write(_STAY if refused.stay else _NETWORK_ERROR)
            await writer.drain()
            return False
        whole = await _pass_on(recorded, asked, state, writer)
        return whole and state.our_state is h11.DONE and state.their_state is h11.DONE

    def _granted(self, request: h11.Request) -> bool:
        given = (value for name, value in request.headers if name == b"proxy-authorization")
        return self.credential.granted(next(given, b"").decode("latin-1"))


async def _connect_head(sock: socket.socket) -> bytes:
    """Return the head of a CONNECT; raises ValueError for one that has no end."""
    loop = asyncio.get_running_loop()
    head = b""
    while b"\r\n\r\n" not in head:
        data = await loop.sock_recv(sock, _READ)  # the browser sends nothing behind it before it is answered
        head += data
        if not data or len(head) > _MAX_HEAD or not head.startswith(b"CONNECT "[: len(head)]):
            raise ValueError("no end of the head")
    return head


async def _peek(sock: socket.socket, size: int) -> bytes:
    """Return the next bytes, left where they are; raises ValueError when the other end has closed."""
    while True:
        await _readable(sock)
        data = sock.recv(size, socket.MSG_PEEK)
        if not data:
            raise ValueError("closed")
        if len(data) == size:
            return data
        await asyncio.sleep(0.01)


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    loop.add_reader(sock, ready.set)
    try:
        await ready.wait()
    finally:
        loop.remove_reader(sock)


async def _streams(
    sock: socket.socket, context: ssl.SSLContext | None
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_READ)
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.connect_accepted_socket(lambda: protocol, sock, ssl=context)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


async def _next_request(state: h11.Connection, reader: asyncio.StreamReader) -> tuple[h11.Request, bytes] | None:
    request: h11.Request | None = None
    body: list[bytes] = []
    size = 0
    while True:
        event = state.next_event()
        if event is h11.NEED_DATA:
            state.receive_data(await reader.read(_READ))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            size += len(event.data)
            if size > _MAX_BODY:
                return None
            body.append(bytes(event.data))
        elif isinstance(event, h11.EndOfMessage) and request is not None:
            return request, b"".join(body)
        else:
            return None


def _asked(request: h11.Request, body: bytes, base: str | None) -> Asked:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers.raw_items()]
    target = request.target.decode("latin-1")
    return Asked(
        url=target if base is None else base + target,
        method=request.method.decode("ascii"),
        headers=tuple(_sendable(headers)),
        body=body,
        websocket=any(name.lower() == "upgrade" and "websocket" in value.lower() for name, value in headers),
    )


def _sendable(headers: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    named = {
        token.strip().lower() for name, value in headers if name.lower() == "connection" for token in value.split(",")
    }
    for name, value in headers:
        if name.lower() in _NOT_SENT | named:
            continue
        if name.lower() == "accept-encoding" and re.search(r"\b(br|zstd|dcb|dcz)\b", value):
            continue  # the recorder's own goes instead: readers of the archive undo gzip and deflate everywhere
        yield name, value


async def _pass_on(recorded: Exchange, asked: Asked, state: h11.Connection, writer: asyncio.StreamWriter) -> bool:
    """Answer the browser from the record; False when the answer ends before its end, as the record does.

    Half a document is given as if it were whole: the browser would wait for the rest of it before it calls it loaded.
    """
    if recorded.status < 200:  # 101: another protocol, which nobody asked for
        writer.write(_NETWORK_ERROR)
        await writer.drain()
        return False
    headers = list(_passed_on(recorded.headers))
    bodiless = asked.method == "HEAD" or recorded.status in {204, 304}
    if not bodiless and ("chunked" in (recorded.header("Transfer-Encoding") or "").lower() or recorded.truncated):
        headers.append((b"Transfer-Encoding", b"chunked"))
    elif not bodiless:
        headers.append((b"Content-Length", b"%d" % (recorded.response.size - recorded.head_length)))
    writer.write(state.send(h11.Response(status_code=recorded.status, headers=headers)) or b"")
    if not bodiless:
        with closing(_entity(recorded)) as pieces:
            for piece in pieces:
                writer.write(state.send(h11.Data(data=piece)) or b"")
                await writer.drain()
    whole = recorded.truncated is None or asked.navigates
    if whole:
        writer.write(state.send(h11.EndOfMessage()) or b"")
    await writer.drain()
    return whole


def _passed_on(headers: Headers) -> Iterator[tuple[bytes, bytes]]:
    """Yield a server's headers as a strict parser takes them: without NUL and line breaks in values."""
    for name, value in headers:
        if name.lower() not in _NOT_PASSED_ON and _NAME.match(name):
            yield name.encode("ascii"), re.sub(r"[\0\r\n]", " ", value).strip().encode("latin-1")


def _entity(recorded: Exchange) -> Generator[bytes, None, None]:
    """Yield the body without its framing and in its content coding, which the browser undoes."""
    with recorded.response.open() as stream:
        stream.seek(recorded.head_length)
        yield from read_entity(stream, Head(recorded.status, "", recorded.headers, recorded.head_length))
