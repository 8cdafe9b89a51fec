"""What a page says about itself: title, author, date and the like."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from pipeline.discover.resolve_url import web_url
from pipeline.extract.normalize_text import clean

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_FIRST, _LAST = 400, 100  # elements of a long body in which metadata is looked for


def metadata_of(tree: HtmlElement, url: str) -> dict[str, Any]:
    """The fields of an Article that a page tells about itself."""
    from trafilatura.metadata import extract_metadata

    where = {"original_date": True, "extensive_search": False}
    found = extract_metadata(_ends(tree), url, where, False)
    return {
        "title": clean((_string(found.title) or "").rstrip("¶ ")),  # the sign of a permalink is no part of it
        "author": clean(_string(found.author)),
        "date": clean(_string(found.date)),
        "sitename": clean(_string(found.sitename)),
        "description": clean(_string(found.description)),
        "language": _language(tree),
        "tags": _several(found.tags),
        "categories": _several(found.categories),
        "canonical_url": _link(tree, url, "canonical"),
        "license": clean(_string(found.license)) or _link(tree, url, "license"),
        "image": web_url(url, _string(found.image) or ""),
    }


def bare_metadata_of(tree: HtmlElement, url: str) -> dict[str, Any]:
    """Return the fields of an Article that need no library: what is left when `metadata_of` fails."""
    title = next(tree.iter("title"), None)
    return {
        "title": clean(" ".join("".join(title.itertext()).split())) if title is not None else None,
        "language": _language(tree),
        "canonical_url": _link(tree, url, "canonical"),
        "license": _link(tree, url, "license"),
    }


def _ends(tree: HtmlElement) -> HtmlElement:
    """The head, and where pages say who wrote them and when: the body's first and last elements, all JSON-LD."""
    body = tree.find("body")
    if body is None or sum(1 for _ in body.iter()) <= _FIRST + _LAST:
        return tree
    tree = deepcopy(tree)
    body = tree.find("body")
    elements = list(body.iter())
    kept = {*elements[:_FIRST], *elements[-_LAST:]}
    kept.update(element for element in body.iter("script") if element.get("type") == "application/ld+json")
    for element in [*elements[-_LAST:], *kept]:
        kept.update(element.iterancestors())
    for element in elements[_FIRST:]:
        parent = element.getparent()
        if element not in kept and parent in kept:
            parent.remove(element)
    return tree


def _several(values: Iterable[Any] | None) -> tuple[str, ...]:
    return tuple(kept for value in values or () if (kept := clean(_string(value))))


def _string(value: Any) -> str | None:
    """A value as text: JSON-LD names numbers where a text is expected, or objects, which are no text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value)


def _language(tree: HtmlElement) -> str | None:
    """The language that the page says it is in, as a tag such as "en" or "pt-br"."""
    for value in (tree.get("lang"), tree.get("{http://www.w3.org/XML/1998/namespace}lang"), *_meta_languages(tree)):
        tag = (value or "").strip().lower().replace("_", "-").split(",")[0]
        if 2 <= len(tag) <= 35 and tag.replace("-", "").isalnum() and tag.isascii():
            return tag
    return None


def _meta_languages(tree: HtmlElement) -> list[str]:
    path = ".//meta[@http-equiv='content-language' or @http-equiv='Content-Language' or @property='og:locale']/@content"
    return [str(value) for value in tree.xpath(path)]


def _link(tree: HtmlElement, url: str, relation: str) -> str | None:
    """Where the first <link> of a relation leads."""
    for link in tree.iter("link"):
        if (link.get("rel") or "").strip().lower() == relation and (target := web_url(url, link.get("href") or "")):
            return target
    return None
