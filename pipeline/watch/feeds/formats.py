"""Entries written as Atom (RFC 4287) or as JSON Feed 1.1."""

from __future__ import annotations

import io
import json
import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from archive.times import iso
from pipeline.version import software
from pipeline.watch.edits import in_words
from pipeline.watch.feeds.entries import Entry

ATOM = "application/atom+xml"
JSON = "application/feed+json"
_NAMESPACE = "http://www.w3.org/2005/Atom"
_VERSION = "https://jsonfeed.org/version/1.1"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)  # when a feed without entries changed
_SAFE = "-._~:/?#[]@!$&'()*+,;=%"
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 §2.2 has no such character


@dataclass(frozen=True, slots=True)
class Channel:
    """What a feed says of itself: its title, what makes its id, its own address and that of its page, if it has any.

    `page_of` gives the address at which an entry is read; without it an entry leads to the page itself.
    """

    title: str
    name: str
    address: str | None = None
    home: str | None = None
    page_of: Callable[[Entry], str] | None = None

    @property
    def id(self) -> str:
        """Return a permanent id, which tells nobody where the archive lies."""
        return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, self.name.encode('utf-8', 'replace').decode())}"

    def link_of(self, entry: Entry) -> str:
        """Return the address at which an entry is read."""
        return self.page_of(entry) if self.page_of else iri(entry.url)


def atom(channel: Channel, entries: Sequence[Entry]) -> bytes:
    """Return a feed as Atom."""
    out = io.StringIO()
    writer = _Writer(out)
    writer.begin("feed", xmlns=_NAMESPACE)
    writer.text("id", channel.id)
    writer.text("title", channel.title)
    writer.text("updated", iso(_updated(entries)))
    writer.begin("author")
    writer.text("name", "onrecord")
    writer.end("author")
    writer.text("generator", software())
    for rel, href in (("self", channel.address), ("alternate", channel.home)):
        if href:
            writer.text("link", None, rel=rel, href=href)
    for entry in entries:
        _entry(writer, channel, entry)
    writer.end("feed")
    return out.getvalue().encode()


def _entry(writer: _Writer, channel: Channel, entry: Entry) -> None:
    writer.begin("entry")
    writer.text("id", entry.id)
    writer.text("title", entry.title)
    writer.text("updated", iso(entry.updated))
    writer.text("published", iso(entry.at))
    writer.text("link", None, rel="alternate", href=channel.link_of(entry))
    if channel.page_of:
        writer.text("link", None, rel="related", href=iri(entry.url))
    writer.text("category", None, term=in_words(entry.kind), label=in_words(entry.kind))
    for tag in dict.fromkeys(entry.tags):
        writer.text("category", None, term=tag)
    writer.text("content", _content(entry), type="text")
    writer.end("entry")


def json_feed(channel: Channel, entries: Sequence[Entry]) -> bytes:
    """Return a feed as JSON Feed 1.1."""
    feed: dict[str, Any] = {"version": _VERSION, "title": _clean(channel.title)}
    feed |= {"home_page_url": channel.home} if channel.home else {}
    feed |= {"feed_url": channel.address} if channel.address else {}
    feed |= {"authors": [{"name": "onrecord"}], "items": [_item(channel, entry) for entry in entries]}
    return json.dumps(feed, ensure_ascii=False, indent=1).encode("utf-8", "replace") + b"\n"


def _item(channel: Channel, entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "url": channel.link_of(entry),
        "external_url": iri(entry.url),
        "title": _clean(entry.title),
        "content_text": _clean(_content(entry)),
        "date_published": iso(entry.at),
        "date_modified": iso(entry.updated),
        "tags": [_clean(tag) for tag in dict.fromkeys((in_words(entry.kind), *entry.tags))],
    }


def _content(entry: Entry) -> str:
    record = f"\n\nRecord {entry.record_id}" if entry.record_id else ""
    return f"{entry.text}\n\n{entry.url}{record}"


def _updated(entries: Sequence[Entry]) -> datetime:
    return max((entry.updated for entry in entries), default=_NEVER)


def iri(url: str) -> str:
    """Return a URL with what no URI holds percent-encoded."""
    return quote(url, safe=_SAFE, errors="replace")


def _clean(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)


class _Writer:
    """Writes elements with their text escaped, and characters that XML does not have replaced."""

    def __init__(self, out: io.StringIO) -> None:
        self._generator = XMLGenerator(out, encoding="utf-8", short_empty_elements=True)
        self._generator.startDocument()

    def begin(self, name: str, **attributes: str) -> None:
        self._generator.startElement(name, AttributesImpl({key: _clean(value) for key, value in attributes.items()}))

    def end(self, name: str) -> None:
        self._generator.endElement(name)
        self._generator.ignorableWhitespace("\n")

    def text(self, name: str, text: str | None, **attributes: str) -> None:
        """Write an element that holds a text, or nothing."""
        self.begin(name, **attributes)
        if text:
            self._generator.characters(_clean(text))
        self.end(name)
