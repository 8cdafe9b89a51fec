"""A run: the manifest that makes it exist, and the outcome of each of its targets."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from archive.model.capture import Role
from archive.model.snapshot import place_of


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
    session: bool = False  # whether it was made with a reader's session
    methods: bool = False  # whether its index names the methods of requests that are no GET
    redactions: tuple[str, ...] = ()  # those that were carried out in the run, in their order

    def resource(self, path: str) -> Resource:
        """Return the entry of one file; raises KeyError when the manifest does not name it."""
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
    """How one target ended: a line of `outcomes.jsonl`, and of `capture --json`, whose keys are these names.

    `outcome` is "ok" or another name from the README's table; the fields from `status` to `length` describe the
    capture that the target ended at, and are absent where there is no capture.
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
    role: str | None = None  # of what is no page: "requisite", "feed", "sitemap", "robots", "recovered", "text"
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
        """Return whether the target needs no one's attention."""
        return self.outcome == "ok"

    @property
    def skipped(self) -> bool:
        """Return whether the URL was found, not named, and for a reason not fetched."""
        return self.via is not None and self.outcome in SKIPPED

    @property
    def failed(self) -> bool:
        """Return whether it counts as a failure: a page's missing image does not."""
        return not self.ok and not self.skipped and self.role not in {Role.REQUISITE, Role.ROBOTS}
