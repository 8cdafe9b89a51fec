"""A document: the clean text and the metadata of a snapshot."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from archive.model.snapshot import Reference, place_of
from archive.model.structure import Structure


@dataclass(frozen=True, slots=True)
class Embed:
    """A work of another site that a page shows: a document, a video, a post.

    `record_id` names its capture in the same run; without one, `reason` says why.
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
    availability: str | None = None  # "soft-404", "paywalled": what stands in its place; or TEXT_INCOMPLETE
    encoding: str | None = None  # the character encoding the bytes were read in
    extractor: str = ""  # name and version: "trafilatura 2.3.1"
    structure: Structure | None = None  # of a document that is no web page


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
