"""Which captures of an imported file are pages: all that can have a text, or what its lists name and lead to."""

from __future__ import annotations

from contextlib import suppress
from io import BytesIO

from archive.errors import EntityError
from archive.formats import urlkey
from archive.importers import ForeignRecord
from archive.model import Snapshot
from archive.warc import decoded, read_entity, read_head
from pipeline.extract.tasks import BEGINNING, MAYBE_PAGES, holds_text, may_hold_text

_LOOKED_AT = 1 << 16  # bytes of a record, for what its body begins with

_DOM = "urn:dom:"  # before the page's address
_TEXT = "urn:text:"  # before the page's address, as Browsertrix and ArchiveWeb.page write it


class NamedPages:
    """The pages that a file names, by their URL keys: scheme, fragment, default port and final slash do not count."""

    def __init__(self, urls: frozenset[str] | None) -> None:
        """`urls` are those of the file's lists of pages; None without a list: any page counts."""
        self._keys = None if urls is None else {urlkey(url) for url in urls}
        self._leads: dict[str, set[str]] = {}  # keys of redirects, and of where they lead
        self._waiting: list[Snapshot] = []  # could be pages, if a redirect leads to them

    def names(self, url: str) -> bool:
        """Return whether a list names a URL; without a list, every URL counts."""
        return self._keys is None or urlkey(url) in self._keys

    def note(self, snapshot: Snapshot) -> None:
        """Know where a capture leads."""
        if self._keys is not None and snapshot.location:
            self._leads.setdefault(urlkey(snapshot.url), set()).add(urlkey(snapshot.location))

    def note_revisit(self, snapshot: Snapshot, original: Snapshot) -> None:
        """Know that a page's text lies with another capture."""
        self.note(snapshot)
        if self._keys is not None and snapshot.location is None and self.names(snapshot.url):
            self._keys.add(urlkey(original.payload.url))

    def wait(self, snapshot: Snapshot) -> None:
        """Hold a capture that no list names until it is known where the pages lead."""
        self._waiting.append(snapshot)

    def settled(self) -> list[tuple[Snapshot, bool]]:
        """Return the captures that were held, each with whether it is a page; nothing is held afterwards."""
        keys = self._keys or set()
        ahead = list(keys)
        while ahead:
            for key in self._leads.get(ahead.pop(), ()):
                if key not in keys:
                    keys.add(key)
                    ahead.append(key)
        held, self._waiting = self._waiting, []
        return [(snapshot, urlkey(snapshot.url) in keys) for snapshot in held]


class Renditions:
    """What scripts made of pages, by the record ids of these: a page's text is made from it."""

    def __init__(self) -> None:
        self._by_page: dict[str, str] = {}

    def note(self, snapshot: Snapshot, record: ForeignRecord) -> None:
        """Know a capture's place where it is the markup that a browser had of a page."""
        page = (record.header("WARC-Concurrent-To") or "").strip()
        if record.kind == "resource" and page and snapshot.url.lower().startswith(_DOM):
            self._by_page[page] = snapshot.place

    def of(self, page: Snapshot) -> str | None:
        """Return the place of what scripts made of a page, None where the file does not hold that."""
        return self._by_page.get(page.record_id)


def is_browser_text(record: ForeignRecord, snapshot: Snapshot) -> bool:
    """Return whether a record holds the text that a browser took from a page."""
    return (
        record.kind == "resource" and snapshot.url.lower().startswith(_TEXT) and snapshot.mime in {"text/plain", "unk"}
    )


def may_be_page(record: ForeignRecord, snapshot: Snapshot) -> bool:
    """Return whether a capture can have a text: a response, or a file of a mirror under the address that it had.

    The text that a browser took from a page, `urn:text:` and its address, is a page of its own, so that it is searched.
    """
    if is_browser_text(record, snapshot):
        return True
    if record.kind not in {"response", "resource"} or not snapshot.url.lower().startswith(("http:", "https:")):
        return False
    if not 200 <= snapshot.status < 300 or not may_hold_text(snapshot.mime):
        return False
    return snapshot.mime in MAYBE_PAGES or holds_text(snapshot.mime, _beginning(record))


def _beginning(record: ForeignRecord) -> bytes:
    """Return the first bytes of what a record carries, its codings undone as far as they can be."""
    with record.block.open() as stream:
        data = BytesIO(stream.read(_LOOKED_AT))
    if record.kind != "response":
        return data.read(BEGINNING)
    head, _ = read_head(data)
    pieces = bytearray()
    with suppress(EntityError):
        for piece in decoded(read_entity(data, head), head.content_encoding, _LOOKED_AT):
            pieces += piece
    return bytes(pieces[:BEGINNING])
