"""A proxy on loopback that speaks HTTP and SOCKS5, knows names that no resolver knows, and what it was asked for."""

from __future__ import annotations

import base64
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class TestProxy:
    """`names` maps the hosts that it connects to, whatever their port, to real addresses; others it refuses."""

    __test__ = False

    names: dict[str, tuple[str, int]]
    credential: tuple[str, str] | None = None
    asked: list[tuple[str, str]] = field(
        default_factory=list
    )  # ("CONNECT", "host:port"), ("socks5", ...), ("GET", url)
    heads: list[bytes] = field(default_factory=list)
    splits: bool = False  # it comes byte by byte
    joins: bool = False  # the answer to CONNECT comes together with what the server says first

    @contextmanager
    def running(self) -> Iterator[TestProxy]:
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()
        with closing(self._listener):
            yield self
            with suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with closing(client), suppress(OSError, KeyError, EOFError):
            if client.recv(1, socket.MSG_PEEK) == b"\x05":
                self._socks(client)
            else:
                self._http(client)

    def _socks(self, client: socket.socket) -> None:
        methods = _exactly(client, _exactly(client, 2)[1])
        if self.credential and 2 in methods:
            client.sendall(b"\x05\x02")
            name = _exactly(client, _exactly(client, 2)[1])
            word = _exactly(client, _exactly(client, 1)[0])
            good = (name.decode(), word.decode()) == self.credential
            client.sendall(b"\x01" + (b"\x00" if good else b"\x01"))
            if not good:
                return
        elif self.credential:
            client.sendall(b"\x05\xff")
            return
        else:
            client.sendall(b"\x05\x00")
        kind = _exactly(client, 4)[3]
        host = {
            1: lambda: socket.inet_ntoa(_exactly(client, 4)),
            3: lambda: _exactly(client, _exactly(client, 1)[0]).decode(),
            4: lambda: socket.inet_ntop(socket.AF_INET6, _exactly(client, 16)),
        }[kind]()
        (port,) = struct.unpack(">H", _exactly(client, 2))
        self.asked.append(("socks5", f"{host}:{port}"))
        if host not in self.names:
            client.sendall(b"\x05\x04\x00\x01" + bytes(6))
            return
        with _connected(self.names[host]) as server:
            client.sendall(b"\x05\x00\x00\x01" + bytes(6))
            _relay(client, server)

    def _http(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(65536) or _end()
        self.heads.append(head)
        method, target, _ = head.split(b"\r\n", 1)[0].decode().split(" ", 2)
        self.asked.append((method, target))
        if self.credential and base64.b64encode(":".join(self.credential).encode()) not in head:
            client.sendall(b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic\r\nContent-Length: 0\r\n\r\n")
            return
        host = target.partition("://")[2].partition("/")[0] if method != "CONNECT" else target
        host = host.rpartition(":")[0] or host
        if host not in self.names:
            client.sendall(b"HTTP/1.1 502 Not Here\r\nContent-Length: 0\r\n\r\n")
            return
        with _connected(self.names[host]) as server:
            if method == "CONNECT":
                if self.splits:
                    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    for byte in b"HTTP/1.1 200 Connected\r\nVia: 1.1 a\r\n":
                        client.sendall(bytes([byte]))
                    client.sendall(b"\r\n")
                else:
                    client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n" + (server.recv(65536) if self.joins else b""))
            else:
                path = target.partition("://")[2].partition("/")[2]
                server.sendall(head.replace(target.encode(), b"/" + path.encode(), 1))
            _relay(client, server)


def _connected(address: tuple[str, int]) -> socket.socket:
    """A socket without a look at the resolver, which a test may have replaced."""
    server = socket.socket()
    server.connect(address)
    return server


def _relay(one: socket.socket, other: socket.socket) -> None:
    back = threading.Thread(target=_pump, args=(other, one), daemon=True)
    back.start()
    _pump(one, other)
    back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


def _exactly(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        data += client.recv(size - len(data)) or _end()
    return data


def _end() -> bytes:
    raise EOFError
