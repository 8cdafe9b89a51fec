"""A small S3 server on loopback that can be told to misbehave; it checks no signature."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    method: str
    key: str
    query: dict[str, list[str]]
    headers: dict[str, str]  # names in lower case
    body: bytes
    path: str  # with its query, as it was asked for


@dataclass
class Reply:
    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None  # bytes of the body after which the connection ends
    lengthless: bool = False
    silent: bool = False  # the connection ends without a word


def refusal(status: int, code: str, message: str = "words") -> Reply:
    text = f'<?xml version="1.0"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
    return Reply(status, text.encode(), {"Content-Type": "application/xml"})


class OddS3:
    """`before` may answer instead of the store; `after` may change the store's answer."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, dict[str, str]]] = {}
        self.requests: list[Request] = []
        self.before: Callable[[Request], Reply | None] = lambda request: None
        self.after: Callable[[Request, Reply], Reply] = lambda request, reply: reply
        self.conditions = True
        self.released = threading.Event()  # set at the end, for replies that wait
        self._parts: dict[int, bytes] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        odd = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one_request(self) -> None:
                self.raw_requestline = self.rfile.readline(65537)
                if not self.raw_requestline or not self.parse_request():
                    self.close_connection = True
                    return
                if self.headers.get("Expect") == "100-continue":
                    self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                url = urlsplit(self.path)
                key = url.path.partition("/")[2].partition("/")[2]
                headers = {name.lower(): value for name, value in self.headers.items()}
                query = parse_qs(url.query, keep_blank_values=True)
                self._send(odd.answer(Request(self.command, key, query, headers, body, self.path)))

            def _send(self, reply: Reply) -> None:
                if reply.silent:
                    self.close_connection = True
                    return
                length = [] if reply.lengthless else [f"Content-Length: {len(reply.body)}"]
                lines = [f"HTTP/1.1 {reply.status} Word", *length, *(f"{k}: {v}" for k, v in reply.headers.items())]
                body = b"" if self.command == "HEAD" else reply.body[: reply.cut]
                self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
                self.close_connection = reply.lengthless or reply.cut is not None

        class Server(ThreadingHTTPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, request: Request) -> Reply:
        self.requests.append(request)
        early = self.before(request)
        if early is not None:
            return early
        with self._lock:
            return self.after(request, self._store(request))

    def _store(self, request: Request) -> Reply:
        if "uploads" in request.query or "uploadId" in request.query:
            return self._upload(request)
        if not request.key:
            return Reply(200, b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>")
        if request.method == "PUT":
            return self._put(request)
        if request.method == "DELETE":
            self.objects.pop(request.key, None)
            return Reply(204)
        return self._get(request)

    def _put(self, request: Request) -> Reply:
        if self.conditions and request.headers.get("if-none-match") == "*" and request.key in self.objects:
            return refusal(412, "PreconditionFailed")
        metadata = {name: value for name, value in request.headers.items() if name.startswith("x-amz-meta-")}
        self.objects[request.key] = (request.body, metadata)
        return Reply(200, headers={"ETag": etag(request.body)})

    def _get(self, request: Request) -> Reply:
        if request.key not in self.objects:
            return refusal(404, "NoSuchKey")
        data, metadata = self.objects[request.key]
        headers = {"ETag": etag(data), **metadata}
        if request.headers.get("if-match", etag(data)) != etag(data):
            return refusal(412, "PreconditionFailed")
        found = re.match(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
        if not found:
            return Reply(200, data, headers)
        start, last = int(found[1]), min(int(found[2] or len(data)), len(data) - 1)
        if start >= len(data):
            return refusal(416, "InvalidRange")
        return Reply(206, data[start : last + 1], {**headers, "Content-Range": f"bytes {start}-{last}/{len(data)}"})

    def _upload(self, request: Request) -> Reply:
        if request.method == "PUT":
            self._parts[int(request.query["partNumber"][0])] = request.body
            return Reply(200, headers={"ETag": etag(request.body)})
        if request.method == "DELETE":
            self._parts.clear()
            return Reply(204)
        if "uploads" in request.query:
            return Reply(
                200, b"<InitiateMultipartUploadResult><UploadId>one</UploadId></InitiateMultipartUploadResult>"
            )
        self.objects[request.key] = (b"".join(data for _, data in sorted(self._parts.items())), {})
        return Reply(200, b"<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>")


def etag(data: bytes) -> str:
    return f'"{hashlib.md5(data).hexdigest()}"'
