"""Lists of what to capture, as people have them: lines, CSV, a browser's bookmarks, and OPML of a feed reader."""

from __future__ import annotations

import csv
import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING

import click

from pipeline.cli.output import plain

if TYPE_CHECKING:
    from archive.model import Target
    from pipeline.capture.http.proxies import Ways

_log = logging.getLogger("onrecord")
_COLUMNS = {
    "url",
    "urls",
    "uri",
    "link",
    "links",
    "href",
    "address",
    "website",
    "page",
    "page url",
    "source url",
    "loc",
}
_SITE = re.compile(r"https?://[^/?#]+/?", re.IGNORECASE)  # a site by its address alone
_ROUTE = re.compile(r"([^#\s]*)#[/!]")  # of a page whose scripts show another text for each
_NOTE = re.compile(r"\s+#.*")
_URL = re.compile(r"https?://", re.IGNORECASE)
_MARKUP = re.compile(r"\s*<(?:\?xml|!doctype|!--|opml|html|dl|title|meta)", re.IGNORECASE)
# A host with a dot, or localhost, or a dotted address; a port; and what follows in a URL. No scheme.
_BARE = re.compile(r"(?:[\w-]+(?:\.[\w-]+)+\.?|localhost|\[[0-9a-f:.]+\])(?::\d{1,5})?(?:[/?#].*)?\Z", re.IGNORECASE)
_DELIMITERS = "\t;,"


def targets_in(lines: Iterable[str]) -> Iterator[Target]:
    """Yield what a list names, in its order; lists of lines and CSV are read as they come.

    Empty lines, lines that begin with #, and notes behind a space and # are passed over. Raises click.UsageError for
    CSV without a column of URLs, and for markup that is neither bookmarks nor OPML.
    """
    unread = iter(lines)
    head = [line.removeprefix("\ufeff") for line in islice(unread, 1)]
    while head and not _meaning(head[-1]):
        head = [line.removeprefix("\ufeff") for line in islice(unread, 1)]
    whole = chain(head, unread)
    if head and _MARKUP.match(head[0]):
        yield from _marked_up("".join(whole))
    elif head and (column := _header(head[0])):
        yield from _rows(islice(whole, 1, None), *column)
    else:
        yield from _lines(whole)


def target_of(written: str) -> Target:
    """Return the target that a user wrote: a URL, or a domain without a scheme, which is tried as https, then http."""
    from archive.model import Target

    if "#" in written:
        warn_of_route(written)
    return Target(f"https://{written}", bare=True) if _BARE.match(written) else Target(written)


def _meaning(line: str) -> str:
    """Return a line without the note behind it; "" where it names nothing."""
    text = line.strip()
    return "" if text.startswith("#") else _NOTE.sub("", text)


def _lines(lines: Iterable[str]) -> Iterator[Target]:
    """Each line a URL; where a line has several cells, and one of them is a URL, that one."""
    for line in lines:
        text = _meaning(line)
        if not text:
            continue
        if _is_row(text):
            cells = [cell.strip() for cell in _split(text, _delimiter(text))]
            text = next((cell for cell in cells if _URL.match(cell)), text)
        yield target_of(text)


def _is_row(text: str) -> bool:
    """Whether a line can be no URL by itself: it has tabs, quotes, or words behind a comma or semicolon."""
    return bool(_URL.search(text)) and bool(re.search(r'\t|^"|[,;]\s|[,;]"|[,;]\S*\s|^[^,;:]*[,;]https?://', text))


def _delimiter(text: str) -> str:
    """Return what parts the cells of a row: what stands beside a URL, else the rarest mark that is there."""
    beside = re.search(r'([\t;,])\s*"?https?://', text, re.IGNORECASE) or re.search(
        r'https?://[^\t;,\s"]*"?([\t;,])', text, re.IGNORECASE
    )
    return beside[1] if beside else next((mark for mark in _DELIMITERS if mark in text), ",")


def _split(line: str, delimiter: str) -> list[str]:
    return next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])


def _header(line: str) -> tuple[str, int] | None:
    """Return the delimiter of a CSV file and the column of its URLs, by its first line; None where it is no header."""
    if _URL.search(line):
        return None
    delimiter = _delimiter(line)
    cells = [cell.strip().lower() for cell in _split(line.strip(), delimiter)]
    found = next((number for number, cell in enumerate(cells) if cell in _COLUMNS), None)
    if found is not None:
        return delimiter, found
    if len(cells) > 1 and not _BARE.match(cells[0]):
        raise click.UsageError(f"the list has columns {', '.join(cells)[:200]}: call the one that holds the URLs url")
    return None


def _rows(lines: Iterable[str], delimiter: str, column: int) -> Iterator[Target]:
    for cells in csv.reader(lines, delimiter=delimiter, skipinitialspace=True):
        text = cells[column].strip() if column < len(cells) else ""
        if text and not cells[0].startswith("#"):
            yield target_of(text)


def _marked_up(text: str) -> Iterator[Target]:
    if "<opml" in text[:4096].lower():
        return _opml(text)
    if re.search(r"<(?:a|dl)[\s>]", text, re.IGNORECASE):
        return _bookmarks(text)
    raise click.UsageError("the list is markup, and neither a browser's bookmarks nor OPML: write URLs, one a line")


def _opml(text: str) -> Iterator[Target]:
    """Yield the feeds of an OPML 2.0 file, and the pages of its links."""
    from archive.model import Role, Target
    from pipeline.discover.safe_xml import NotXml, parsed_xml

    try:
        root = parsed_xml(text.encode())
    except NotXml as error:
        raise click.UsageError(f"the list is no OPML that can be read: {error}") from error
    for outline in root.iter("{*}outline"):
        given = {str(name).lower(): str(value).strip() for name, value in outline.attrib.items()}
        if feed := given.get("xmlurl"):
            yield Target(feed, role=Role.FEED)
        elif page := given.get("url") or given.get("htmlurl"):
            yield target_of(page)


def _bookmarks(text: str) -> Iterator[Target]:
    """Yield the pages of a Netscape bookmark file; a browser's own addresses (place:, about:) are none."""
    import lxml.html

    for link in lxml.html.document_fromstring(text.encode(), parser=lxml.html.HTMLParser(encoding="utf-8")).iter("a"):
        address = (link.get("href") or "").strip()
        if _URL.match(address):
            yield target_of(address)


def targets(
    urls: tuple[str, ...],
    source: Iterable[str] | None,
    feeds: tuple[str, ...],
    sitemaps: tuple[str, ...],
    ways: Ways,
) -> Iterator[Target]:
    """Yield what was named by hand, then what the list names.

    Raises ProxyError for a URL that cannot be fetched before the user has said by which way: before the first is
    yielded, as far as they were named by hand or are the list's first; click.UsageError for a list that cannot be read.
    """
    from archive.model import Role, Target

    named = [
        *(target_of(url) for url in urls),
        *(Target(url, role=Role.FEED) for url in feeds),
        *(
            Target(f"{url.rstrip('/')}/robots.txt" if _SITE.fullmatch(url) else url, role=Role.SITEMAP)
            for url in sitemaps
        ),
    ]
    named = list(checked_ways(named, ways))
    if source is None:
        return iter(named)
    listed = checked_ways(targets_in(source), ways)
    first = list(islice(listed, 1))
    return chain(named, first, listed)


def checked_ways(listed: Iterable[Target], ways: Ways) -> Iterator[Target]:
    """Yield targets; raises ProxyError as `targets` does."""
    from pipeline.capture.http.failures import Failure
    from pipeline.capture.http.urls import checked_url

    for target in listed:
        with suppress(Failure):  # what is no URL ends with its own outcome
            ways.check(checked_url(target.url))
        yield target


def warn_of_route(url: str) -> None:
    """Log that the part of a URL behind # is left out, where it may choose the text; other fragments are places."""
    if route := _ROUTE.match(url):
        _log.warning(
            "%s: the part behind # is left out, and what a page shows for it is not kept; captured is %s",
            plain(url),
            plain(route[1]),
        )
