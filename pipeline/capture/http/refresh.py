"""Pages that lead on by themselves: the Refresh header and <meta http-equiv=refresh> (WHATWG HTML §4.2.5.3)."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from html import unescape
from urllib.parse import urljoin

from archive.errors import EntityError
from archive.model import Exchange
from archive.warc import decoded, entity_of, mime_of

LONGEST_WAIT = 10  # seconds after which a page that leads on is read first

_PAGES = {"text/html", "application/xhtml+xml", "unk"}
_MOST = 128 << 10  # bytes of a page that are looked at
_LONGEST_HEAD = 1 << 18  # bytes; what lies beyond the beginning of a page does no harm here
_DECODED = 1 << 24
# What the walk would look at: the keyword, or a value that may spell it by character references.
# The hyphen comes first, for it is sought quickly, and the markup need not be put into lower case.
_MAY_LEAD = re.compile(rb"-(?i:equiv\s*=\s*(?:[\"']\s*)?(?:refresh|[^\"'>\s]{0,40}&))")
_CONTENT = re.compile(r"\s*(\d+|(?=\.))[\d.]*(?:\s*\Z|\s*[;,\s]\s*(.*))", re.DOTALL)
_URL = re.compile(r"url\s*=\s*", re.IGNORECASE)
_NAME = re.compile(r"</?([a-zA-Z][a-zA-Z0-9]{0,15})")
_ATTRIBUTE = re.compile(r"([^\s\"'<>/=]{1,40})\s{0,20}=\s{0,20}(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_TAG_END = re.compile(r"[\"'>]")
# Elements within which a browser that runs scripts sees no element.
_CLOSED = {
    "noscript",
    "script",
    "style",
    "template",
    "textarea",
    "title",
    "iframe",
    "noframes",
    "noembed",
    "xmp",
    "svg",
}


@dataclass(frozen=True, slots=True)
class Refresh:
    """Where a page leads after so many seconds; `url` is relative to the page, and empty for the page itself."""

    wait: int
    url: str


def refresh_of(recorded: Exchange) -> Refresh | None:
    """Return what a browser would load next by itself; None where a page stays."""
    if not 200 <= recorded.status < 300 or recorded.truncated or mime_of(recorded) not in _PAGES:
        return None
    if (value := recorded.header("Refresh")) is not None and (found := parsed_refresh(value)):
        return found
    return refresh_in(_beginning(recorded)) if _may_lead(recorded) else None


def parsed_refresh(value: str, base: str = "") -> Refresh | None:
    """Take the value of a Refresh header, or of a <meta>, apart; None where a browser ignores it."""
    match = _CONTENT.match(value)
    if match is None:
        return None
    wait, url = int((match[1] or "0")[:9]), (match[2] or "").strip()
    if named := _URL.match(url):
        url = url[named.end() :]
        if url[:1] in {'"', "'"}:
            url = url[1:].partition(url[0])[0]
    return Refresh(wait, urljoin(base, url.strip()) if base and url else url.strip())


def refresh_in(markup: bytes) -> Refresh | None:
    """Return the first <meta http-equiv=refresh> of a page that a browser obeys."""
    if _MAY_LEAD.search(markup) is None:  # most pages have none, and need not be walked through
        return None
    text, base, at = markup.decode("utf-8", "replace"), "", 0
    while (start := text.find("<", at)) >= 0:
        if text.startswith("<!--", start):
            end = text.find("-->", start + 4)
            at = end + 3 if end >= 0 else len(text)
            continue
        name = _NAME.match(text, start)
        if name is None:
            at = start + 1
            continue
        at = _end_of(text, name.end())
        tag, opens = name[1].lower(), text[start + 1] != "/"
        if not opens:
            continue
        if tag in _CLOSED:
            at = _after(text, at, tag)
        elif tag in {"meta", "base"}:
            attributes = _attributes(text[name.end() : at])
            if tag == "base":
                base = base or attributes.get("href", "")
            elif attributes.get("http-equiv", "").strip().lower() == "refresh" and (
                found := parsed_refresh(attributes.get("content", ""), base)
            ):
                return Refresh(found.wait, found.url.encode().decode("latin-1"))  # as a header would have it
    return None


def _may_lead(recorded: Exchange) -> bool:
    """Return whether a page is worth taking out of its codings: one without any shows at once that it leads nowhere."""
    if recorded.header("Content-Encoding") is not None or recorded.header("Transfer-Encoding") is not None:
        return True
    with recorded.response.open() as stream:
        return _MAY_LEAD.search(stream.read(_LONGEST_HEAD + _MOST)) is not None


def _beginning(recorded: Exchange) -> bytes:
    body = bytearray()
    with recorded.response.open() as stream, suppress(EntityError):  # what came before is all there is
        head, entity = entity_of(recorded, stream)
        for piece in decoded(entity, head.content_encoding, _DECODED):
            body += piece
            if len(body) >= _MOST:
                break
    return bytes(body[:_MOST])


def _end_of(text: str, at: int) -> int:
    """Return where a tag ends; quoted values may hold its sign."""
    while mark := _TAG_END.search(text, at):
        if mark[0] == ">":
            return mark.end()
        closing = text.find(mark[0], mark.end())
        if closing < 0:
            break
        at = closing + 1
    return len(text)


def _after(text: str, at: int, tag: str) -> int:
    """Return where an element's end tag begins."""
    closing = re.compile(rf"</{tag}\b", re.IGNORECASE).search(text, at)
    return closing.start() if closing else len(text)


def _attributes(tag: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(tag):
        found.setdefault(name.lower(), unescape(double or single or bare))
    return found
