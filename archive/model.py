"""The values that pass between the rooms: what was on the wire, what is kept of it, what it says."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from archive.structure import Structure
from archive.times import iso

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
        """A block held in memory."""
        return cls(len(data), data=data)

    def open(self) -> BinaryIO:
        """A new reader at the block's first byte; the caller closes it."""
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
    ip: str  # of the connected socket
    protocols: tuple[str, ...] = ("http/1.1",)  # WARC-Protocol values: "http/1.0", "http/1.1", "tls/1.3"
    truncated: Truncation | None = None
    digests: Digests | None = None  # of the response, where they were made already
    notes: tuple[str, ...] = ()  # oddities worth a reader's knowing: "bare LF in head", "certificate: expired"

    def header(self, name: str) -> str | None:
        """The first value of a header, by case-insensitive name."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)


@dataclass(frozen=True, slots=True)
class Made:
    """Something made of a page rather than received: a picture of it, or what scripts made of its markup.

    `url` is "urn:fullPageFinal:" or "urn:dom:" and the page's URL.
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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a target: a name from the README's table, "ok" among them, and one line that says why."""

    name: str
    error: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the target needs no one's attention."""
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


@dataclass(frozen=True, slots=True)
class Embed:
    """A work of another site that a page shows: a document, a video, a post.

    `record_id` names its capture in the same run; without one, `reason` says why there is none.
    """

    kind: str  # "scribd", "youtube", "iframe"
    url: str
    id: str | None = None
    record_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Article:
    """What an extractor made of one page: clean text and metadata, absent where the page does not say."""

    title: str | None = None
    text: str | None = None
    author: str | None = None
    date: str | None = None  # ISO 8601 day
    sitename: str | None = None
    description: str | None = None
    language: str | None = None
    tags: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    canonical_url: str | None = None
    license: str | None = None
    image: str | None = None
    images: tuple[str, ...] = ()  # absolute URLs, in page order, without repeats
    links: tuple[str, ...] = ()  # absolute URLs, in page order, without repeats
    embeds: tuple[Embed, ...] = ()
    comments: str | None = None
    availability: str | None = None  # "soft-404", "bot-wall", "login-wall", "paywalled": what stands in its place
    encoding: str | None = None  # the character encoding the bytes were read in
    extractor: str = ""  # name and version: "trafilatura 2.3.1"
    structure: Structure | None = None  # of a document that is no web page


@dataclass(frozen=True, slots=True)
class DocumentRef:
    """Where a document's line lies: an object key and a byte range in it (the line carries its own digest)."""

    key: str
    offset: int
    length: int


def place_of(key: str, offset: int) -> str:
    """Return the place of a record as one string: "KEY OFFSET". Record ids come from strangers; places are ours."""
    return f"{key} {offset}"


@dataclass(frozen=True, slots=True)
class RecordRef:
    """Where a record lies: an object key and the byte range of its gzip member."""

    key: str
    offset: int
    length: int

    @property
    def place(self) -> str:
        """Return what tells this record from every other one: its object key and its offset (see `place_of`)."""
        return place_of(self.key, self.offset)


@dataclass(frozen=True, slots=True)
class Reference:
    """The earlier record that holds a revisit's payload (WARC 1.1 §5.9-5.11)."""

    record: RecordRef
    record_id: str
    url: str
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One capture as the index knows it: a URL as it was at a time, and where its record lies."""

    url: str
    timestamp: datetime  # aware, UTC, to the second: WARC-Date and the index say the same
    status: int
    mime: str  # of the payload, also where the record is a revisit
    digest: str  # of the payload: "sha256:" and 64 lower-case hex digits
    record_id: str  # "<urn:uuid:…>"
    record: RecordRef
    run: str
    refers_to: Reference | None = None  # of a revisit: the record that holds the payload
    truncated: str | None = None
    etag: str | None = None  # the validators that came with it (RFC 9110 §8.8)
    last_modified: str | None = None
    location: str | None = None  # where a redirect points, absolute
    title: str | None = None
    availability: str | None = None  # what stands in the page's place: "soft-404", "paywalled"
    document: DocumentRef | None = None
    ahead: int = 0  # seconds by which the clock that dated it is known to have been ahead
    withheld: Withholding | None = None  # why it is not to be shown: then nothing above tells of its content

    @property
    def place(self) -> str:
        """Return what tells this capture from every other one; `record_id` does not, where files were imported."""
        return self.record.place

    @property
    def revisit(self) -> bool:
        """Whether the payload lies with an earlier record."""
        return self.refers_to is not None

    @property
    def payload(self) -> Reference:
        """The record that holds the payload: an earlier one for a revisit, else the capture's own."""
        return self.refers_to or Reference(self.record, self.record_id, self.url, self.timestamp)

    @property
    def true_time(self) -> datetime:
        """When it was captured, as far as the clock is known to have been wrong."""
        return self.timestamp - timedelta(seconds=self.ahead)

    @property
    def is_redirect(self) -> bool:
        """Whether the capture sends its reader elsewhere (RFC 9110 §15.4)."""
        return self.status in {301, 302, 303, 307, 308} and self.location is not None

    @property
    def is_tombstone(self) -> bool:
        """Whether the capture says that the page is not there."""
        return self.status >= 400 or self.availability in {"soft-404", "parked-domain"}


@dataclass(frozen=True, slots=True)
class Document:
    """Clean text and metadata of a snapshot, tied to the record they were made from.

    `same_as` names the record whose payload was the same and whose document holds the text; `rendered` is the record of
    what scripts made of the page, where the text was made from that.
    """

    url: str
    timestamp: datetime
    record_id: str
    payload_digest: str
    key: str
    offset: int
    article: Article = field(default_factory=Article)
    same_as: str | None = None
    rendered: Reference | None = None

    @property
    def place(self) -> str:
        """Return the place of the record that the document was made from."""
        return place_of(self.key, self.offset)


@dataclass(frozen=True, slots=True)
class Resource:
    """A file that a manifest vouches for (WACZ 1.1.1 §5.1: name, path, hash, bytes)."""

    path: str
    hash: str  # "sha256:…"
    bytes: int


@dataclass(frozen=True, slots=True)
class RecordsRoot:
    """The Merkle root over a run's records (RFC 6962): how many there are, and its digest."""

    count: int
    root: str  # "sha256:…"


@dataclass(frozen=True, slots=True)
class Manifest:
    """The list that makes a run exist."""

    run: str
    created: datetime
    resources: tuple[Resource, ...]
    parents: tuple[str, ...]
    counts: dict[str, int]
    hash: str  # "sha256:…" over the manifest's own bytes
    started: datetime | None = None
    records: RecordsRoot | None = None  # runs of before it was made have none
    ahead: timedelta = timedelta()  # of the machine's clock before the store's, when the run ended
    ahead_at_start: timedelta = timedelta()

    def resource(self, path: str) -> Resource:
        """The entry of one file; raises KeyError when the manifest does not name it."""
        for resource in self.resources:
            if resource.path == path:
                return resource
        raise KeyError(path)


# Outcomes of URLs that were found and not fetched.
# What is no address to fetch is, in a link, the page's fault and nobody's failure.
SKIPPED = frozenset(
    {"out-of-scope", "excluded", "too-deep", "over-limit", "query-trap", "robots-denied"}
    | {"invalid-url", "unsupported-scheme"}
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one target: a line of `outcomes.jsonl`, and of `capture --json`, whose keys are these names.

    `outcome` is "ok" or another name from the README's table; the fields from `status` to `length` describe the
    capture that the target ended at, and are absent when there is none.
    """

    url: str
    outcome: str
    timestamp: str
    status: int | None = None
    mime: str | None = None
    digest: str | None = None
    revisit: bool = False
    record_id: str | None = None
    key: str | None = None
    offset: int | None = None
    length: int | None = None
    title: str | None = None
    error: str | None = None
    final_url: str | None = None  # where redirects led, when elsewhere
    notes: tuple[str, ...] = ()
    role: str | None = None  # of what is no page: "requisite", "feed", "sitemap", "robots"
    via: str | None = None  # the URL that named it
    hops: str | None = None  # the path from what was named by hand, a letter a step
    seed: str | None = None  # what was named and led to this page or source, when that is another
    text: str | None = None  # the digest of the page's text, as it was extracted
    words: int | None = None  # of that text

    @property
    def place(self) -> str:
        """Return the place of the capture that the target ended at; "" where there is no capture."""
        return place_of(self.key, self.offset) if self.key is not None and self.offset is not None else ""

    @property
    def ok(self) -> bool:
        """Whether the target needs no one's attention."""
        return self.outcome == "ok"

    @property
    def skipped(self) -> bool:
        """Whether the URL was found, not named, and for a reason not fetched."""
        return self.via is not None and self.outcome in SKIPPED

    @property
    def failed(self) -> bool:
        """Whether it counts as a failure: a page's missing image does not."""
        return not self.ok and not self.skipped and self.role not in {Role.REQUISITE, Role.ROBOTS}


class Kind(StrEnum):
    """Why a capture is not shown."""

    WITHHELD = "withheld"
    EMBARGOED = "embargoed"
    REDACTED = "redacted"


@dataclass(frozen=True, slots=True)
class Withholding:
    """Why a capture is not shown: what a reader who asks for it is answered."""

    kind: Kind
    reason: str | None = None
    until: datetime | None = None  # of an embargo: from then on it is shown

    def __str__(self) -> str:
        """A few words: "withheld", "embargoed until 2027-01-01T00:00:00Z", and the reason where there is one."""
        until = f" until {iso(self.until)}" if self.until else ""
        return f"{self.kind}{until}" + (f": {self.reason}" if self.reason else "")
