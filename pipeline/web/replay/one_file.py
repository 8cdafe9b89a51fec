"""A snapshot as one HTML file that opens offline: what the page needs is in it as data: URLs, and nothing in it runs.

The page is written again as for replay; where replay leads a reference to the archive, the file itself is put here, as
it was nearest in time. A policy in the page (Content-Security-Policy) lets a browser load nothing else.
"""

from __future__ import annotations

import base64
import html
import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import quote

from archive.errors import EntityError, NoSuchSnapshot, Withheld
from archive.model import Snapshot
from archive.times import iso
from pipeline.extract.encoding import decode
from pipeline.version import software
from pipeline.web.common.archive_reader import Reading
from pipeline.web.common.media_types import BYTES, TEXT, content_type
from pipeline.web.replay.content_types import HTML, SHEETS, kind_of
from pipeline.web.replay.css import rewrite_css
from pipeline.web.replay.html import rewrite_html
from pipeline.web.replay.replay_urls import FRAME, SHEET, Place, base_of

MOST = 256 << 20  # characters of data: URLs in one file
_LARGEST = 64 << 20  # bytes of a page or of a file that it needs
_DEEPEST = 4  # frames and style sheets within one another
_MARKUP = "urn:dom:"  # before the address of a page: its final markup
_DESTINATIONS = {FRAME: "iframe", SHEET: "style"}
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline' data:; font-src data:; media-src data:; "
    "frame-src data:; base-uri 'none'; form-action 'none'"
)
_DOCTYPE = re.compile(r"\s*<!doctype[^>]*>", re.IGNORECASE)


@dataclass(slots=True)
class Inlined:
    """What was put into a file, and the addresses of what is missing: not kept, withheld, or too large."""

    files: int = 0
    missing: set[str] = field(default_factory=set)
    withheld: set[str] = field(default_factory=set)
    too_large: set[str] = field(default_factory=set)


def one_file(reading: Reading, snapshot: Snapshot) -> tuple[str, Inlined]:
    """Return a snapshot as one HTML file, of the final markup where a browser captured it.

    Raises ValueError where the snapshot is no HTML page, EntityError for a page that is too large, IntegrityError,
    Withheld.
    """
    shown = reading.made_of(snapshot, _MARKUP) or snapshot
    files = _Files(reading, snapshot.timestamp)
    kind, body = files.read(shown, "")
    if kind != HTML:
        raise ValueError(f"the snapshot of {snapshot.url} is {kind}, and no page")
    text, _ = decode(body, files.named)
    page = rewrite_html(text, _Inside(iso(shown.timestamp), base_of(shown.url), files, 0))
    return _with_head(page, snapshot), files.found


def _with_head(page: str, snapshot: Snapshot | None) -> str:
    """Return a page that begins with its encoding, its policy and where it is from; the document type stays first."""
    head = f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
    if snapshot is not None:
        head += '<meta name="referrer" content="no-referrer">'
        said = {
            "generator": software(), "onrecord-url": snapshot.url, "onrecord-captured": iso(snapshot.timestamp),
            "onrecord-record": snapshot.record_id, "onrecord-digest": snapshot.digest,
            "onrecord-source": snapshot.source,
        }  # fmt: skip
        head += "".join(f'\n<meta name="{name}" content="{html.escape(it)}">' for name, it in said.items() if it) + "\n"
    doctype = _DOCTYPE.match(page)
    end = doctype.end() if doctype else 0
    return page[:end] + head + page[end:]


class _Files:
    """Reads what a page needs, each file once, nearest to the time of the page."""

    def __init__(self, reading: Reading, at: datetime) -> None:
        self._reading = reading
        self._at = at
        self._held: dict[tuple[str, str], str | None] = {}
        self._left = MOST
        self.found = Inlined()
        self.named = ""  # the Content-Type of what was read last

    def data_url(self, url: str, kind: str, depth: int) -> str | None:
        """Return a file as a data: URL; None for what is missing, which is counted."""
        key = (url, kind)
        if key not in self._held:
            self._held[key] = None  # of a style sheet that imports itself
            self._held[key] = self._made(url, kind, depth)
            self.found.files += self._held[key] is not None
        made = self._held[key]
        if made is None:
            return None
        if len(made) > self._left:
            self.found.too_large.add(url)
            return None
        self._left -= len(made)
        return made

    def _made(self, url: str, kind: str, depth: int) -> str | None:
        if depth > _DEEPEST:
            self.found.too_large.add(url)
            return None
        try:
            snapshot = self._reading.nearest(url, self._at, standing=True)
            named, body = self.read(snapshot, kind)
        except Withheld:
            self.found.withheld.add(url)
            return None
        except NoSuchSnapshot:
            self.found.missing.add(url)
            return None
        except EntityError:
            self.found.too_large.add(url)
            return None
        inside = _Inside(iso(snapshot.timestamp), base_of(snapshot.url), self, depth + 1)
        if snapshot.is_tombstone or (named == HTML) != (kind == FRAME):
            self.found.missing.add(url)
            return None
        if named == HTML:
            text, _ = decode(body, self.named)
            return _data(
                "text/html;charset=utf-8", _with_head(rewrite_html(text, inside), None).encode("utf-8", "replace")
            )
        if named == SHEETS:
            text, _ = decode(body, self.named)
            return _data("text/css;charset=utf-8", rewrite_css(text, inside).encode("utf-8", "replace"))
        if named in {TEXT, BYTES}:
            self.found.missing.add(url)
            return None
        return _data(named, body)

    def read(self, snapshot: Snapshot, kind: str) -> tuple[str, bytes]:
        """Return the media type of a capture and its body; raises EntityError for one that is too large."""
        head, pieces = self._reading.body(snapshot, _LARGEST)
        body = b"".join(pieces)
        self.named = content_type(head.headers)
        if kind == SHEET:
            return SHEETS, body
        named = kind_of(self.named, body[:1024], piece=True, destination=_DESTINATIONS.get(kind, "image"))
        return named, body


@dataclass(frozen=True, slots=True)
class _Inside(Place):
    """A page or style sheet that is put into a file, with what it names."""

    files: _Files
    depth: int

    def within(self, href: str) -> Place:
        return replace(self, base=Place.within(self, href).base)

    def path(self, reference: str, kind: str = "") -> str | None:
        found = self.named(reference)
        made = self.files.data_url(found[0], kind, self.depth) if found else None
        return made and made + found[1] if found else None

    def link(self, reference: str) -> str | None:
        found = self.named(reference)
        return found and quote(found[0], safe="-._~:/?[]@!$&()*+,;=%", errors="replace") + found[1]

    def led_on(self, reference: str) -> str | None:  # noqa: ARG002 - a file leads nowhere by itself
        return None


def _data(kind: str, body: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(body).decode()}"
