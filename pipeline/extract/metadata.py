"""What a page says about itself: title, author, date and the like."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from pipeline.discover.resolve_url import web_url
from pipeline.extract.author_names import names_in
from pipeline.extract.json_ld import Structured, structured_of
from pipeline.extract.metadata_window import window_of
from pipeline.extract.normalize_text import clean
from pipeline.extract.published_date import modified_marks_of, published_of

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_MOST_TRIES = 3  # of names that are no authors


def metadata_of(tree: HtmlElement, url: str, structured: Structured | None = None) -> dict[str, Any]:
    """Return the fields of an Article that a page tells about itself."""
    structured = structured if structured is not None else structured_of(tree)
    window = _without_modified(window_of(tree))
    found = _found(window, url)
    return {
        "title": clean((_string(found.title) or "").rstrip("¶ ")),  # the sign of a permalink is no part of it
        "author": clean(_author(found, window, url)),
        "date": published_of(tree, structured.published) or clean(_string(found.date)),
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


def _found(tree: HtmlElement, url: str, no_authors: frozenset[str] = frozenset()) -> Any:
    from trafilatura.metadata import extract_metadata

    where = {"original_date": True, "extensive_search": False}
    return extract_metadata(tree, url, where, False, set(no_authors))


def _author(found: Any, tree: HtmlElement, url: str) -> str | None:
    """The authors found; where all are buttons, months and the like, those that are found without them."""
    passed_over: set[str] = set()
    for _ in range(_MOST_TRIES):
        author = _string(found.author)
        names = names_in(author)
        if names or not author:
            return names
        passed_over.update(name.strip().lower() for name in author.split(";"))
        found = _found(tree, url, frozenset(passed_over))
    return None


def _without_modified(tree: HtmlElement) -> HtmlElement:
    """The tree without the elements that say when it was changed, if others name a day: a copy, if there are any."""
    if not modified_marks_of(tree):
        return tree
    tree = deepcopy(tree)
    for element in modified_marks_of(tree):
        element.drop_tree()
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
