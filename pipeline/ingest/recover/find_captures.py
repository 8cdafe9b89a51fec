"""All captures that an archive lists of a URL, asked for page by page, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from archive.formats import http_date, joined_url, links_of
from archive.model import Exchange
from archive.times import now
from pipeline.ingest.recover.capture_lists import Next, listed_in
from pipeline.ingest.recover.memento import moment_of_memento
from pipeline.ingest.recover.other_archive import (
    PAGE,
    Kind,
    Listed,
    OtherArchive,
    RecoverError,
    is_same_page,
    original_in,
)
from pipeline.ingest.recover.polite_requests import Asking, pieces_of

_NOTHING = 404  # how archives say that they have none
_MOST_TIMEMAPS = 10_000


def find_captures(
    asking: Asking, archive: OtherArchive, url: str, start: datetime | None, end: datetime | None
) -> Iterator[Listed]:
    """Yield the captures of a URL between two times, both included, as the archive lists them; raises RecoverError."""
    for listed in _listed(asking, archive, url, start, end):
        late = end is not None and listed.at > end
        if late or (start is not None and listed.at < start) or not is_same_page(url, listed.url):
            continue
        yield listed


def _listed(
    asking: Asking, archive: OtherArchive, url: str, start: datetime | None, end: datetime | None
) -> Iterator[Listed]:
    if archive.kind == Kind.CDX:
        yield from _searched(asking, archive, url, start, end)
    elif archive.kind == Kind.TIMEMAP:
        yield from _timemaps(asking, archive, url, archive.about(url))
    else:
        yield from _negotiated(asking, archive, url, end)


def _searched(
    asking: Asking, archive: OtherArchive, url: str, start: datetime | None, end: datetime | None
) -> Iterator[Listed]:
    """Ask a CDX server, page by page: by its resumption key, else from the time of the last line on."""
    resume: str | None = None
    while True:
        count, last, key = 0, None, None
        with asking.search(archive.search(url, start, end, resume)) as exchange:
            if _has_nothing(exchange, archive):
                return
            for found in listed_in(pieces_of(exchange), archive, url):
                if isinstance(found, Next):
                    key = found.key or key
                    continue
                count += 1
                last = found.at
                yield found
        if key is not None and count:
            if key == resume:
                raise RecoverError(f"{archive.host} gives the same resumption key again: its list has no end")
            resume = key
        elif resume is None and count >= PAGE and last is not None and (start is None or last > start):
            start = last
        else:
            return


def _timemaps(asking: Asking, archive: OtherArchive, url: str, address: str) -> Iterator[Listed]:
    """Read a TimeMap, and those that it names (RFC 7089 §5.1), each once."""
    waiting, seen = [address], {address}
    while waiting:
        address = waiting.pop(0)
        with asking.search(address) as exchange:
            if _has_nothing(exchange, archive):
                continue
            for found in listed_in(pieces_of(exchange), archive, url):
                if isinstance(found, Listed):
                    yield found
                elif found.timemap and len(seen) < _MOST_TIMEMAPS:
                    further = joined_url(address, found.timemap)
                    if further not in seen and _is_part(further):
                        seen.add(further)
                        waiting.append(further)


def _is_part(address: str) -> bool:
    return address.startswith(("http://", "https://"))


def _negotiated(asking: Asking, archive: OtherArchive, url: str, at: datetime | None) -> Iterator[Listed]:
    """Ask a TimeGate (RFC 7089 §4): for the TimeMap that it names, else for the capture that it leads to."""
    headers = (("Accept-Datetime", http_date(at or now())),)
    with asking.search(archive.about(url), headers) as exchange:
        links = [link for name, value in exchange.headers if name.lower() == "link" for link in links_of(value)]
        timemap = next((link.url for link in links if "timemap" in link.rel), None)
        if timemap is None and _has_nothing(exchange, archive):
            return
        single = _single(exchange, url)
    if timemap is None and single is None:
        raise RecoverError(
            f"{archive.host} does not answer as a TimeGate: it names neither a TimeMap nor a capture; name a TimeMap "
            "or a CDX server, or say which it is with --kind"
        )
    if timemap is not None:
        yield from _timemaps(asking, archive, url, joined_url(exchange.url, timemap))
    elif single is not None:
        yield single


def _single(exchange: Exchange, url: str) -> Listed | None:
    """Return the capture that a TimeGate leads to."""
    location = exchange.header("Location") or exchange.header("Content-Location")
    source = joined_url(exchange.url, location) if location else exchange.url
    at = moment_of_memento(exchange)
    for name, value in exchange.headers:
        if name.lower() == "link":
            named = (link for link in links_of(value) if "memento" in link.rel and link.url == source)
            at = at or next((link.moment for link in named), None)
    if at is None:
        return None
    return Listed(original_in(source) or url, at, None, source)


def _has_nothing(exchange: Exchange, archive: OtherArchive) -> bool:
    """Return whether an archive says that it has no capture; raises RecoverError where it says something else."""
    if exchange.status == _NOTHING:
        return True
    if not 200 <= exchange.status < 300 and exchange.header("Link") is None:
        words = b"".join(pieces_of(exchange))[:300].decode("utf-8", "replace")
        said = " ".join(words.split()) if words[:1] != "<" else ""
        raise RecoverError(f"{archive.host} answers {exchange.status}" + (f": {said[:200]}" if said else ""))
    return False
