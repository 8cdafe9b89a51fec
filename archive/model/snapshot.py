"""A snapshot: a URL as it was at a time, where its record lies, and why it may not be shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from archive.times import iso

# The availability of a page that is there, and whose text has little of the prose that it shows.
TEXT_INCOMPLETE = "text-incomplete"


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
class TextMark:
    """What tells a page's text from another one: its digest, how many words it has, and the extractor that made it.

    `rendered` says that it was made from what scripts made of the page, rather than from the page's bytes.
    """

    digest: str
    words: int
    extractor: str
    rendered: bool = False

    def __str__(self) -> str:
        return f"{self.digest} {self.words}{'r' if self.rendered else ''} {self.extractor}"


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
    location: str | None = None  # where a redirect, or a page's refresh, points, absolute
    title: str | None = None
    availability: str | None = None  # what stands in the page's place: "soft-404", "paywalled"; or TEXT_INCOMPLETE
    document: DocumentRef | None = None
    text: TextMark | None = None  # of the document; None too where the index is of before 0.5
    recovered: str | None = None  # the host of the archive that it was recovered from; None for our own captures
    session: str | None = None  # of one made with a reader's session: the headers that said who asks, "Cookie"
    method: str | None = None  # of the request, where it is known not to be GET,
    request_body: str | None = None  # and what its body is as a query (see `archive.formats.method_query`)
    ahead: int = 0  # seconds by which the clock that dated it is known to have been ahead
    withheld: Withholding | None = None  # why it is not to be shown: then nothing above tells of its content

    @property
    def place(self) -> str:
        """Return what tells this capture from every other one; `record_id` does not, where files were imported."""
        return place_of(self.record.key, self.record.offset)

    @property
    def revisit(self) -> bool:
        """Return whether the payload lies with an earlier record."""
        return self.refers_to is not None

    @property
    def payload(self) -> Reference:
        """Return the record that holds the payload: an earlier one for a revisit, else the capture's own."""
        return self.refers_to or Reference(self.record, self.record_id, self.url, self.timestamp)

    @property
    def source(self) -> str:
        """Return in words where a capture is from: "recovered from HOST"; "" for one of our own."""
        return f"recovered from {self.recovered}" if self.recovered else ""

    @property
    def session_words(self) -> str:
        """Return in words that a capture was made with a session, and how; "" where anybody could make it."""
        return f"made with a session: {self.session}" if self.session else ""

    @property
    def true_time(self) -> datetime:
        """Return when it was captured, as far as the clock is known to have been wrong."""
        return self.timestamp - timedelta(seconds=self.ahead)

    @property
    def is_redirect(self) -> bool:
        """Whether the capture sends its reader elsewhere: a redirect (RFC 9110 §15.4), or a page with a refresh."""
        return self.location is not None and (self.status in {301, 302, 303, 307, 308} or self.status < 300)

    @property
    def is_behind_wall(self) -> bool:
        """Whether something else stands in the page's place. A page whose text is incomplete is there."""
        return self.availability is not None and self.availability != TEXT_INCOMPLETE

    @property
    def is_tombstone(self) -> bool:
        """Return whether the capture says that the page is not there."""
        return self.status >= 400 or self.availability in {"soft-404", "parked-domain"}


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
        """Return a few words: "withheld", "embargoed until 2027-01-01T00:00:00Z", and the reason where there is one."""
        until = f" until {iso(self.until)}" if self.until else ""
        return f"{self.kind}{until}" + (f": {self.reason}" if self.reason else "")
