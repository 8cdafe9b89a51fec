"""The records of a WARC file, read by a few plain lines that no reader under test shares."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Record:
    """One record: its fields in lower case, and its block as bytes."""

    fields: dict[str, str]
    block: bytes

    @property
    def kind(self) -> str:
        return self.fields["warc-type"]

    @property
    def url(self) -> str:
        return self.fields.get("warc-target-uri", "").strip("<>")

    @property
    def date(self) -> str:
        return self.fields.get("warc-date", "")

    @property
    def is_http(self) -> bool:
        return self.fields.get("content-type", "").startswith("application/http")

    @property
    def head_and_body(self) -> tuple[bytes, bytes]:
        """Return the head of an HTTP message and the bytes behind its first empty line."""
        ends = [at + len(mark) for mark in (b"\r\n\r\n", b"\n\n", b"\n\r\n") if (at := self.block.find(mark)) >= 0]
        end = min(ends, default=len(self.block))
        return self.block[:end], self.block[end:]

    def header(self, name: str) -> str:
        """Return the last value of an HTTP header, in lower case."""
        found = ""
        for line in self.head_and_body[0].split(b"\n"):
            key, _, value = line.decode("latin-1").partition(":")
            if key.strip().lower() == name:
                found = value.strip().lower()
        return found

    def forms(self) -> dict[str, bytes]:
        """Return what a reader may rightly call the content, by a name for its form."""
        if not self.is_http:
            return {"block": self.block}
        body = self.head_and_body[1]
        forms = {"block": self.block, "body as sent": body}
        if not body:
            return forms
        if "chunked" in self.header("transfer-encoding"):
            body = forms["body without chunks"] = unchunked(body)
        if decoded := _decoded(body, self.header("content-encoding")):
            forms["body decoded"] = decoded
        return forms


def records(path: Path) -> list[Record]:
    """Return every record of a file, one gzip member or plain record after another."""
    data, found = path.read_bytes(), []
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    at = 0
    while at < len(data):
        end = data.index(b"\r\n\r\n", at)
        lines = data[at:end].decode("utf-8").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        start, length = end + 4, int(fields["content-length"])
        found.append(Record(fields, data[start : start + length]))
        at = start + length + 4
    return found


def unchunked(body: bytes) -> bytes:
    """Return a body without the frames of its chunks."""
    out, at = b"", 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end].split(b";")[0], 16)
        if not size:
            return out
        out += body[end + 2 : end + 2 + size]
        at = end + 2 + size + 2


def _decoded(body: bytes, coding: str) -> bytes:
    for each in reversed([name.strip() for name in coding.split(",") if name.strip()]):
        if each in ("gzip", "x-gzip"):
            body = gzip.decompress(body)
        elif each == "deflate":
            body = zlib.decompress(body) if body[:1] == b"\x78" else zlib.decompress(body, -15)
        elif each == "br":
            import brotli

            body = brotli.decompress(body)
        else:
            return b""
    return body if coding else b""


def sha1(data: bytes) -> str:
    """Return the SHA-1 in hex digits, by which readers' content is compared."""
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()
