"""Pages saved as one HTML file, by SingleFile and its like: a comment at the top says of where and when."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from archive.digests import digest_of
from archive.importers.lenient_reader import Found
from archive.importers.made_records import SavedFile, kept_block, made_record
from archive.times import from_iso

_ADDRESS = rb"(https?://[^\s<>\"]{1,8000})"
_SAVED = (
    re.compile(
        rb"<!--\s*Page saved with SingleFile[^>]{0,300}?\surl:\s*" + _ADDRESS + rb"\s+saved date:\s*([^\r\n<]{5,100})"
    ),
    re.compile(rb"<!--\s*Saved from " + _ADDRESS + rb" at (.{5,60}?) using monolith", re.IGNORECASE),
    re.compile(rb"<!--\s*saved from url=\(\d{1,6}\)" + _ADDRESS + rb"()\s*-->", re.IGNORECASE),
)  # fmt: skip
_JAVASCRIPT = re.compile(r"[A-Z][a-z]{2} ([A-Z][a-z]{2} \d{2} \d{4} \d\d:\d\d:\d\d) GMT([+-])(\d\d)(\d\d)")
_HTML = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|!--)", re.IGNORECASE)
_BEGINNING = 1 << 16  # bytes in which the comment stands
_NO_DATE = "it names no date: the time at which it was changed last is taken"


@dataclass(frozen=True, slots=True)
class Saved:
    """Of where a file is a page, and when it was saved, if it says so."""

    url: str
    date: datetime | None


def saved_page(first: bytes) -> Saved | None:
    """Return what a saved page says of itself in its first bytes; None for other files."""
    if not _HTML.match(first):
        return None
    for form in _SAVED:
        if found := form.search(first):
            url = found[1].decode("utf-8", "replace").partition("#")[0]
            return Saved(url, _date_of(found[2].decode("utf-8", "replace").strip()))
    return None


def html_records(file: SavedFile) -> Iterator[Found]:
    """Yield the file as a resource record under the address of its page."""
    data = file.path.read_bytes()
    saved = saved_page(data[:_BEGINNING])
    if saved is None:
        return
    try:
        data.decode("utf-8")
        kind = "text/html; charset=utf-8"
    except UnicodeDecodeError:
        kind = "text/html"
    notes = () if saved.date else (_NO_DATE,)
    block = kept_block(data, file.folder)
    yield made_record("resource", saved.url, saved.date or file.changed, kind, block, digest_of(data), notes=notes)


def _date_of(text: str) -> datetime | None:
    if found := _JAVASCRIPT.match(text):
        try:
            moment = datetime.strptime(found[1], "%b %d %Y %H:%M:%S")
            zone = timedelta(hours=int(found[3]), minutes=int(found[4])) * (-1 if found[2] == "-" else 1)
            return moment.replace(tzinfo=timezone(zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
    for read in (from_iso, parsedate_to_datetime):
        try:
            found_date = read(text)
            return (found_date if found_date.tzinfo else found_date.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return None
