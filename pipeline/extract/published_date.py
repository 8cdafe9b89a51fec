"""The day on which a page says that it was published, which is not the day on which it was changed."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

from pipeline.extract.days import day_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

_COMPACT = re.compile(r"\s*(\d{4})(\d{2})(\d{2})(?:T|\s*\Z)")
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
_OF_CHANGE = re.compile(
    r"updat|modif|revis|edited|reviewed|aktualisiert|ge\u00e4ndert|mis \u00e0 jour|actualizad|aggiornat|bijgewerkt"
    r"|\u66f4\u65b0|copyright|\u00a9|expires|deadline|born",
    re.IGNORECASE,
)
_NO_DAYS = {"h1", "h2", "h3", "script", "style", "title", "meta", "link", "option", "noscript"}
_BEFORE, _BEHIND, _SHORTEST, _LONGEST_LINE = 30, 60, 6, 80  # elements around a heading; characters of a line
_MOST, _LONGEST = 200, 300  # elements that are looked at; characters of an attribute


def published_of(
    tree: HtmlElement, structured: str | None, language: str | None = None, host: str | None = None
) -> str | None:
    """Return the day of publication as "YYYY-MM-DD", as the page writes it, or None where it names none.

    `structured` is datePublished of the page's JSON-LD. A day that is no day, or lies ahead, is passed over.
    """
    return next((day for value in _values(tree, structured) if (day := _day(value, language, host))), None)


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


def written_near_heading(tree: HtmlElement, language: str | None, host: str | None) -> str | None:
    """Return the day that stands near the page's heading, and is not said to be that of a change; or None."""
    elements = [element for element in tree.iter() if isinstance(element.tag, str)]
    place = next((place for place, element in enumerate(elements) if element.tag == "h1"), None)
    if place is None:
        return None
    for element in elements[max(place - _BEFORE, 0) : place + _BEHIND]:
        words = element.get("datetime") or _line_of(element)
        if not _SHORTEST <= len(words) <= _LONGEST_LINE or element.tag in _NO_DAYS or _OF_CHANGE.search(words):
            continue
        if _named(element, _MODIFIED) or (element.getparent() is not None and _named(element.getparent(), _MODIFIED)):
            continue
        day = day_in(words, language, host)
        if day and not _follows_change(element) and not _lies_apart(element):
            return day
    return None


def _line_of(element: HtmlElement) -> str:
    """Return the words of an element, or so many of them that they are no line."""
    parts: list[str] = []
    size = 0
    for text in element.itertext():
        if words := " ".join(text.split()):
            parts.append(words)
            size += len(words) + 1
            if size > _LONGEST_LINE + 1:
                break
    return " ".join(parts)


def _follows_change(element: HtmlElement) -> bool:
    """Return whether the words before an element say "updated" or the like."""
    before, parent = element.getprevious(), element.getparent()
    words = (parent.text or "") if parent is not None else ""
    if before is not None:
        words = (before.tail or "").strip() or " ".join(before.itertext())
    return _OF_CHANGE.search(words[-_LONGEST_LINE:]) is not None and not any(sign.isdigit() for sign in words)


def created_of(tree: HtmlElement, language: str | None, host: str | None) -> str | None:
    """Return the day on which the first thing that microdata describe was created, or None."""
    for element in islice(tree.iter("time", "meta", "span"), 20 * _MOST):
        if element.get("itemprop") == "dateCreated" and not _lies_apart(element):
            return _day(element.get("datetime") or element.get("content") or element.get("title"), language, host)
    return None


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


def _day(value: str | None, language: str | None, host: str | None) -> str | None:
    value = value or ""
    if match := _COMPACT.match(value):
        value = "-".join(match.groups())
    return day_in(value, language, host)
