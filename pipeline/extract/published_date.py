"""The day on which a page says that it was published, which is not the day on which it was changed."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

_DAY = re.compile(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})(?![\d-])|\s*(\d{4})(\d{2})(\d{2})(?:T|\s*\Z)")
_OLDEST = 1995  # the year before which no page was published on the web; older days are those of a print
_PROPERTIES = {
    "article:published_time", "article:published", "og:published_time", "og:article:published_time", "datepublished",
    "dc.date.issued", "dcterms.issued", "dc.issued", "citation_publication_date", "parsely-pub-date", "sailthru.date",
    "rnews:datepublished", "publish-date", "publishdate", "publish_date", "publication_date", "pubdate",
    "date_published",
}  # fmt: skip
_PUBLISHED = re.compile(
    r"(?:^|[\s_-])(?:published|datepublished|dt-published|pubdate|pub-date|entry-date|post-date|publish-date"
    r"|publication-date|date-published|posted-on|article-date|article__date)(?:$|[\s_-])",
    re.IGNORECASE,
)
_MODIFIED = re.compile(
    r"(?:^|[\s_-])(?:updated|modified|datemodified|dt-updated|last-?modified|last-?updated|update-date|date-updated"
    r"|date-modified|revised|edited)(?:$|[\s_-])",
    re.IGNORECASE,
)
_APART = re.compile(r"comment|related|recommend|sidebar|teaser|widget|disqus", re.IGNORECASE)
_MOST, _LONGEST = 200, 300  # elements that are looked at; characters of an attribute


def published_of(tree: HtmlElement, structured: str | None) -> str | None:
    """Return the day of publication as "YYYY-MM-DD", as the page writes it, or None where it names none.

    `structured` is datePublished of the page's JSON-LD. A day that is no day, or lies ahead, is passed over.
    """
    return next((day for value in _values(tree, structured) if (day := _day(value))), None)


def modified_marks_of(tree: HtmlElement) -> list[HtmlElement]:
    """Return the elements that say when a page was changed, where others say when something else happened."""
    times = [element for element in islice(tree.iter("time", "abbr"), _MOST) if not _lies_apart(element)]
    modified = [element for element in times if _named(element, _MODIFIED) and not _named(element, _PUBLISHED)]
    return modified if len(modified) < len(times) else []


def _values(tree: HtmlElement, structured: str | None) -> Iterator[str | None]:
    for meta in tree.iter("meta"):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop") or ""
        if name.strip().lower() in _PROPERTIES:
            yield meta.get("content")
    yield structured
    for element in islice(tree.iter("time", "abbr", "span", "div", "p"), 20 * _MOST):
        if element.tag != "time" and element.get("itemprop") != "datePublished" and element.get("title") is None:
            continue
        if element.get("pubdate") is None and not _named(element, _PUBLISHED):
            continue
        if _named(element, _MODIFIED) and element.get("itemprop") != "datePublished":
            continue
        if not _lies_apart(element):
            yield element.get("datetime") or element.get("content") or element.get("title")


def _named(element: HtmlElement, names: re.Pattern[str]) -> bool:
    return any(
        value is not None and len(value) < _LONGEST and names.search(value) is not None
        for value in (element.get("class"), element.get("itemprop"), element.get("id"))
    )


def _lies_apart(element: HtmlElement) -> bool:
    """Return whether an element belongs to a comment or to another story."""
    return any(
        above.tag == "aside" or any(_APART.search((above.get(name) or "")[:_LONGEST]) for name in ("class", "id"))
        for above in islice(element.iterancestors(), 20)
        if above.tag not in {"body", "html"}
    )


def _day(value: str | None) -> str | None:
    match = _DAY.match(value or "")
    if match is None:
        return None
    year, month, day = (int(part) for part in match.groups() if part is not None)
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    latest = (datetime.now(UTC) + timedelta(days=2)).date()
    return found.isoformat() if year >= _OLDEST and found <= latest else None
