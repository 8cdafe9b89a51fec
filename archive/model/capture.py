"""A capture: what is to be fetched, and what came over the wire or was made of it."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

Headers = tuple[tuple[str, str], ...]  # names and values as received, decoded as latin-1


class Truncation(StrEnum):
    """Why a block is not whole, in the words of WARC 1.1 §5.13."""

    LENGTH = "length"
    TIME = "time"
    DISCONNECT = "disconnect"
    UNSPECIFIED = "unspecified"


@dataclass(frozen=True, slots=True)
class Block:
    """A record block's bytes, in memory when small, else in a file that its maker's folder owns."""

    size: int
    data: bytes | None = None
    path: Path | None = None

    @classmethod
    def of(cls, data: bytes) -> Block:
        """Return a block held in memory."""
        return cls(len(data), data=data)

    def open(self) -> BinaryIO:
        """Open a new reader at the block's first byte; the caller closes it."""
        if self.data is not None:
            return io.BytesIO(self.data)
        assert self.path is not None
        return self.path.open("rb")

    def discard(self) -> None:
        """Remove the file behind the block, if there is one."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class Digests:
    """Digests of a response: over the block, and over the de-chunked entity body with the body's size in bytes."""

    block: str
    payload: str
    payload_size: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """One HTTP exchange as it was on the wire.

    `response` is the response block: status line, headers and body with every byte as received, chunk framing and
    trailers included, interim 1xx responses left out. Its first `head_length` bytes are the head, blank line included.
    """

    url: str  # as requested: absolute, percent-encoded, without fragment
    started: datetime  # aware, UTC, to the second; the request's first byte was sent
    request: bytes
    response: Block
    head_length: int
    status: int
    headers: Headers
    ip: str  # of the connected socket, "" where a proxy made the connection
    protocols: tuple[str, ...] = ("http/1.1",)  # WARC-Protocol values: "http/1.0", "http/1.1", "tls/1.3"
    truncated: Truncation | None = None
    digests: Digests | None = None  # of the response, where they were made already
    notes: tuple[str, ...] = ()  # oddities worth a reader's knowing: "bare LF in head", "certificate: expired"
    session: tuple[str, ...] = ()  # names of the headers by which it, or what led to it, said who asks
    leads_to: str | None = None  # where a page that was followed leads by itself (a refresh), absolute

    def header(self, name: str) -> str | None:
        """Return the first value of a header, by case-insensitive name."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class Made:
    """Something made of a page rather than received: a picture of it, or what scripts made of its markup.

    `url` is "urn:fullPageFinal:", "urn:dom:" or "urn:pdf:" (a print) and the page's URL.
    """

    url: str
    mime: str
    block: Block
    date: datetime  # aware, UTC, to the second


class Role(StrEnum):
    """What a target is captured for."""

    PAGE = "page"
    REQUISITE = "requisite"  # what a page needs to be shown
    FEED = "feed"
    SITEMAP = "sitemap"
    ROBOTS = "robots"
    RECOVERED = "recovered"  # a capture that another archive gave back


@dataclass(frozen=True, slots=True)
class Target:
    """A URL to capture, with how it was come by.

    `via` is the URL that named it, `hops` the path from what a user named, a letter a step (L link, E embed, R
    redirect, P prerequisite), `depth` the links followed so far, `seed` what the user named.
    """

    url: str
    via: str | None = None
    headers: Headers = ()
    role: Role = Role.PAGE
    hops: str = ""
    depth: int = 0
    seed: str | None = None
    pause: float | None = None  # seconds between two requests that the host asks for
    bare: bool = False  # written without a scheme: where https cannot be reached, http is tried


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a target's capture ended: a name from the README's table, "ok" among them, and one line that says why."""

    name: str
    error: str | None = None

    @property
    def ok(self) -> bool:
        """Return whether the target needs no one's attention."""
        return self.name == "ok"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A target and every exchange it took, in order: redirects first, the last one last; none when nothing was had."""

    target: Target
    exchanges: tuple[Exchange, ...]
    verdict: Verdict

    def discard(self) -> None:
        """Remove the files that hold its responses."""
        for exchange in self.exchanges:
            exchange.response.discard()
