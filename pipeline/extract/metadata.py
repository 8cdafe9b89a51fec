"""What a page says about itself: title, author, date and the like."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pipeline.discover.resolve_url import web_url
from pipeline.extract.author_names import as_written, names_in
from pipeline.extract.bylines import author_in_byline, author_in_microdata, authors_in_head
from pipeline.extract.first_post import beginning_of
from pipeline.extract.json_ld import Structured, structured_of
from pipeline.extract.metadata_window import window_of
from pipeline.extract.normalize_text import clean
from pipeline.extract.page_title import title_of
from pipeline.extract.published_date import created_of, modified_marks_of, published_of, written_near_heading

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_MOST_TRIES = 3  # of names that are no authors


def metadata_of(tree: HtmlElement, url: str, structured: Structured | None = None) -> dict[str, Any]:
    """Return the fields of an Article that a page tells about itself."""
    structured = structured if structured is not None else structured_of(tree)
    window = _without_modified(_with_contents(window_of(tree)))
    found = _found(window, url)
    language, host = _language(tree), urlsplit(url).hostname
    poster, posted = beginning_of(tree, language, host)
    days = (
        posted,
        published_of(window, structured.published, language, host),
        created_of(window, language, host),
        written_near_heading(window, language, host),
        clean(_string(found.date)),
    )
    return {
        "title": clean(title_of(window, url, _string(found.title), structured.headline)),
        "author": clean(_authors(found, window, url, structured, poster)),
        "date": next(filter(None, days), None),
        "sitename": clean(_string(found.sitename)),
        "description": clean(_string(found.description)),
        "language": language,
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


def _with_contents(tree: HtmlElement) -> HtmlElement:
    """Return the tree with what a <meta> says in `value`, as some pages have it, where `content` belongs."""
    if not any(_says_in_value(meta) for meta in tree.iter("meta")):
        return tree
    tree = deepcopy(tree)
    for meta in tree.iter("meta"):
        if _says_in_value(meta):
            meta.set("content", meta.get("value"))
    return tree


def _says_in_value(meta: HtmlElement) -> bool:
    return meta.get("content") is None and meta.get("value") is not None


def _authors(found: Any, tree: HtmlElement, url: str, structured: Structured, poster: str | None) -> str | None:
    """Return the authors by the first source that names any: a thread, JSON-LD, the head, the markup, a byline."""
    sources = (poster, "; ".join(structured.authors), authors_in_head(tree), author_in_microdata(tree))
    if names := next((names for source in sources if (names := names_in(source))), None):
        return names
    names = as_written(_author(found, tree, url), tree.itertext)
    return names or author_in_byline(tree) or names_in("; ".join(structured.organisations))


def _author(found: Any, tree: HtmlElement, url: str) -> str | None:
    """Return the authors found; where all are buttons, months and the like, those that are found without them."""
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
    """Return the tree without the elements that say when it was changed, if others name a day.

    A copy, if there are any.
    """
    if not modified_marks_of(tree):
        return tree
    tree = deepcopy(tree)
    for element in modified_marks_of(tree):
        element.drop_tree()
    return tree


def _several(values: Iterable[Any] | None) -> tuple[str, ...]:
    return tuple(kept for value in values or () if (kept := clean(_string(value))))


def _string(value: Any) -> str | None:
    """Return a value as text: JSON-LD names numbers where a text is expected, or objects, which are no text."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(value)


def _language(tree: HtmlElement) -> str | None:
    """Return the language that the page says it is in, as a tag such as "en" or "pt-br"."""
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
